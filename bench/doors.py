"""`bench doors`: files into events: delimited xDR by a column map, canonical JSON lines."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from bench.course import HOME_CC, KEY
from bench.hour import simulated_hour
from bench.report import ROOT, Scale, Section, middle, tell
from connectors.jsonl import read_events
from connectors.xdr_files import load_map, rows
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake

Door = Callable[[Intake], Iterable[Event]]

MAP = "gn-unicom-2015"
REAL = "data/xdr_gn_unicom_2015"
_ROW = (
    "{who:05X},{lac},{ci},3GNET,354383,220.206.165.184,220.206.184.200,2015-08-09 "
    "{h:02}:{m:02}:{s:02}.253665,2015-08-09 {h:02}:{m:02}:{s:02}.693528,0,{up},{down},{rat},"
    "172.25.{a}.{b},{port},163.177.89.181,80,200,"
    "http://a{a}.example.com:8080/x/y?z,Agent/1.0 (Linux; U),text/html\n"
)


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
            text.writelines(made_rows(min(scale.rows, 50_000)))
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
    section.remarks.append(
        f"xDR by connectors/maps/{MAP}.yaml: times, keyed ids, hosts of URLs, cells from parts."
    )
    return section


def made_rows(count: int) -> Iterator[str]:
    """Yield rows as the real files have them: 21 columns, two times, a URL."""
    for n in range(count):
        yield _ROW.format(
            who=n % 9973,
            lac=40_000 + n % 97,
            ci=n % 60_000,
            h=n // 3600 % 24,
            m=n // 60 % 60,
            s=n % 60,
            up=n % 5_000,
            down=n % 80_000,
            rat=1 + n % 2,
            a=n % 250,
            b=n // 250 % 250,
            port=1024 + n % 50_000,
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
