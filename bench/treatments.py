"""`bench treatments`: what each treatment of the collector costs per event, and all of them together."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, islice
from time import process_time
from typing import Any

import orjson

from bench.course import HOME_CC, KEY
from bench.hour import simulated_hour
from bench.report import MORE, Scale, Section, middle, tell
from engine.cells import Cell, CellTable
from engine.identity import Identity
from engine.intake import Intake
from engine.treatments.correlation import Correlation
from engine.treatments.course import Course
from engine.treatments.identity import Edge
from engine.treatments.memory import Memories
from engine.treatments.registry import CELLS, TREATMENTS, Around, Asked, chain_of, edge_of
from engine.treatments.who_options import IdentityOptions

DISORDER = 60_000_000
"""µs: most of the simulated feed comes in that order."""
EVENTS_AT_MOST = 100_000
GIVEN: dict[str, dict[str, Any]] = {
    "identity": {"correlate": True, "home": {"46000"}},
    "roaming": {"home": {"46000"}},
}
"""Settings of treatments, where the usual ones do nothing."""
STEP = 2_000
"""Events that a collector takes at a time (`engine.collector.Pace`)."""


def measure(scale: Scale) -> Section:
    """Lead the simulated hour through each step, and through all."""
    tell("treatments: steps of the collector")
    _, feed = simulated_hour(scale)
    lines = list(islice(chain.from_iterable(feed.batches()), min(scale.rows, EVENTS_AT_MOST)))
    identity = Identity(KEY, HOME_CC)
    cells = sorted({cell for line in lines if (cell := orjson.loads(line).get("cell"))})
    around = Around(identity, DISORDER, {CELLS: table(cells)})
    fit = [name for name, treatment in TREATMENTS.items() if set(treatment.tables) <= {CELLS}]
    section = Section("treatments", f"events through steps, CPU; {len(lines):,} events, {len(cells):,} cells")
    # twice: what is first is measured on a cold machine
    _nanoseconds(scale, lines, around, ())
    alone, _ = _nanoseconds(scale, lines, around, ())
    section.add("no step", alone, "ns per event", "the way to the steps; not in those below")
    for name in fit:
        each, note = _nanoseconds(scale, lines, around, (name,))
        section.add(name, each - alone, f"ns {MORE} per event", note)
    each, note = _nanoseconds(scale, lines, around, fit)
    section.add("all", each, "ns per event", note)
    for name, options in HOOKS.items():
        each = _hook(scale, lines, options) - _hook(scale, lines, None)
        section.add(f"hook: {name}", each, f"ns {MORE} per record", "at intake")
    section.remarks.append(
        f"Default settings, disorder {DISORDER // 1_000_000} s, {scale.runs} runs, the median. A step that"
        " drops events spares those behind it."
    )
    return section


def _nanoseconds(scale: Scale, lines: list[bytes], around: Around, names: Iterable[str]) -> tuple[float, str]:
    asked = [Asked(TREATMENTS[name], TREATMENTS[name].options(**GIVEN.get(name, {}))) for name in names]
    around = replace(around, memories=Memories(), shared={})
    times, counts = [], ""
    for _ in range(scale.runs):
        steps = chain_of(asked, around)
        course = Course(steps, DISORDER)
        intake = Intake(around.identity, edge=edge_of(steps))
        count, seconds, out = 0, 0.0, 0
        gc.collect()
        for batch in batched(lines, STEP):
            # read in between, as a collector does: steps change events, and meet them while caches are warm
            events = [event for line in batch for event in intake.read(line, "city", "")]
            began = process_time()
            for event in events:
                out += len(course.take(event))
            seconds += process_time() - began
            count += len(events)
        out += len(course.let_go())
        times.append(seconds / count * 1e9)
        counts = ", ".join(f"{deed} {n:,}" for deed, n in sorted(course.chain.counts.items()) if n)
    each, spread = middle(times)
    return each, f"{out:,} out; {counts or 'nothing done'}; {spread}"


HOOKS = {
    "nothing": IdentityOptions(),
    "correlate": IdentityOptions(correlate=True),
    "correlate, home, normalise, strict_imei": IdentityOptions(
        correlate=True, home=frozenset({"46000"}), normalise=True, strict_imei=True
    ),
}


def _hook(scale: Scale, lines: list[bytes], options: IdentityOptions | None) -> float:
    """Return what the intake costs with the hook; None: without."""
    times = []
    for _ in range(scale.runs):
        identity = Identity(KEY, HOME_CC)
        edge = None
        if options is not None:
            edge = Edge(identity, options, correlation=Correlation(identity, Memories()))
        intake = Intake(identity, edge=edge)
        gc.collect()
        began = process_time()
        for line in lines:
            intake.read(line, "city", "")
        times.append((process_time() - began) / len(lines) * 1e9)
    return middle(times)[0]


def batched(lines: list[bytes], size: int) -> Iterable[list[bytes]]:
    """Yield the lines in steps of the collector."""
    return (lines[start : start + size] for start in range(0, len(lines), size))


def table(cells: list[str]) -> CellTable:
    """Place cells on a grid of 500 m, those of neighbouring names side by side."""
    return CellTable(
        Cell(name, 39.7 + number // 60 * 0.0045, 116.2 + number % 60 * 0.0059, 500.0)
        for number, name in enumerate(cells)
    )
