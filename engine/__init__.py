"""The house: what a record of the log does to a subscriber, from the door to the offer.

If you are here to read the code, follow a record; each stage is one file or folder:

    event.py          what is folded: one record of the log
    event_kinds.py    every kind of record, its fields, types and units
    intake.py         a door's record in: refuse, name the subscriber, drop duplicates
    places.py         a cell is in which places
    presence.py       where the subscriber is, was, or is no longer known to be: visits
    snapshot.py       the last 48 hours of one subscriber: shape, update, expiry
    patterns/         what rules can ask of the snapshot, one file per verb
    matching.py       which rules care for this record, and when to look again
    audience.py       who a rule is for
    decision.py       the gates in their one order: an offer, or a refusal with its reason
    ledger.py         what was offered: contacts, caps, held offers
    emit.py           the message: which one, its text, how many SMS
    pipeline.py       all of the above in order: READ THIS FIRST
    lane.py           one partition: read a batch, decide, commit, publish

Beside them:

    language/         rule files in, checked and compiled rules out
    cli/              the commands
    app.py            puts the real thing together: the only place that knows ports and doors
    ports.py          what the house asks of the log, the store and the channels
    errors.py         the tree of errors
    settings.py       the settings and their variables
    localtime.py      quiet hours and dates by the wall clock of a zone
    sms.py            how many SMS a text needs
    text.py           templates and their placeholders
"""
