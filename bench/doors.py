"""`bench doors`: files into events, rows into log records: xDR by column maps, canonical JSON lines."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterable
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from bench import pieces
from bench.course import HOME_CC, KEY
from bench.hour import simulated_hour
from bench.report import ROOT, Scale, Section, middle, tell
from bench.xdr_rows import gn_rows, s1_mme_rows
from connectors.jsonl import read_events
from connectors.xdr_files import Rows, load_map, rows
from engine.collect import spread
from engine.errors import StateError
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake

Door = Callable[[Intake], Iterable[Event]]

MAP = "gn-unicom-2015"
ROW_AT_MOST = 10.0
"""µs from a raw S1-MME row to the bytes of its record in the log: 100,000 rows per second on a core."""
PARTITIONS = 64
REAL = "data/xdr_gn_unicom_2015"


def measure(scale: Scale) -> Section:
    """Read the simulated hour and xDR rows through their doors."""
    tell("doors: JSON lines and xDR rows")
    _, feed = simulated_hour(scale)
    section = Section("doors", "files to events, CPU")
    with TemporaryDirectory(prefix="touchpoint-bench-") as scratch:
        plain = Path(scratch) / "events.jsonl"
        with gzip.open(feed.path) as packed, plain.open("wb") as file:
            file.writelines(islice(packed, scale.rows))
        made = Path(scratch) / "made.csv"
        with made.open("w", encoding="utf-8") as text:
            text.writelines(gn_rows(min(scale.rows, 50_000)))
        columns = load_map(MAP)
        _add(section, scale, "JSON lines", lambda intake: read_events(plain, intake))
        _add(section, scale, "JSON lines, gzip", lambda intake: read_events(feed.path, intake), scale.rows)
        _add(section, scale, "xDR rows, made", lambda intake: rows(made, columns, intake))
        real = _real()
        if real:
            _add(
                section,
                scale,
                "xDR rows, real",
                lambda intake: chain.from_iterable(rows(path, columns, intake) for path in real),
                scale.rows,
            )
        else:
            section.remarks.append(f"xDR rows, real: not run, no {REAL} below $TOUCHPOINT_TESTDATA")
    _add_rows(section, scale)
    section.remarks.append(
        f"xDR by connectors/maps/{MAP}.yaml: times, keyed ids, hosts of URLs, cells from parts."
    )
    return section


def _add_rows(section: Section, scale: Scale) -> None:
    """Take rows as the landing door does, down to the bytes that go into the log."""
    piece = pieces.loads_micros(min(scale.calls, 20_000))
    for name, made in (("s1-mme", s1_mme_rows), (MAP, gn_rows)):
        lines = [line.rstrip("\n").encode() for line in made(min(scale.rows, 50_000))]
        columns = load_map(name)
        micros, written = [], 0
        for _ in range(scale.runs):
            taker = Rows(columns, Intake(Identity(KEY, HOME_CC)))
            began = process_time()
            for number, line in enumerate(lines, 1):
                event = taker.take(number, line, f"made:{number}")
                if event is not None:
                    written += len(spread(event, PARTITIONS))
            micros.append((process_time() - began) / len(lines) * 1e6)
        if written != len(lines) * scale.runs:
            raise StateError(f"bench doors: expected {len(lines)} records of {name}, was {written}")
        each, note = middle(micros)
        section.add(
            f"{name} row to log bytes",
            each,
            "µs per row",
            f"{1e6 / each:,.0f} rows per second; {each / piece:.1f} orjson.loads of a record; {note}",
            target=ROW_AT_MOST if name == "s1-mme" and not scale.quick else None,
        )


def _real() -> list[Path]:
    named = os.environ.get("TOUCHPOINT_TESTDATA")
    folder = (Path(named) if named else ROOT.parent / "shared") / REAL
    return sorted(folder.glob("*.csv.gz"))


def _add(section: Section, scale: Scale, name: str, door: Door, limit: int | None = None) -> None:
    rates, seen, refused = [], 0, 0
    for _ in range(scale.runs):
        intake = Intake(Identity(KEY, HOME_CC))
        began = process_time()
        events = sum(1 for _ in islice(door(intake), limit))
        seconds = process_time() - began
        refused = sum(intake.refused.values())
        seen = events + refused
        rates.append(seen / seconds)
    rate, note = middle(rates)
    section.add(
        name, rate, "rows per second", f"{1e6 / rate:.1f} µs each; {seen:,} rows, {refused:,} refused; {note}"
    )
