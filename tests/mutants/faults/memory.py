"""Faults in what is kept to be seen again: gaps, copies, stops of waits, derived memory, the packed past."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

PRESENCE = "engine/presence.py"
COPIES = "engine/copies.py"
ABSENCE = "engine/patterns/absence.py"
WARM = "engine/warm.py"
HISTORY = "engine/history.py"

GAPS = "tests/unit/state/test_gaps.py"
IDS = "tests/unit/state/test_copies.py"
AFTER = "tests/unit/pipeline/test_after.py"
RESTART = "tests/simulation/test_restart.py"
CODEC = "tests/unit/state/test_codec.py"

HEALED = "3 warm start: visits are seen in full, also where a late sighting heals a gap that timers have seen"
AGAIN = "3 warm start: windows and waits are seen in full, also after a restart"

MUTANTS = (
    Mutant("gap-before-it-is-none", PRESENCE, "clock > until or clock", "clock", HEALED, tests=GAPS),
    Mutant(
        "gap-behind-it-is-none",
        PRESENCE,
        "clock > known_until or sub.gap",
        "sub.gap",
        HEALED,
        tests=GAPS,
    ),
    Mutant("gap-ends-when-first-told", PRESENCE, "or sub.gap or bool", "or bool", HEALED, tests=GAPS),
    Mutant("gap-of-a-power-off-is-none", PRESENCE, " or bool(sub.offs))", ")", HEALED, tests=GAPS),
    Mutant(
        "gap-is-not-told",
        PRESENCE,
        "if not known or gap or sub.gap or",
        "if not known or sub.gap or",
        HEALED,
        tests=GAPS,
    ),
    Mutant(
        "gap-is-closed-without-a-word",
        PRESENCE,
        "if not known or gap or sub.gap or",
        "if not known or gap or",
        HEALED,
        tests=GAPS,
    ),
    Mutant(
        "ids-at-the-hour-are-forgotten",
        COPIES,
        "_age(ids, at, clock) > limit:",
        "_age(ids, at, clock) >= limit:",
        "1.6 a record whose id was applied with t ≥ clock − 1 h is dropped",
        tests=IDS,
    ),
    Mutant(
        "only-the-first-of-an-id-is-looked-at",
        COPIES,
        "    while at >= 0:\n        if at % SIZE",
        "    if at >= 0:\n        if at % SIZE",
        "1.6 a record whose id was applied with t ≥ clock − 1 h is dropped",
        tests=IDS,
    ),
    Mutant(
        "ids-across-two-entries",
        COPIES,
        "if at % SIZE == 0 and",
        "if",
        "1.6 a record whose `id` was applied is dropped, no other",
        tests=IDS,
    ),
    Mutant(
        "capitals-of-an-id-are-the-same",
        COPIES,
        "if len(name) == _NAME and name.hex() == id:",
        "if len(name) == _NAME:",
        "1.6 a record whose `id` was applied is dropped, no other",
        tests=IDS,
    ),
    Mutant(
        "stops-are-thinned-beyond-their-wait",
        ABSENCE,
        "orders[-2] - orders[-6] <= self.span:",
        "orders[-2] - orders[-6] <= 4 * self.span:",
        "3 `after`: no B lies later than a and ≤ a + D",
        ("after.no>happens", "late"),
        tests=AFTER,
    ),
    Mutant(
        "stops-at-the-very-end-are-none",
        ABSENCE,
        "if order[0] <= last and not _same_record(order, start):",
        "if order[0] < last - 1 and not _same_record(order, start):",
        "3 `after`: no B lies later than a and ≤ a + D",
        ("after.no>happens", "late"),
    ),
    Mutant(
        "stops-of-its-own-record",
        ABSENCE,
        "if order[0] <= last and not _same_record(order, start):",
        "if order[0] <= last:",
        "3 a record that is both A and B does not cancel itself",
        ("after>enters", "after.no>happens"),
        tests=AFTER,
    ),
    Mutant(
        "stops-of-its-own-record-hide-others",
        ABSENCE,
        "            if order[0] <= last and not _same_record(order, start):\n                return True\n",
        "            if order[0] <= last:\n                return not _same_record(order, start)\n",
        "3 a record that is both A and B does not cancel itself, but others do",
        ("after>enters", "after.no>happens"),
        tests=AFTER,
    ),
    Mutant(
        "derived-from-the-last-segment-alone",
        HISTORY,
        "    for segment in history.near:\n        yield from",
        "    for segment in history.near[-1:]:\n        yield from",
        AGAIN,
        tests=RESTART,
    ),
    Mutant(
        "derived-without-what-stops-waits",
        WARM,
        "                node.note(sub, moment)\n",
        '                if type(node).__name__ != "Cancels":\n                    node.note(sub, moment)\n',
        AGAIN,
        tests=AFTER,
    ),
    Mutant(
        "derived-without-places",
        WARM,
        "                past.seq,\n                past.places,\n            )\n            for",
        "                past.seq,\n                None,\n            )\n            for",
        AGAIN,
        tests=RESTART,
    ),
    Mutant(
        "derived-for-one-pattern-of-a-kind",
        WARM,
        "            for node in nodes:\n                node.note(sub, moment)\n",
        "            nodes[0].note(sub, moment)\n",
        AGAIN,
        tests=RESTART,
    ),
    Mutant(
        "durations-in-whole-milliseconds",
        HISTORY,
        "small = whole / 1000 == duration and whole != _ABSENT",
        "small = whole != _ABSENT",
        "4.11 durations are seconds in records, with their fractions",
        tests=CODEC,
    ),
    Mutant(
        "durations-a-thousand-times-as-long",
        HISTORY,
        'fields["duration"] = fields["duration"] / 1000',
        'fields["duration"] = fields["duration"]',
        "4.11 durations are seconds in records",
        tests=CODEC,
    ),
    Mutant(
        "begun-a-duration-ago-whatever-its-start",
        HISTORY,
        "began = seen == whole * 1000 and seen > 0",
        "began = seen > 0",
        "2.1 a sighting is at `t_start` if given",
        tests=CODEC,
    ),
    Mutant(
        "begun-when-it-ended",
        HISTORY,
        "past.seen = 1000 * _LAG",
        "past.seen = 0 * _LAG",
        "2.1 a sighting is at `t_start` if given",
        tests=CODEC,
    ),
)
