"""What each pattern of a rule saw and what it waits for, read off the subscriber's state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from engine.event_kinds import PHASED
from engine.language import model
from engine.language.words import write_duration
from engine.patterns.base import Node
from engine.patterns.happens import PARTIAL
from engine.presence import is_known
from engine.snapshot import HOURS_48, NEVER
from engine.trace.asked import ask, lines_of
from engine.trace.gates import Bench, Check, Result, said
from engine.trace.misses import Miss, nearest_miss
from engine.trace.watch import Noted, Tally, WatchedFold
from engine.trace.words import say, say_pattern

HOT = "more than 2,000 in 48 hours: patterns over it fire nothing"


@dataclass(frozen=True, slots=True)
class PatternLine:
    """One pattern of a rule, with what it saw."""

    name: str
    """`when`, and for the patterns inside `when.step 1`, `when.after`, `when.no`, `when.part 2`."""
    expected: str
    """The pattern's own line."""
    instants: int
    late: int
    """Instants that were too late, or flagged `no_trigger`, to fire."""
    last: int | None
    """Own time of the latest instant, µs."""
    state: str
    """What it saw or waits for."""
    result: Result
    """`ok` if it had an instant; under `no:`: `no` if it ended the last wait."""
    lines: tuple[Check, ...]
    """`where` and `unless`, asked of the record of its kind that comes nearest to passing."""
    nearest: Miss | None = None
    """Of one that had no instant in 48 h: how near it came; never of what stands under `no:`."""

    def to_json(self) -> dict[str, Any]:
        """The line as plain data; times are µs UTC."""
        return {
            "name": self.name,
            "expected": self.expected,
            "instants": self.instants,
            "late": self.late,
            "last": self.last,
            "state": self.state,
            "result": self.result,
            "lines": [line.to_json() for line in self.lines],
            "nearest": self.nearest.to_json() if self.nearest is not None else None,
        }


@dataclass(frozen=True, slots=True)
class Seen:
    """A bench with what the engine's nodes were seen to do, and the records of 48 h."""

    bench: Bench
    fold: WatchedFold
    past: tuple[Noted, ...]

    @property
    def tallies(self) -> dict[int, Tally]:
        """By node: how often it had an instant."""
        return self.fold.tallies


def recent(records: Iterable[Noted], now: int) -> tuple[Noted, ...]:
    """List the records of (now - 48 h, now]."""
    return tuple(noted for noted in records if now - HOURS_48 < noted.event.t <= now)


def pattern_lines(
    seen: Seen, pattern: model.Pattern, node: Node, name: str = "when", cancels: bool = False
) -> Iterator[PatternLine]:
    """Yield the line of a pattern, then those inside it, in written order."""
    tally = seen.tallies[node.index]
    result: Result = "ok" if tally.count > tally.late else "no"
    lines: tuple[Check, ...] = ()
    if isinstance(pattern, model.Happens | model.Count | model.Total):
        lines = tuple(_asked(seen, pattern, name, cancels))
    state = _state(seen, pattern, node, cancels)
    near = None
    if ".no" not in name and (tally.last is None or tally.last <= seen.bench.now - HOURS_48):
        past = seen.past
        if isinstance(pattern, model.Happens | model.Count | model.Total):
            past = tuple(_events(seen, pattern.event, False))
        near = nearest_miss(seen.bench, seen.fold, pattern, node, past)
    yield PatternLine(
        name, say_pattern(pattern), tally.count, tally.late, tally.last, state, result, lines, near
    )
    for label, inner, child in _inside(pattern, node):
        for line in pattern_lines(seen, inner, child, f"{name}.{label}", label == "no"):
            yield _of_no(line, seen, pattern, node) if label == "no" and line.name == f"{name}.no" else line


def _inside(pattern: model.Pattern, node: Node) -> Iterator[tuple[str, model.Pattern, Node]]:
    match pattern:
        case model.Sequence():
            labels = [f"step {n}" for n in range(1, len(pattern.steps) + 1)]
            yield from zip(labels, pattern.steps, node.children, strict=True)
        case model.After():
            yield from zip(("after", "no"), (pattern.first, pattern.no), node.children, strict=True)
        case model.AnyOf() | model.AllOf():
            labels = [f"part {n}" for n in range(1, len(pattern.parts) + 1)]
            yield from zip(labels, pattern.parts, node.children, strict=True)
        case _:
            return


def _of_no(line: PatternLine, seen: Seen, after: model.Pattern, node: Node) -> PatternLine:
    """Say of a `no:` whether it ended the last wait."""
    assert isinstance(after, model.After)
    start = seen.tallies[node.children[0].index].last
    stopped = start is not None and line.last is not None and start <= line.last <= start + after.wait
    stopped = stopped and seen.tallies[node.index].last != (start or 0) + after.wait
    return PatternLine(
        line.name, line.expected, line.instants, line.late, line.last, line.state, "no" if stopped else "ok",
        line.lines,
    )  # fmt: skip


# -- states --------------------------------------------------------------------------------------------------


def _state(seen: Seen, pattern: model.Pattern, node: Node, cancels: bool) -> str:
    bench = seen.bench
    sub, now = bench.sub, bench.now
    if now < bench.warming.get(node.key, 0):
        return f"warming until {bench.time(bench.warming[node.key])}"
    match pattern:
        case model.Happens():
            return _records(seen, pattern.event, cancels)
        case model.Count():
            times = (node.recall(sub) or [[]])[0]
            count = sum(time > now - pattern.within for time in times)
            here = f"{count} of {pattern.at_least} in the last {write_duration(pattern.within)}"
            return f"{here}; {_records(seen, pattern.event, False)}"
        case model.Total():
            times, amounts = node.recall(sub) or [[], []]
            total = sum(a for time, a in zip(times, amounts, strict=True) if time > now - pattern.within)
            here = f"{say(total, pattern.type)} of {say(pattern.at_least, pattern.type)}"
            within = write_duration(pattern.within)
            return f"{here} in the last {within}; {_records(seen, pattern.event, False)}"
        case model.Enters() if pattern.confirm:
            return _dwell(bench, pattern, node)
        case model.Enters() | model.Leaves():
            return _presence(bench, pattern.members)
        case model.StaysIn():
            return _dwell(bench, pattern, node)
        case model.Sequence():
            return _sequence(bench, pattern, node)
        case model.After():
            due = sub.timers.get((node.key, ""))
            return f"waits until {bench.time(due)}" if due is not None else "nothing waits"
        case model.AllOf():
            return _all_of(bench, pattern, node)
        case model.AnyOf():
            return "any of its parts"


def _records(seen: Seen, kind: str, cancels: bool) -> str:
    bench = seen.bench
    if bench.sub.heat.is_hot(kind, bench.now):
        return f"{kind}: {HOT}"
    records = list(_events(seen, kind, cancels))
    if not records:
        return f"no {kind} in 48h"
    last = max(noted.event.t for noted in records)
    return f"{len(records)} {kind} in 48h, the last at {bench.time(last)}"


def _events(seen: Seen, kind: str, cancels: bool) -> Iterator[Noted]:
    """Yield the records of a kind; starts and updates only where they cancel (1.4)."""
    for noted in seen.past:
        if noted.event.kind == kind:
            partial = kind.startswith(PHASED) and noted.event.fields.get("phase") in PARTIAL
            if cancels or not partial:
                yield noted


def _presence(bench: Bench, members: tuple[str, ...]) -> str:
    sub = bench.sub
    if sub.seen_at == NEVER:
        return "never seen at a cell"
    where = _where(bench, members)
    if is_known(sub, bench.now):
        return f"now {where}"
    return f"whereabouts unknown, last seen {where} at {bench.time(sub.seen_at)}"


def _where(bench: Bench, members: tuple[str, ...]) -> str:
    inside = [place + _doubt(bench, place) for place in members if place in bench.sub.inside]
    return f"in {', '.join(inside)}" if inside else "outside"


def _doubt(bench: Bench, place: str) -> str:
    """Say that a visit goes on only since its place is left late (ADR 19)."""
    doubt = bench.sub.doubts.get(place)
    return f" (seen outside since {bench.time(doubt[0])}, not yet left)" if doubt is not None else ""


def _dwell(bench: Bench, pattern: model.StaysIn | model.Enters, node: Node) -> str:
    sub = bench.sub
    for place in pattern.members:
        if (node.key, place) in sub.overdue:
            how = f"in doubt{_doubt(bench, place)}" if place in sub.doubts else "unseen"
            return f"the time in {place} ran out {how}: waits for a sighting that goes on with the visit"
    dues = {p: due for p in pattern.members if (due := sub.timers.get((node.key, p))) is not None}
    if not dues:
        return _presence(bench, pattern.members)
    place = min(dues, key=lambda each: dues[each])
    since = bench.time(sub.visits[place][0])
    return f"in {place} since {since}{_doubt(bench, place)}, due at {bench.time(dues[place])}"


def _sequence(bench: Bench, pattern: model.Sequence, node: Node) -> str:
    """Follow the steps from the earliest instant on: how far do they reach in the window?"""
    state = bench.sub.nodes.get(node.key)
    reached, start = 0, None
    before: tuple[int, int] = (2 * (bench.now - pattern.within) + 1, 0)
    if state is not None:
        before = max(before, (state[0][0], state[0][1]))
        for items in state[1:]:
            found = next((item for item in items if (item[0], item[1]) > before), None)
            if found is None:
                break
            reached += 1
            before = (found[0], found[1])
            start = start if start is not None else found[0] >> 1
    said = f"{reached} of {len(pattern.steps)} steps"
    if start is None:
        return said
    return f"{said}, the rest must come before {bench.time(start + pattern.within)}"


def _all_of(bench: Bench, pattern: model.AllOf, node: Node) -> str:
    state = bench.sub.nodes.get(node.key)
    total = len(pattern.parts)
    if state is None:
        return f"0 of {total} parts"
    last, limit = (state[0][0], state[0][1]), bench.now - pattern.within
    there = [
        n
        for n, item in enumerate(state[1:], 1)
        if item is not None and item[0] >> 1 > limit and (item[0], item[1]) > last
    ]
    named = f" (part {', '.join(map(str, there))})" if there else ""
    return f"{len(there)} of {total} parts{named} in the last {write_duration(pattern.within)}"


# -- where and unless ----------------------------------------------------------------------------------------


def _asked(
    seen: Seen, pattern: model.Happens | model.Count | model.Total, name: str, cancels: bool
) -> Iterator[Check]:
    """Ask each line of the record of the pattern's kind that comes nearest to passing."""
    found = ask(seen.bench, pattern, list(_events(seen, pattern.event, cancels)))
    if found is not None:
        for one in found[1]:
            expected = one.test.text if one.block == "where" else f"none of: {one.test.text}"
            label = f"{name}.{one.block}.{one.test.field}"
            yield Check(label, expected, say(one.value, one.test.type), said(one.passes))
        return
    for block, test in lines_of(pattern):
        expected = test.text if block == "where" else f"none of: {test.text}"
        yield Check(f"{name}.{block}.{test.field}", expected, f"no {pattern.event}", "not judged")
