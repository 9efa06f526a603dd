"""`bench pieces`: the blocks such an engine is built of, timed on the machine and in the run of the others.

A time alone says little on a machine that nobody else has; a ratio to these says more. The definitions are
ours: a record of ten fields and 180 bytes, 48-hour state of 2,000 subscribers, conditions like those
of a rule.
"""

from __future__ import annotations

import gc
import json
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from statistics import median
from time import process_time
from typing import Any

import orjson
from pydantic import BaseModel, Field

from bench.report import Scale, Section, plain

HOUR = 3_600_000_000
WINDOW = 48 * HOUR
REPEATS = 5
SUBSCRIBERS = 2_000
RULES = 1_000
START = 1_788_710_400_000_000

Record = dict[str, Any]
Closure = Callable[[Record], bool]


class Model(BaseModel):
    """The record as pydantic reads it."""

    id: str
    source: str
    kind: str
    t: int
    imsi: str = Field(min_length=15, max_length=15)
    cell: str
    rat: str
    up: int
    down: int
    duration: int


class Seen:
    """48-hour state of one subscriber as a slots object."""

    __slots__ = ("cell", "hours", "kinds", "last")

    def __init__(self) -> None:
        self.cell = ""
        self.last = 0
        self.kinds: dict[str, int] = {}
        self.hours: deque[list[int]] = deque()


def record(number: int) -> bytes:
    """Return the n-th record: one per second over all subscribers, in turn."""
    return (
        b'{"id":"%016x","source":"city/gn","kind":"data.session","t":%d,"imsi":"460000%09d","cell":"460-00-%d-%d",'
        b'"rat":"LTE","up":%d,"down":%d,"duration":%d}'
    ) % (
        number,
        START + number * 1_000_000,
        number % SUBSCRIBERS,
        6000 + number % 97,
        number % 1999,
        number % 50_000,
        number % 900_000,
        number % 300,
    )


def measure(scale: Scale) -> Section:
    """Time every block."""
    lines = [record(number) for number in range(min(scale.calls, 20_000))]
    records: list[Record] = [orjson.loads(line) for line in lines]
    section = Section("pieces", f"building blocks; a record of 10 fields and {len(lines[0])} bytes")

    def add(name: str, work: Callable[[], object], count: int, unit: str, known: str) -> float:
        each = _per_call(work, count)
        section.add(name, each, unit, f"facts/performance.md: {known} µs")
        return each

    add("json.loads", partial(_each, json.loads, lines), len(lines), "µs per record", "3.0")
    add("orjson.loads", partial(_each, orjson.loads, lines), len(lines), "µs per record", "0.61")
    validate = Model.model_validate_json
    add("pydantic validate_json", partial(_each, validate, lines), len(lines), "µs per record", "1.74")
    add("dict-of-dicts state", partial(_dicts, records), len(records), "µs per record", "2.9")
    add("slots objects state", partial(_objects, records), len(records), "µs per record", "2.4")
    one = closure([partial_of(test) for test in _TESTS])
    add("5-condition closure", partial(_each, one, records), len(records), "µs per record", "0.4")
    few = records[:500]
    closures = [(f"460-00-{6000 + n % 97}-{n}", one) for n in range(RULES)]
    add("1,000 rules as closures", partial(_all, closures, few), len(few), "µs per record", "52")
    index = dict(closures[: RULES // 125])
    add(
        "1,000 rules behind an index",
        partial(_indexed, index, records),
        len(records),
        "µs per record",
        "0.15",
    )
    section.remarks.append(
        f"Median of {REPEATS} loops, loop included. The numbers of facts/performance.md are of another"
        " machine and of definitions a little different: compare ratios."
    )
    return section


def ratios(day: Section, pieces: Section) -> Section:
    """Put the day's event beside the pieces measured in the same run."""
    total = day.value("total")
    section = Section("ratios", "one event of the day, in pieces")
    for figure in pieces.figures:
        section.add(figure.name, total / figure.value, "times", f"{plain(total)} / {plain(figure.value)} µs")
    return section


def loads_micros(count: int) -> float:
    """Return µs of `orjson.loads` per record, for benchmarks that compare what they measure with it."""
    lines = [record(number) for number in range(count)]
    return _per_call(partial(_each, orjson.loads, lines), count)


def _per_call(work: Callable[[], object], count: int) -> float:
    work()
    times = []
    for _ in range(REPEATS):
        gc.collect()
        began = process_time()
        work()
        times.append((process_time() - began) / count * 1e6)
    return median(times)


def _each(function: Callable[[Any], object], values: Iterable[Any]) -> None:
    for value in values:
        function(value)


def _dicts(records: list[Record]) -> None:
    """Keep last cell, last time, count by kind and bytes by hour of 48 hours, in dicts of dicts."""
    state: dict[str, dict[str, Any]] = {}
    for event in records:
        sub = state.get(event["imsi"])
        if sub is None:
            sub = state[event["imsi"]] = {"cell": "", "last": 0, "kinds": {}, "hours": {}}
        time, kind = event["t"], event["kind"]
        sub["cell"] = event["cell"]
        if time > sub["last"]:
            sub["last"] = time
        kinds = sub["kinds"]
        kinds[kind] = kinds.get(kind, 0) + 1
        hours = sub["hours"]
        hour = time // HOUR
        held = hours.get(hour)
        if held is None:
            for old in [past for past in hours if past <= hour - 48]:
                del hours[old]
            held = hours[hour] = {"records": 0, "bytes": 0}
        held["records"] += 1
        held["bytes"] += event["up"] + event["down"]


def _objects(records: list[Record]) -> None:
    """Do the same in objects with slots."""
    state: dict[str, Seen] = {}
    for event in records:
        sub = state.get(event["imsi"])
        if sub is None:
            sub = state[event["imsi"]] = Seen()
        time, kind = event["t"], event["kind"]
        sub.cell = event["cell"]
        if time > sub.last:
            sub.last = time
        sub.kinds[kind] = sub.kinds.get(kind, 0) + 1
        hours = sub.hours
        hour = time // HOUR
        if not hours or hours[-1][0] != hour:
            while hours and hours[0][0] <= hour - 48:
                hours.popleft()
            hours.append([hour, 0, 0])
        held = hours[-1]
        held[1] += 1
        held[2] += event["up"] + event["down"]


_TESTS: tuple[tuple[str, str, Any], ...] = (
    ("kind", "is", "data.session"),
    ("rat", "in", frozenset(("LTE", "NR"))),
    ("up", "at most", 1_000_000),
    ("down", "at least", 0),
    ("duration", "at most", 900),
)
"""Conditions that all hold: nothing is saved by an early end."""


def partial_of(test: tuple[str, str, Any]) -> Closure:
    """Return a condition as a closure."""
    name, how, value = test
    if how == "is":
        return lambda event: bool(event[name] == value)
    if how == "in":
        return lambda event: event[name] in value
    if how == "at most":
        return lambda event: bool(event[name] <= value)
    return lambda event: bool(event[name] >= value)


def closure(tests: list[Closure]) -> Closure:
    """Return five conditions as one closure."""
    first, second, third, fourth, fifth = tests

    def holds(event: Record) -> bool:
        return first(event) and second(event) and third(event) and fourth(event) and fifth(event)

    return holds


def _all(rules: list[tuple[str, Closure]], records: list[Record]) -> None:
    for event in records:
        for cell, rule in rules:
            if event["cell"] == cell:
                rule(event)


def _indexed(rules: dict[str, Closure], records: list[Record]) -> None:
    for event in records:
        rule = rules.get(event["cell"])
        if rule is not None:
            rule(event)
