"""`bench day`: CPU per event from JSON bytes to decisions and encoded state; sizes of states."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from statistics import median
from struct import Struct
from time import process_time

import orjson

from bench.course import STAGES, Collections, Course
from bench.feeds import Feed, simulate
from bench.report import ROOT, Scale, Section, middle, tell
from engine.app import load_rules
from engine.codec import encode
from engine.language.model import RuleSet

EVENT_TARGET = 10.0
"""µs."""
STATE_TARGET = 900
"""Bytes, median."""
PARTS = ("core", "gates", "ids", "history")
_SIZES = Struct("<IIII")


def measure(scale: Scale) -> Section:
    """Run the day; print cost, mix and states."""
    rules = load_rules(ROOT / "rules")
    feed = simulate(scale.cache, rules, scale.subscribers, scale.hours)
    section = Section("day", "")
    runs: list[Course] = []
    collected = []
    for number in range(scale.runs):
        tell(f"day: run {number + 1} of {scale.runs}")
        if runs:
            runs[-1].fold.subscribers.clear()  # only its figures are needed
        course, seconds = _run(rules, feed, sample=True)
        runs.append(course)
        collected.append(seconds)
    last = runs[-1]
    blobs = [encode(sub) for sub in last.fold.subscribers.values()]
    last.fold.subscribers.clear()
    tell("day: the run with all refusals written")
    full, _ = _run(rules, feed, sample=False)
    full.fold.subscribers.clear()

    records = last.records
    days = f"{scale.hours:g} h of {scale.subscribers:,} subscribers"
    section.title = f"{days}: {records:,} records; {len(rules.rules)} rules"
    costs = [course.total / records * 1e6 for course in runs]
    total, note = middle(costs)
    section.add("total", total, "µs per event", note, None if scale.quick else EVENT_TARGET)
    chosen = min(runs, key=lambda course: abs(course.total / records * 1e6 - total))
    for stage in STAGES:
        section.add(f"stage {stage}", chosen.seconds[stage] / records * 1e6, "µs per event")
    share = collected[runs.index(chosen)] / chosen.total * 100
    each = chosen.seconds["encode"] / chosen.encodes * 1e6
    section.add("encode, each", each, "µs per state", "a commit of a batch writes each once")
    section.add("garbage collector", share, "% of it", "inside the stages; Python's defaults")
    section.add("orjson.loads alone", _orjson(feed), "µs per event", "part of intake")
    section.add("total, all refusals", full.total / records * 1e6, "µs per event", "one run")
    _mix(section, full, last)
    _sizes(section, "state", blobs, None if scale.quick else STATE_TARGET)
    _two_days(section, scale, rules)
    section.remarks += [
        "From JSON bytes of intake shape to decision lines and encoded state, in batches of 5,000:"
        " Intake.read, TickMaker, Fold.apply, encode of every subscriber touched. Without files, log, store.",
        "Stages are those of the run nearest to the median. The engine starts at midnight, profiles loaded.",
        "Of refusals by `valid` and `who.*` one in 256 is written, as live may (semantics 5), all are"
        " counted; `total, all refusals` writes every one, as replay and the embedded run do.",
    ]
    return section


def _run(rules: RuleSet, feed: Feed, *, sample: bool) -> tuple[Course, float]:
    course = Course(rules, feed.profiles, sample=sample)
    gc.collect()
    watch = Collections()
    for lines in feed.batches():
        with watch.watched():
            course.batch(lines)
    return course, watch.seconds


def _orjson(feed: Feed) -> float:
    seconds, records, loads = 0.0, 0, orjson.loads
    for lines in feed.batches():
        began = process_time()
        for line in lines:
            loads(line)
        seconds += process_time() - began
        records += len(lines)
        if records > 500_000:
            break
    return seconds / records * 1e6


def _mix(section: Section, full: Course, sampled: Course) -> None:
    records = full.records
    ticks = full.fold.outcomes["ticks"]
    section.add("encodes", sampled.encodes / records, "per event", "a subscriber once per batch")
    section.add("ticks", ticks / records * 1000, "per 1,000 events")
    section.add("instants", full.instants / records * 1000, "per 1,000 events", "on which a rule fires")
    section.add("decisions", full.lines / records * 1000, "per 1,000 events", "all written")
    section.add("decisions, sampled", sampled.lines / records * 1000, "per 1,000 events")
    offers = sum(n for (_, fate), n in full.fold.counts.items() if fate == "offer")
    section.add("offers", offers / records * 1000, "per 1,000 events")
    for fate in ("late", "duplicate", "applied late"):
        section.add(fate, full.fold.outcomes[fate] / records * 100, "% of events")
    for kind, count in full.kinds.most_common():
        section.add(f"kind {kind}", count / records * 100, "% of events")


def _two_days(section: Section, scale: Scale, rules: RuleSet) -> None:
    tell("day: two days, for sizes of states")
    course = Course(rules, (feed := _over_two_days(scale, rules)).profiles, sample=True)
    for lines in feed.batches():
        course.batch(lines)
    sizes = sorted(len(encode(sub)) for sub in course.fold.subscribers.values())
    note = f"{2 * scale.hours:g} h of {scale.two_days:,} subscribers: the whole window"
    section.add("state, two days, median", median(sizes), "bytes", note)
    section.add("state, two days, p99", _quantile(sizes, 0.99), "bytes")


def _over_two_days(scale: Scale, rules: RuleSet) -> Feed:
    return simulate(scale.cache, rules, scale.two_days, 2 * scale.hours)


def _sizes(section: Section, name: str, blobs: Sequence[bytes], target: float | None) -> None:
    sizes = sorted(map(len, blobs))
    note = "at the end of the day"
    section.add(f"{name}, median", median(sizes), "bytes", note, target)
    section.add(f"{name}, mean", sum(sizes) / len(sizes), "bytes")
    section.add(f"{name}, p90", _quantile(sizes, 0.90), "bytes")
    section.add(f"{name}, p99", _quantile(sizes, 0.99), "bytes")
    section.add(f"{name}, max", sizes[-1], "bytes")
    parts = [parts_of(blob) for blob in blobs]
    for place, part in enumerate(PARTS):
        section.add(f"{name} part {part}, median", median(sizes[place] for sizes in parts), "bytes")


def parts_of(blob: bytes) -> tuple[int, ...]:
    """Return the sizes of a blob's parts: the four u32 that end its fixed part (`engine.codec`).

    Where the fixed part ends is not asked of the codec: it is where four lengths fill the rest exactly.
    """
    for at in range(min(len(blob), 256) - _SIZES.size):
        sizes = _SIZES.unpack_from(blob, at)
        if at + _SIZES.size + sum(sizes) == len(blob):
            return sizes
    raise ValueError(f"expected a blob with the lengths of its parts, was {len(blob)} bytes")


def _quantile(ordered: Sequence[int], share: float) -> int:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
