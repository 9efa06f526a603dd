"""Faults in section 1: records and time; and in 6 and 7 (q), (s): copies, the closing tick."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

PIPELINE = "engine/pipeline.py"
COPIES = "engine/copies.py"
TICKS = "engine/ticks.py"
REPLAY = "engine/replay.py"
HAPPENS = "engine/patterns/happens.py"
COUNTING = "engine/patterns/counting.py"
BUILD = "engine/patterns/build.py"

MUTANTS = (
    Mutant(
        "control-moves-the-clock",
        PIPELINE,
        "            removed = control.apply(self.subscriber(event.key), event)\n",
        "            sub = self.subscriber(event.key)\n"
        "            sub.clock = max(sub.clock, event.t)\n"
        "            removed = control.apply(sub, event)\n",
        "1.3 control records other than ticks do not move the clock",
        ("held", "late"),
    ),
    Mutant(
        "clock-goes-back",
        PIPELINE,
        '            self.outcomes["applied late"] += 1\n',
        '            self.outcomes["applied late"] += 1\n            sub.clock = clock = time\n',
        "1.3 the clock is the greatest t of the records applied",
        ("late",),
    ),
    Mutant(
        "updates-are-whole",
        HAPPENS,
        'PARTIAL = ("start", "update")',
        'PARTIAL = ("start",)',
        "1.4 sessions with phase start or update are sightings and cancel, nothing else",
        ("count", "happens"),
    ),
    Mutant(
        "starts-are-whole",
        HAPPENS,
        'PARTIAL = ("start", "update")',
        'PARTIAL = ("update",)',
        "1.4 sessions with phase start or update are sightings and cancel, nothing else",
        ("count", "happens"),
    ),
    Mutant(
        "starts-do-not-cancel",
        BUILD,
        "bare = cancels if isinstance(pattern, model.Happens) else None",
        "bare = None",
        "1.4 starts and updates cancel a `no:` of their kind",
        ("after.no>happens",),
    ),
    Mutant(
        "starts-are-counted",
        COUNTING,
        "        self.whole = event.startswith(PHASED)\n        self.passes",
        "        self.whole = False\n        self.passes",
        "7(i) starts and updates cancel only where `no:` itself is a bare `happens`",
        ("count", "after.no>count"),
    ),
    Mutant(
        "late-at-the-hour",
        PIPELINE,
        "if time < clock and clock - time > limit:",
        "if time < clock and clock - time >= limit:",
        "1.5 signaling late by more than 1 h is dropped",
        ("late",),
    ),
    Mutant(
        "business-late-at-48-hours",
        PIPELINE,
        "BUSINESS_LIMIT = 48 * HOUR\n",
        "BUSINESS_LIMIT = 48 * HOUR - 1\n",
        "1.5 for business records both limits are 48 h",
        ("late",),
    ),
    Mutant(
        "signaling-late-by-48-hours",
        PIPELINE,
        "SIGNALING_LIMIT = HOUR\n",
        "SIGNALING_LIMIT = 2 * HOUR\n",
        "1.5 signaling late by more than 1 h is dropped",
        ("late",),
    ),
    Mutant(
        "patience-is-open",
        PIPELINE,
        "timely = clock - event.t <= patience",
        "timely = clock - event.t < patience",
        "1.5 late by at most `patience` it may also fire",
        ("late", "happens"),
    ),
    Mutant(
        "patience-of-business-records",
        PIPELINE,
        "self._match(sub, event, places, BUSINESS_LIMIT, flags, None)",
        "self._match(sub, event, places, self.book.policy.patience, flags, None)",
        "1.5 for business records both limits are 48 h",
        ("late",),
    ),
    Mutant(
        "late-is-stamped-at-its-own-time",
        PIPELINE,
        "[Candidate.fired(rule, i, clock) for rule, i in fired]",
        "[Candidate.fired(rule, i, i.time) for rule, i in fired]",
        "1.5 a late record's firing is judged and stamped at the clock",
        ("late",),
    ),
    Mutant(
        "copies-at-the-hour",
        COPIES,
        "_age(ids, at, clock) <= limit:",
        "_age(ids, at, clock) < limit:",
        "1.6 a record whose id was applied with t ≥ clock − 1 h is dropped",
        ("duplicate",),
    ),
    Mutant(
        "copies-by-the-clock-after",
        PIPELINE,
        "if (ids.find(name) >= 0 and is_copy(ids, name, clock, limit)) or (",
        "if (ids.find(name) >= 0 and is_copy(ids, name, max(time, clock), limit)) or (",
        "7(q) duplicates look at the clock before the copy",
        ("duplicate",),
        tests="tests/unit/pipeline/test_order.py",
    ),
    Mutant(
        "copies-share-one-table",
        PIPELINE,
        "sub.ids if limit == SIGNALING_LIMIT else sub.business_ids",
        "sub.ids",
        "1.6 a copy of a business record is known for 48 h",
        ("duplicate",),
        tests="tests/unit/pipeline/test_order.py",
    ),
    Mutant(
        "copies-are-counted-late",
        PIPELINE,
        'self.outcomes["duplicate"] += 1',
        'self.outcomes["late"] += 1',
        "1.6 a copy is dropped and counted",
        ("duplicate",),
    ),
    Mutant(
        "later-subscribers-miss-ticks",
        PIPELINE,
        "        # a tick is for every subscriber, also one whose first record comes later (1.8)\n"
        "        if sub.clock < self.feeds.watermark:",
        "        if sub.clock < self.feeds.watermark and sub.clock != NEVER:",
        "1.8 a tick is for every subscriber, also one whose first record comes later",
        ("late",),
    ),
    Mutant(
        "ticks-without-disorder",
        TICKS,
        "return self.enter(event.t - self.disorder)",
        "return self.enter(event.t)",
        "1.8 the watermark is the greatest t − the allowed disorder",
        ("late",),
    ),
    Mutant(
        "a-tick-for-every-record",
        TICKS,
        "second = watermark // SECOND",
        "second = watermark",
        "1.8 a tick follows the record with which the watermark enters a new whole second",
        ("late",),
    ),
    Mutant(
        "control-moves-the-watermark",
        TICKS,
        "        if kind in CONTROL:\n            if kind",
        '        if kind == "tick" or (kind in CONTROL and event.t < self.greatest):\n            if kind',
        "1.8 control records do not move the watermark",
        ("late", "suppressed"),
    ),
    Mutant(
        "own-ticks-move-the-watermark",
        TICKS,
        '                self.down = list(event.fields.get("down") or ())\n',
        '                self.down = list(event.fields.get("down") or ())\n'
        "                self.greatest = max(self.greatest, event.t)\n",
        "1.8 a file's own ticks do not move the watermark",
        ("feed",),
    ),
    Mutant(
        "derived-ticks-forget-down",
        REPLAY,
        "self.fold.tick(follows.t, self.ticks.down)",
        "self.fold.tick(follows.t)",
        "1.8 ticks that replay derives carry the last `down` on",
        ("feed",),
    ),
    Mutant(
        "closing-tick-at-the-newest",
        REPLAY,
        "end = self.fold.newest + 1",
        "end = self.fold.newest",
        "6 replay ends with a tick one µs after the newest record",
        ("after", "stays_in"),
    ),
    Mutant(
        "closing-tick-at-until",
        REPLAY,
        "end = self.until + 1",
        "end = self.until",
        "6 `--until T` ends with a tick at T + 1 µs",
        ("after", "stays_in"),
    ),
    Mutant(
        "closing-tick-ignores-control",
        PIPELINE,
        "        self.newest = max(self.newest, event.t)\n",
        "",
        "7(s) the closing tick's newest record is the greatest applied t",
        ("held", "after"),
    ),
    Mutant(
        "until-drops-its-own-time",
        REPLAY,
        "event.t > self.until",
        "event.t >= self.until",
        "6 `--until T` drops records with t > T",
    ),
)
