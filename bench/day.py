"""`bench day`: CPU per event from JSON bytes to decisions and encoded state; sizes of states."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from time import process_time

import orjson

from bench.course import EVERY, HOME_CC, STAGES, Collections, Course
from bench.feeds import Feed, simulate
from bench.report import ROOT, Scale, Section, middle, tell
from engine import codec
from engine.app import load_rules
from engine.codec import encode
from engine.language.model import RuleSet

EVENT_TARGET = 10.0
"""µs."""
STATE_TARGET = 900
"""Bytes, median."""
PARTS = ("core", "gates", "ids", "business ids", "heat", "fired", "history")


@dataclass(slots=True)
class Run:
    """One pass over the feed. Seconds are of CPU."""

    course: Course
    collected: float = 0.0
    """Garbage collection, part of the stages it interrupts."""
    parsed: float = 0.0
    """`orjson.loads` of the same lines, between the batches: no part of the course."""

    @property
    def cost(self) -> float:
        """µs per event."""
        return self.course.total / self.course.records * 1e6


def measure(scale: Scale) -> Section:
    """Run the day; measure cost, mix and states."""
    rules = load_rules(ROOT / "rules", HOME_CC)
    feed = simulate(scale.cache, rules, scale.subscribers, scale.hours)
    section = Section("day", "")
    runs: list[Run] = []
    for number in range(scale.runs):
        tell(f"day: run {number + 1} of {scale.runs}")
        if runs:
            runs[-1].course.fold.subscribers.clear()  # only its figures are needed
        runs.append(_run(rules, feed, sample=True))
    last = runs[-1].course
    days = f"{scale.hours:g} h of {scale.subscribers:,} subscribers"
    section.title = f"{days}: {last.records:,} records; {len(rules.rules)} rules"
    _costs(section, runs, None if scale.quick else EVENT_TARGET)
    mix, states = Section("mix", ""), Section("states", "")
    _mix(mix, last)
    blobs = [encode(sub) for sub in last.fold.subscribers.values()]
    _sizes(states, blobs, None if scale.quick else STATE_TARGET)
    last.fold.subscribers.clear()
    tell("day: the run with all refusals written")
    full = _run(rules, feed, sample=False)
    full.course.fold.subscribers.clear()
    section.add("total, all refusals", full.cost, "µs per event", "one run")
    section.figures += mix.figures + states.figures
    _two_days(section, scale, rules)
    section.remarks += [
        "From JSON bytes of intake shape to decision lines and encoded state, in batches of 5,000:"
        " Intake.read, TickMaker, Fold.apply, encode of every subscriber touched. Without files, log, store.",
        "Stages are those of the run nearest to the median. The engine starts at midnight, profiles loaded.",
        f"Refusals by `valid` and `who.*`: one in {EVERY} written, as with TOUCHPOINT_REFUSALS_EVERY={EVERY};"
        " all are counted. `total, all refusals`: every one written, as by default and in replay.",
    ]
    return section


def _run(rules: RuleSet, feed: Feed, *, sample: bool) -> Run:
    run = Run(Course(rules, feed.profiles, sample=sample))
    gc.collect()
    watch, loads = Collections(), orjson.loads
    for lines in feed.batches():
        with watch.watched():
            run.course.batch(lines)
        began = process_time()
        for line in lines:
            loads(line)
        run.parsed += process_time() - began
    run.collected = watch.seconds
    return run


def _costs(section: Section, runs: list[Run], target: float | None) -> None:
    total, note = middle([run.cost for run in runs])
    section.add("total", total, "µs per event", note, target)
    chosen = min(runs, key=lambda run: abs(run.cost - total))
    course = chosen.course
    for stage in STAGES:
        section.add(f"stage {stage}", course.seconds[stage] / course.records * 1e6, "µs per event")
    parsed = chosen.parsed / course.records * 1e6
    section.add("orjson.loads alone", parsed, "µs per event", "part of intake; measured between batches")
    section.add(
        "total / orjson.loads", chosen.cost / parsed, "times", "steadier than µs where others use the machine"
    )
    each = course.seconds["encode"] / course.encodes * 1e6
    section.add("encode, each", each, "µs per state", "each touched subscriber once per batch")
    section.add("encodes", course.encodes / course.records, "per event")
    share = chosen.collected / course.total * 100
    section.add("garbage collector", share, "% of total", "inside the stages; set as in the program")


def _mix(section: Section, course: Course) -> None:
    records, outcomes = course.records, course.fold.outcomes
    per = "per 1,000 events"
    section.add("ticks", outcomes["ticks"] / records * 1000, per)
    section.add("instants", course.instants / records * 1000, per, "on which a rule fires")
    section.add("decisions", course.decisions / records * 1000, per, "counted; ends of holds are second ones")
    section.add("decisions, written", course.lines / records * 1000, per, "after sampling")
    offers = sum(n for (_, fate), n in course.fold.counts.items() if fate == "offer")
    section.add("offers", offers / records * 1000, per)
    for fate in ("late", "duplicate", "applied late"):
        section.add(fate, outcomes[fate] / records * 100, "% of events")
    for kind, count in course.kinds.most_common():
        section.add(f"kind {kind}", count / records * 100, "% of events")


def _two_days(section: Section, scale: Scale, rules: RuleSet) -> None:
    tell("day: two days, for sizes of states")
    feed = simulate(scale.cache, rules, scale.two_days, 2 * scale.hours)
    course = Course(rules, feed.profiles, sample=True)
    for lines in feed.batches():
        course.batch(lines)
    sizes = sorted(len(encode(sub)) for sub in course.fold.subscribers.values())
    note = f"{2 * scale.hours:g} h of {scale.two_days:,} subscribers: the whole window"
    section.add("state, two days, median", median(sizes), "bytes", note)
    section.add("state, two days, p99", _quantile(sizes, 0.99), "bytes")


def _sizes(section: Section, blobs: Sequence[bytes], target: float | None) -> None:
    sizes = sorted(map(len, blobs))
    note = "at the end of the day"
    section.add("state, median", median(sizes), "bytes", note, target)
    section.add("state, mean", sum(sizes) / len(sizes), "bytes")
    section.add("state, p90", _quantile(sizes, 0.90), "bytes")
    section.add("state, p99", _quantile(sizes, 0.99), "bytes")
    section.add("state, max", sizes[-1], "bytes")
    parts = [parts_of(blob) for blob in blobs]
    for place, part in enumerate(PARTS):
        section.add(f"state part {part}, median", median(sizes[place] for sizes in parts), "bytes")


def parts_of(blob: bytes) -> tuple[int, ...]:
    """Return the sizes of a blob's parts, in the order of `PARTS`; the last of them is the rest.

    Private names: nobody else asks for this.
    """
    fixed = codec._FIXED.unpack_from(blob)
    lengths = codec._WIDE_LENGTHS if fixed[-3] & codec.WIDE else codec._LENGTHS
    sizes = lengths.unpack_from(blob, codec._FIXED.size)
    rest = codec._FIXED.size + lengths.size + fixed[-1] + codec._CHECK.size
    return (*sizes, len(blob) - sum(sizes) - rest)


def _quantile(ordered: Sequence[int], share: float) -> int:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
