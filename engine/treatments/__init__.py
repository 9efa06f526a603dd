"""What the collector does to records of feeds that are late, doubled, disordered or wrong (facts/signals.md).

Each problem has one step, in a file of its own: pure, off unless asked for, with its own counter. A step sees
events behind the intake (keyed, nothing in them names a person), in the order in which their source brings
them; it flags, drops, keeps back for a while, or adds what follows from them. What it keeps back and for how
long it remembers runs on the watermark of the source, never on a clock of the machine.

    step.py           what every step offers, and steps one after the other
    lot.py            events kept back: until when, until whom, through a crash
    course.py         the events of one source through its steps, and its time
    registry.py       all steps by name, with their settings: what a feeds file may ask for
"""
