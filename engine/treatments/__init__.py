"""What the collector does to records of feeds that are late, doubled, disordered or wrong (facts/signals.md).

Each problem has one step, in a file of its own: pure, off unless asked for, with its own counter. A step sees
events behind the intake (keyed, nothing in them names a person), in the order in which their source brings
them; it flags, drops, keeps back for a while, or adds what follows from them. What it keeps back and for how
long it remembers runs on the watermark of the source, never on a clock of the machine.

    step.py           what every step offers, and steps one after the other
    lot.py            events kept back: until when, until whom, through a crash
    kept_back.py      a change kept back until it is settled, and all that comes behind it
    course.py         the events of one source through its steps, and its time
    registry.py       all steps by name, with their settings: what a feeds file may ask for
    who_options.py    settings of the steps that know who it is
    where_options.py  settings of the steps that look at places and times
    by_age.py         a table that knows which entry was used longest ago
    recent.py         what a step remembers of subscribers, bounded
    flags.py          flags in `quality`, and what becomes of a record whose cell is not believed
    memory.py         what steps remember together about subscribers, over restarts
    derived.py        records that follow from others

Who it is, in the order in which they run (`docs/signals-identity.md`):

    identity.py       the hook at intake, what is done while a record still says whose it is
    numbering.py      its part: phone numbers as E.164
    correlation.py    its other part: which number and which handset belong to which IMSI
    parking.py        records wait for their number, or their IMSI, a little
    handset_changes.py    the SIM is in another handset
    roaming.py        who has left the home network, is back, or is a guest
    roaming_held.py   what a feed itself says of that, kept back until it is settled

Places and times, in the order in which they run; `docs/signals.md` has their sentences, settings, counters:

    unknown_cells.py      cells that are malformed, fillers, or not in the table
    duplicates.py         the same procedure seen by two probes
    late.py               far behind the feed's own time
    start_cell.py         records at the end of a call or session: the cell of its start, of its end
    impossible_moves.py   10 km at 55 m/s
    ping_pong.py          A-B-A at the border of two cells, kept back until decided
    ping_pong_repeat.py   the same without delay, from the second flip on
    thinning.py           sightings that say nothing new
"""
