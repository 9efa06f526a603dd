"""Faults in section 3: dwell, absence, timers and their order, feeds."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

ABSENCE = "engine/patterns/absence.py"
DWELL = "engine/patterns/dwell.py"
MATCHING = "engine/matching.py"
PIPELINE = "engine/pipeline.py"
FEEDS = "engine/feeds.py"
RULEBOOK = "engine/rulebook.py"

MUTANTS = (
    Mutant(
        "dwell-due-at-the-clock-is-past",
        DWELL,
        "if due >= moment.now:",
        "if due > moment.now:",
        "7(b) due = clock is an ordinary timer",
        ("stays_in", "late"),
    ),
    Mutant(
        "dwell-beyond-patience-at-the-clock",
        DWELL,
        "place if due > moment.now or crossing.timely else place + LOST",
        "place",
        "7(a) the timers it would arm at or before the clock are no instants",
        ("stays_in", "late"),
    ),
    Mutant(
        "dwell-beyond-patience-fires",
        DWELL,
        "return self._at(sub, place, due) if crossing.timely and self.takes",
        "return self._at(sub, place, due) if self.takes",
        "7(b) a dwell late beyond patience whose state at due was `in` is lost",
        ("stays_in", "late"),
    ),
    Mutant(
        "late-dwell-is-not-made-up",
        DWELL,
        "        if not is_known(sub, due):\n            sub.overdue.add((self.key, place))\n",
        "        if not is_known(sub, due):\n",
        "7(b) one whose state at due was not `in` is made up by a later sighting",
        ("stays_in", "late"),
    ),
    Mutant(
        "dwell-made-up-at-due",
        DWELL,
        "crossing.time <= sub.visits[place][0] + self.duration",
        "crossing.time < sub.visits[place][0] + self.duration",
        "7(g) a dwell's first later sighting is strictly later than due",
        ("stays_in",),
        tests="tests/unit/pipeline/test_stays_in.py",
    ),
    Mutant(
        "dwell-made-up-again",
        DWELL,
        "        sub.overdue.discard(mark)\n",
        "",
        "3 `stays_in`: once per visit",
        ("stays_in",),
    ),
    Mutant(
        "dwell-fires-from-unknown",
        DWELL,
        "        known = is_known(sub, due)\n",
        "        known = True\n",
        "3 `stays_in`: at opened + D if the state is then `in`",
        ("stays_in",),
    ),
    Mutant(
        "dwell-outlives-its-visit",
        DWELL,
        "                if place in crossing.before and place not in sub.inside:\n"
        "                    self._forget(sub, place)\n",
        "",
        "3 `stays_in`: at opened + D if the state is then `in`",
        ("stays_in",),
    ),
    Mutant(
        "dwell-of-the-last-member",
        DWELL,
        "elif first is None and place in arguments and",
        "elif place in arguments and",
        "3 several members at one time are one instant, with the member first in the group's list",
        ("stays_in",),
    ),
    Mutant(
        "after-includes-its-end-no-more",
        ABSENCE,
        "order[0] >> 1 > (wait[0] >> 1) + self.wait",
        "order[0] >> 1 >= (wait[0] >> 1) + self.wait",
        "3 `after`: no B lies later than a and ≤ a + D",
        ("after", "after.no>happens"),
    ),
    Mutant(
        "after-runs-beyond-its-end",
        ABSENCE,
        "        last = 2 * due + 1\n",
        "        last = 2 * max(due, sub.clock) + 1\n",
        "3 `after`: no B lies later than a and ≤ a + D",
        ("after", "late"),
    ),
    Mutant(
        "after-begins-later-than-its-start",
        ABSENCE,
        "order <= (wait[0], wait[1]) or",
        "order[0] <= wait[0] or",
        "1.7 at equal time, later in the log",
        ("after.no>happens", "after"),
    ),
    Mutant(
        "after-cancels-from-before",
        ABSENCE,
        "order <= (wait[0], wait[1]) or",
        "",
        "3 `after`: no B lies later than a",
        ("after.no>happens", "late"),
    ),
    Mutant(
        "after-cancels-itself",
        ABSENCE,
        "        if own and _same_record(order, wait):\n            return\n",
        "",
        "3 a record that is both A and B does not cancel itself",
        ("after", "after>enters", "after.no>happens"),
        also=((" and not _same_record(other, order)", ""),),
    ),
    Mutant(
        "after-armed-late-ignores-later-starts",
        ABSENCE,
        "            if order < tuple(other) and other[0] <= last:\n                return False\n",
        "            if order < tuple(other) and other[0] < order[0]:\n                return False\n",
        "3 `after`: no instant of A later than a is ≤ a + D",
        ("after", "late"),
    ),
    Mutant(
        "after-armed-late-forgets-its-end",
        ABSENCE,
        "if order < tuple(other) and other[0] <= last and",
        "if order < tuple(other) and other[0] < last - 1 and",
        "3 `after`: no B lies later than a and ≤ a + D",
        ("after", "late"),
    ),
    Mutant(
        "after-due-at-the-clock-is-past",
        ABSENCE,
        "if due < moment.now or (due == moment.now and not start.timely):",
        "if due <= moment.now:",
        "7(b) due = clock is an ordinary timer",
        ("after", "late"),
    ),
    Mutant(
        "after-beyond-patience-at-the-clock",
        ABSENCE,
        "if due < moment.now or (due == moment.now and not start.timely):",
        "if due < moment.now:",
        "7(a) the timers it would arm at or before the clock are no instants",
        ("after", "late"),
    ),
    Mutant(
        "after-beyond-patience-fires",
        ABSENCE,
        "if not start.timely or not self._alive(sub, state, start.order, due):",
        "if not self._alive(sub, state, start.order, due):",
        "1.5 late by more than patience it arms only timers due after the clock",
        ("after", "late"),
    ),
    Mutant(
        "after-restarts-never",
        ABSENCE,
        "            state[2] = [*start.order,",
        "            if state[2] is not None:\n                return None\n"
        "            state[2] = [*start.order,",
        "3 `after`: no instant of A later than a is ≤ a + D",
        ("after",),
        also=(("            self._stop(sub, state, start.order, own=False)\n", ""),),
    ),
    Mutant(
        "cancelled-below-at-this-very-time",
        MATCHING,
        "if sub.timers.get(mark) == moment.now]",
        "if True]",
        "3 timers of one due time form one group, after all records up to it",
        ("after>stays_in", "after.no>stays_in", "after>after"),
        also=(
            (
                "                del sub.timers[mark]\n            if marks",
                "                sub.timers.pop(mark, None)\n            if marks",
            ),
        ),
        tests="tests/unit/pipeline/test_after.py",
    ),
    Mutant(
        "timers-at-the-tick",
        PIPELINE,
        "        while wakes and wakes[0][0] < time:\n",
        "        while wakes and wakes[0][0] <= time:\n",
        "3 a timer fires at the first tick > due",
        ("after", "stays_in", "held"),
        also=(
            (
                "            if sub.wake and sub.wake < time:\n                self.touched[key] = sub\n"
                "                self._advance(sub, time)\n            self._note_wake(sub)\n",
                "            if sub.wake and sub.wake <= time:\n                self.touched[key] = sub\n"
                "                self._advance(sub, time + 1)\n            self._note_wake(sub)\n",
            ),
        ),
    ),
    Mutant(
        "timers-before-records-of-their-time",
        PIPELINE,
        "            if sub.wake and sub.wake < time:\n                self._advance(sub, time)\n"
        "            sub.clock",
        "            if sub.wake and sub.wake <= time:\n                self._advance(sub, time + 1)\n"
        "            sub.clock",
        "3 all records with t ≤ due are applied first",
        ("after", "stays_in", "held"),
    ),
    Mutant(
        "one-group-of-timers-a-record",
        PIPELINE,
        "                self._judge(sub, due, candidates)\n        warm.set_wake(sub)",
        "                self._judge(sub, due, candidates)\n                break\n"
        "        warm.set_wake(sub)",
        "3 repeat until none is due before the record",
        ("after", "held"),
    ),
    Mutant(
        "hold-ends-after-other-timers",
        PIPELINE,
        '                candidates += [Candidate.ending(compiled.get(hold["rule"]), hold)',
        "                if candidates:\n"
        "                    self._judge(sub, due, candidates)\n"
        '                candidates = [Candidate.ending(compiled.get(hold["rule"]), hold)',
        "3 all timers of a subscriber with one due time form one group",
        ("held", "quiet"),
        tests="tests/unit/pipeline/test_decision.py",
    ),
    Mutant(
        "feed-down-at-the-end-is-late",
        FEEDS,
        "start <= until and",
        "start < until and",
        "3 `after`: a kind of B was down at any time in (a, a + D]",
        ("feed",),
    ),
    Mutant(
        "feed-down-at-the-start-counts",
        FEEDS,
        "end > max(start, after)",
        "end > start and end >= after",
        "3 `after`: a kind of B was down at any time in (a, a + D]",
        ("feed",),
        tests="tests/unit/pipeline/test_feeds.py",
    ),
    Mutant(
        "feed-up-again-at-the-first-instant",
        FEEDS,
        "end > max(start, after)",
        "end > max(start, after + 1)",
        "1.8 a kind is down up to the t of the next tick that does not name it",
        ("feed",),
    ),
    Mutant(
        "feed-down-for-no-time",
        FEEDS,
        "end > max(start, after)",
        "end > after",
        "1.8 a kind is down from the t of such a tick up to the t of the next",
        ("feed",),
        tests="tests/unit/pipeline/test_feeds.py",
    ),
    Mutant(
        "feed-of-the-start-is-asked",
        RULEBOOK,
        "self.feed_kinds = root.children[1].kinds",
        "self.feed_kinds = root.kinds",
        "3 `after`: if a kind of B was down",
        ("feed",),
    ),
    Mutant(
        "feed-of-any-absence-is-asked",
        RULEBOOK,
        "        if isinstance(rule.when, model.After):\n"
        "            self.feed_kinds = root.children[1].kinds\n",
        '        for node in (root, *root.children):\n            if type(node).__name__ == "After":\n'
        "                self.feed_kinds |= node.children[1].kinds\n",
        "3 feeds are asked only of an `after` that is the `when` itself",
        ("any_of>after", "feed"),
    ),
)
