"""What the collector does to records of feeds that are late, doubled, disordered or wrong (facts/signals.md).

Each problem has one step, in a file of its own: pure, off unless asked for, with its own counter. A step sees
events behind the intake (keyed, nothing in them names a person), in the order in which their source brings
them; it flags, drops, keeps back for a while, or adds what follows from them. What it keeps back and for how
long it remembers runs on the watermark of the source, never on a clock of the machine.

    step.py           what every step offers, and steps one after the other
    edge.py           the hook at intake: what is done while a record still says whose it is
    numbering.py      its part: phone numbers as E.164
    correlation.py    which number and which handset belong to which IMSI
    awaiting.py       records wait for their number, or their IMSI, a little
    handsets.py       the SIM is in another handset
    roaming.py        who has left the home network, is back, or is a guest
    memory.py         what steps remember about subscribers, over restarts
    derived.py        records that follow from others
"""
