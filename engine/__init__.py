"""The house: what a record of the log does to a subscriber, from the door to the offer.

To read the code, open `pipeline.py` first: it shows all stages at a glance. Then follow a record:

    event.py          what is folded: one record of the log
    intake.py         a door's record in: refuse it by name, or check it and take off what names a person
    places.py         which places a cell is in
    presence.py       where the subscriber is, was, or is no longer known to be: sightings and visits
    residence.py      where somebody lives and works, learned from that
    snapshot.py       the last 48 hours of one subscriber
    patterns/         what rules can ask of the snapshot, one file per verb
    matching.py       from a record, or a timer, to the rules that fire
    audience.py       who a rule is for, and every other test that a rule writes
    decision.py       the gates in their one order: an offer, a hold, or a refusal with its reason
    ledger.py         what was offered: contacts, caps, holds
    emit.py           the decision record, and the message's text
    pipeline.py       all of the above in order
    lane.py           one partition: read a batch, decide, commit, publish

What the stages lean on:

    cells.py          where the cells of the network are, and which are near
    countries.py      codes of countries
    plmn.py           networks: their country, and which one an IMSI is at home in
    event_kinds.py    every kind of record: its fields, their types and units
    field_checks.py   checks of single fields at intake
    identity.py       IMSI, MSISDN or opaque id -> one keyed subscriber key
    subject.py        whose record it is, before what names a person is dropped
    numbers.py        phone numbers: one way to write each, long ones hashed
    number_classes.py what a number is: the lists of the catalogue, by whole numbers and by their beginnings
    refusals.py       refused records, by name and without anything personal
    schema.py         JSON Schema of records, generated from `event_kinds.py`
    schema_out.py     JSON Schema of what is written: decision lines, profiles, dead letters, rules
    asyncapi.py       all of these by topic, as AsyncAPI
    topics.py         the topics of the Kafka deployment: keys, partitions, how long they keep what
    ticks.py          time as records of the log
    feeds.py          what ticks tell: how far time has come, which feeds are down
    heat.py           who has more records than rules may be asked about
    control.py        what profile, consent and receipt records change
    history.py        the behaviours of 48 hours, packed
    history_words.py  their words as bytes
    data_use.py       use of data by 5 minutes, to be shown
    copies.py         ids of applied records, packed
    switching.py      another set of rules from a place of the log on
    canary.py         the same for some subscribers only
    warm.py           a new rule sees the past as if it had been there
    codec.py          the snapshot as bytes, with a version
    codec_history.py  the packed history as bytes
    codec_v1.py       the first version of these bytes, still read
    outbox.py         what a commit publishes: lines, offers, profiles
    lane_state.py     what a lane knows beside its subscribers
    expiry.py         when a state may be removed
    rulebook.py       a rule set made ready to run
    look_back.py      how far back caps and cooldowns count, and whether decisions are kept so long
    localtime.py      quiet hours and dates by the wall clock of a zone
    sms.py            how many SMS a text needs
    csv_line.py       one line of a delimited file as its cells
    text.py           templates, placeholders, amounts in words

Whole runs over the stages:

    collect.py        events of a source -> records of the log, and the ticks that follow them
    options.py        options of feeds, doors and treatments out of YAML, every mistake with its place
    treatments/       what is done to records of feeds that are late, doubled, disordered or wrong
    admission.py      what of a live source the log takes: nothing of the future
    checkpoint.py     how far sources were read, as bytes
    live.py           a live source, as the collector is given it
    collector.py      the collector role: live sources into the log, every row once
    sources.py        several live sources, one time: the least of them, and which kinds are missing
    loading.py        files of profiles, consents and opt-outs into the log
    load_report.py    what a load would do, told before it is done
    unbound.py        an identity for passes over many profiles, which binds nothing
    patience.py       how long the dispatcher waits for what
    dispatch.py       offers -> channels, at most once, and what became of them back into the log
    last_gates.py     may this offer be sent now? and every way in which an offer ends
    receipts.py       what became of messages: to the log, the ledger, the books
    view.py           a partition as one pass of it sees it: where it stands, and some states
    claims.py         taken before anything is written, given back if nothing was
    course.py         how far a partition of the queue was sent, and whether the ledger may be trusted
    tally.py          the books: taken = ended + open
    replay.py         recorded events through the same engine
    keeper.py         the lanes of one process: begin, end, try again
    rebuild.py        a lost store built anew from the topics
    verify.py         the recorded log folded once more, held against what was decided
    reach.py          whom a rule may reach at all, line by line
    candidate.py      a folder of rules on its way into force: checked, tested, one set
    changes.py        what changed from one set of rules to the next, and who did it
    backtest/         what a replay tells: gates, hours, overlap, near misses, two versions of the rules
    rule_tests/       the tests that stand beside the rules
    story/            a rule in plain words, with the cases at its edges
    trace/            why somebody did or did not get an offer
    place_map/        places against the cells of the network, and a map of them

Around them:

    care/             for customer care: one subscriber's history; refused records that can be saved
    language/         rule files in, checked and compiled rules out
    ports.py          what the house asks of the log, the store and the channels
    cli/              the commands
    deployment/       the roles on Kafka and Redis, as processes
    published.py      a rule set as one message
    approving.py      who approved which rule, kept in a file beside the rules
    garbage.py        the collector of cyclic garbage, calmed
    app.py            puts the real thing together: which door stands behind which port
    errors.py         the tree of errors
    paths.py          what is at a path that somebody has given
    metrics.py        what a role counts and shows on its page
    histogram.py      a histogram that takes a batch at a time
    logs.py           what a role logs: JSON lines without any number
    log_pace.py       how often one thing may be logged
    log_fields.py     which fields may be logged, and how numbers are hidden
    settings/         the settings, their variables and file
"""

__version__ = "0.1.0"
"""Of the program, as `pyproject.toml` has it: neither a checkout nor the image has it as installed."""
