"""Faults in section 3: windows, marks, sequences, all_of, any_of, once per stamp, hot."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

HAPPENS = "engine/patterns/happens.py"
COUNTING = "engine/patterns/counting.py"
SEQUENCE = "engine/patterns/sequence.py"
COMBINE = "engine/patterns/combine.py"
BASE = "engine/patterns/base.py"
MATCHING = "engine/matching.py"
HEAT = "engine/heat.py"

CORNERS = "tests/differential/test_corners.py"

COUNT_BEGINS = """\
            return None
        if not self.derived:
            sub.core_dirty = True
        state = self.recall(sub)
        if state is None:
            state = [array("q")]
"""
"""Of a count, not of a total."""

MUTANTS = (
    Mutant(
        "count-beyond-the-mark",
        COUNTING,
        "if count != self.at_least:",
        "if count < self.at_least:",
        "3 `count`: the number in the window with it is ≥ N and without it < N",
        ("count",),
    ),
    Mutant(
        "count-window-is-closed",
        COUNTING,
        "        times = state[0]\n        if times and times[0] <= limit:\n"
        "            _forget(state, bisect_right(times, limit))",
        "        times = state[0]\n        if times and times[0] <= limit:\n"
        "            _forget(state, bisect_right(times, limit - 1))",
        "1.7 window W at now: (now − W, now]",
        ("count",),
    ),
    Mutant(
        "count-window-at-the-record",
        COUNTING,
        "        if event.t <= limit:\n" + COUNT_BEGINS,
        "        if event.t < limit:\n" + COUNT_BEGINS,
        "1.5 a late record enters the windows at its own t",
        ("count", "late"),
    ),
    Mutant(
        "late-record-counts-as-now",
        COUNTING,
        "times.insert(bisect_right(times, event.t), event.t)",
        "times.append(moment.now)",
        "1.5 a late record enters the windows at its own t",
        ("count", "late"),
    ),
    Mutant(
        "total-over-the-mark",
        COUNTING,
        "if total >= self.at_least else None",
        "if total > self.at_least else None",
        "3 `total`: the sum in the window with it is ≥ A",
        ("total",),
    ),
    Mutant(
        "total-at-the-mark-again",
        COUNTING,
        "add_up(without) >= self.at_least:",
        "add_up(without) > self.at_least:",
        "3 `total`: and without it < A",
        ("total",),
    ),
    Mutant(
        "total-window-is-closed",
        COUNTING,
        "        times, amounts = state\n        if times and times[0] <= limit:\n"
        "            _forget(state, bisect_right(times, limit))",
        "        times, amounts = state\n        if times and times[0] <= limit:\n"
        "            _forget(state, bisect_right(times, limit - 1))",
        "1.7 window W at now: (now − W, now]",
        ("total",),
    ),
    Mutant(
        "bytes-need-both-ways",
        COUNTING,
        "        return down if up is None else up\n",
        "        return None\n",
        "7(k) `bytes` with only one of `up`, `down` is that one",
        ("total",),
    ),
    Mutant(
        "match-in-the-last-place",
        HAPPENS,
        "        for place in places:\n",
        "        for place in reversed(places):\n",
        "3 several at one time are one instant, with the member first in the list",
        ("happens", "count"),
    ),
    Mutant(
        "sequence-window-is-closed",
        SEQUENCE,
        "drop_until(items, moment.now - self.within)",
        "drop_until(items, moment.now - self.within - 1)",
        "3 `sequence`: the first in (now − W, now]",
        ("sequence",),
    ),
    Mutant(
        "window-drops-timers-late",
        BASE,
        "    if items and items[0][0] < 2 * limit + 2:\n",
        "    if items and items[0][0] < 2 * limit + 1:\n",
        "3 `sequence`: the first in (now − W, now]",
        ("sequence>stays_in", "sequence>after"),
    ),
    Mutant(
        "timers-of-one-time-follow-each-other",
        SEQUENCE,
        "        if (item[0], item[1]) < before:\n",
        "        if (item[0], item[1]) <= before:\n",
        "1.7 two timers of one time are not later than each other",
        ("sequence>stays_in", "sequence>after"),
    ),
    Mutant(
        "equal-times-are-not-later",
        SEQUENCE,
        "        if (item[0], item[1]) < before:\n",
        "        if item[0] < before[0]:\n",
        "1.7 at equal time, later in the log",
        ("sequence",),
    ),
    Mutant(
        "timers-before-records",
        BASE,
        "        self.time = order[0] >> 1\n",
        "        self.order = order = (order[0] - 2 * (order[0] & 1), order[1])\n"
        "        self.time = (order[0] + 1) >> 1\n",
        "1.7 timers come after all records of their time",
        ("sequence>stays_in", "sequence>after"),
    ),
    Mutant(
        "sequence-forgets-its-last-instant",
        SEQUENCE,
        "            if item is None or (item[0], item[1]) <= last:\n",
        "            if item is None:\n",
        "3 `sequence`: all later than this sequence's last instant",
        ("sequence", "late"),
        also=(("items[:] = [item for item in items if (item[0], item[1]) > last]", "pass"),),
    ),
    Mutant(
        "sequence-late-last-instant",
        SEQUENCE,
        "state[0] = list(moment.stamp)",
        "state[0] = list(instant.order)",
        "7(c) the last instant of a `sequence` completed late is (clock, log order)",
        ("sequence", "late"),
    ),
    Mutant(
        "last-instant-without-log-order",
        BASE,
        "else (2 * self.now, self.seq)",
        "else (2 * self.now + 1, 0)",
        "7(c) the last instant completed late is (clock, log order)",
        ("sequence", "all_of"),
    ),
    Mutant(
        "a-record-serves-two-steps",
        SEQUENCE,
        "clash = clash or item[1] in records",
        "clash = False",
        "7(j) a record serves one step of a sequence",
        ("sequence", "sequence>enters"),
        tests="tests/unit/pipeline/test_sequence.py",
    ),
    Mutant(
        "only-the-latest-chain",
        SEQUENCE,
        "                insert(state[position], [*instant.order, instant.place, instant.data])",
        "                state[position][:] = [[*instant.order, instant.place, instant.data]]",
        "7(j) all chains count",
        ("sequence",),
    ),
    Mutant(
        "sequence-keeps-the-first-start",
        SEQUENCE,
        "    for item in items[::-1]:\n        if (item",
        "    for item in items:\n        if (item",
        "3 `sequence`: start reported: the latest possible",
        ("sequence",),
        tests="tests/unit/pipeline/test_sequence.py",
    ),
    Mutant(
        "sequence-has-no-earlier-place",
        SEQUENCE,
        "        place = place if place is not None else item[2]\n",
        "",
        "3 the place of a match is that of the latest step that has one",
        ("sequence", "sequence>enters"),
    ),
    Mutant(
        "all-of-window-is-closed",
        COMBINE,
        "(o[0] >> 1) > limit",
        "(o[0] >> 1) >= limit",
        "3 `all_of`: each other has one in (now − W, now]",
        ("all_of",),
    ),
    Mutant(
        "all-of-completing-part-in-the-window",
        COMBINE,
        "            if instant.order <= last or (found",
        "            if instant.order <= last or instant.time <= limit or (found",
        "7(c) the completing part of an `all_of` need not lie in the window",
        ("all_of", "late"),
    ),
    Mutant(
        "all-of-others-of-the-last-time",
        COMBINE,
        " and (o[0], o[1]) > last for o",
        " for o",
        "3 `all_of`: all later than this all_of's last instant",
        ("all_of",),
    ),
    Mutant(
        "all-of-late-last-instant",
        COMBINE,
        "state[0] = list(moment.stamp)",
        "state[0] = list(instant.order)",
        "7(c) the last instant of an `all_of` completed late is (clock, log order)",
        ("all_of", "late"),
    ),
    Mutant(
        "all-of-late-part-replaces",
        COMBINE,
        "if held is None or (held[0], held[1]) < instant.order:",
        "if True:",
        "3 `all_of`: a late instant of a part does not hide a later one",
        ("all_of", "late"),
    ),
    Mutant(
        "all-of-needs-other-records",
        COMBINE,
        "if all(o is not None and",
        "if all(o is not None and (o[1] == 0 or o[1] != instant.order[1]) and",
        "3 `all_of`: one record may serve several",
        ("all_of",),
    ),
    Mutant(
        "any-of-takes-the-first-only",
        COMBINE,
        "held = found.get(instant.order)",
        "held = next(iter(found.values()), None)",
        "7(d) each instant has its own lateness; a rule fires if any instant of that moment may",
        ("any_of", "late"),
        also=(("if held is None or (instant.fires and not held.fires):", "if held is None:"),),
        tests="tests/unit/pipeline/test_any_of.py",
    ),
    Mutant(
        "fires-twice-a-stamp",
        MATCHING,
        "                if rule.name in sub.fired:\n                    continue\n",
        "                if False:\n                    continue\n",
        "3 a rule fires at most once per subscriber and stamp",
        ("happens", "any_of"),
    ),
    Mutant(
        "latest-instant-of-a-moment",
        MATCHING,
        "        instant = min(may, key=_order)\n",
        "        instant = max(may, key=_order)\n",
        "3 of several instants of one stamp the first wins",
        ("any_of", "late"),
    ),
    Mutant(
        "beyond-patience-fires",
        MATCHING,
        "            if not instant.fires:\n                continue\n",
        "",
        "1.5 late by more than patience it fires nothing",
        ("late",),
    ),
    Mutant(
        "hot-at-2000",
        HEAT,
        "len(times) > HOT and",
        "len(times) >= HOT and",
        "3 more than 2,000 records of a kind in 48 h: hot",
        tests=CORNERS,
    ),
    Mutant(
        "hot-for-48-hours-and-more",
        HEAT,
        "times[0] > clock - WINDOW",
        "times[0] >= clock - WINDOW",
        "3 more than 2,000 records of a kind in 48 h: hot",
        tests=CORNERS,
    ),
    Mutant(
        "hot-only-for-the-first-kind",
        MATCHING,
        "any(sub.heat.is_hot(kind, stamp) for kind in rule.kinds)",
        "all(sub.heat.is_hot(kind, stamp) for kind in rule.kinds)",
        "3 hot for a kind: the patterns over it fire nothing",
        tests=CORNERS,
    ),
)
