"""`bench loads`: subscribers from JSON lines, CSV, Parquet, PostgreSQL, and lists of people, into the log.

What is measured is the process of `touchpoint load`, from the first row to the last step: reading, cells,
records, keys, the bytes of the log. The log is in memory; PostgreSQL is another process of the same machine.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import process_time

import orjson
import psycopg
from pyarrow import csv, parquet

from bench.course import HOME_CC, KEY
from bench.report import ROOT, Scale, Section, middle, tell
from connectors.loads.delimited import Delimited
from connectors.loads.load_map import FileMap
from connectors.loads.mapped import MapReader
from connectors.loads.parquet import Parquet
from connectors.loads.postgres import Address, Table
from connectors.loads.rows import LineRows
from connectors.memory_inlet import Checkpoints, MemoryInlet
from connectors.memory_log import MemoryLog
from connectors.memory_optouts import MemoryOptOuts
from engine.cli.load import COMPLAINTS
from engine.errors import StateError
from engine.identity import Identity
from engine.intake import Intake
from engine.language.loader import load_names
from engine.loading import Loader, Rows
from engine.unbound import Unbound
from tests.servers.postgres import PASSWORD, PostgresServer, find_postgres
from tests.servers.process import NoServerError

PARTITIONS = 12
AT_MOST = 50_000
MAP = """
map: bench
load: profiles
SOURCE
imsi: {column: imsi, required: yes}
msisdn: msisdn
consent: {marketing: ok, profiling: ok, location: ok}
fields:
  brand: brand
  tier: {column: vip, values: {"0": ordinary, "1": gold, "2": vip}, otherwise: unknown}
  arpu: {column: fen, unit: fen}
  age: age
  tags: {column: labels, separator: ";"}
  data.month: {column: mb, unit: MB}
  data.left: {column: rest, unit: share}
  handset.network: net
  handset.mms: mms
  network.months: months
"""
HEAD = "imsi|msisdn|ok|brand|vip|fen|age|labels|mb|rest|net|mms|months"
_BRANDS = "GoTone", "EasyOwn", "M-Zone"
_TIERS = "ordinary", "gold", "vip"
_NETWORKS = "3G", "4G", "5G"
_NOW = 1_788_740_000_000_000
"""When all is loaded, µs."""

Make = Callable[[Intake], Rows]


@dataclass(slots=True)
class _Way:
    """One thing that is loaded, and what that cost each time, µs of CPU and of the clock for a row."""

    kind: str
    rows: Make
    file_map: FileMap | None = None
    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    @property
    def binds(self) -> bool:
        """Whether numbers are looked up, as `touchpoint load` decides it."""
        imsi = None if self.file_map is None else self.file_map.model.imsi
        return self.kind != "profiles" or imsi is None or not imsi.required


def measure(scale: Scale) -> Section:
    """Load the same subscribers from everything that a load reads, in turn."""
    tell("loads: subscribers from JSON lines, CSV, Parquet, PostgreSQL")
    rows = min(scale.rows, AT_MOST)
    section = Section(
        "loads", f"`touchpoint load` into a log in memory, {rows:,} rows, {PARTITIONS} partitions"
    )
    with tempfile.TemporaryDirectory(prefix="touchpoint-bench-") as name:
        folder = Path(name)
        ways = _of_files(folder, rows)
        try:
            with _postgres(folder / "crm.csv") as (url, version):
                file_map = _map(folder, "postgres", "postgres: {table: crm, key: imsi}")
                address = Address(url)
                ways["PostgreSQL"] = _Way(
                    "profiles", lambda _: Table(address, file_map, KEY, source="crm"), file_map
                )
                _load(section, scale, rows, ways)
            section.remarks.append(
                f"PostgreSQL {version}: another process, whose CPU is not in these figures."
            )
        except NoServerError as error:
            section.remarks.append(f"PostgreSQL: not run, {error}")
            _load(section, scale, rows, ways)
    section.remarks.append(
        "13 columns, 10 fields of the catalogue, three consents, IMSI and number in each row."
    )
    return section


def _load(section: Section, scale: Scale, rows: int, ways: dict[str, _Way]) -> None:
    """Load all ways in turn, some times; add what a row costs, and that in a row of JSON lines."""
    for _ in range(scale.runs):
        for way in ways.values():
            cpu, wall = asyncio.run(_run(way, rows))
            way.cpu.append(cpu)
            way.wall.append(wall)
    for name, way in ways.items():
        cpu, note = middle(way.cpu)
        wall, _ = middle(way.wall)
        said = f"{1e6 / cpu:,.0f} rows/s of a core; {1e6 / wall:,.0f} by the clock; {note}"
        section.add(name, cpu, "µs CPU per row", said)
    first = next(iter(ways))
    for name, way in ways.items():
        if name != first and way.kind == "profiles":
            each, note = middle([one / other for one, other in zip(way.cpu, ways[first].cpu, strict=True)])
            section.add(f"{name} / {first}", each, "times", f"CPU; {note}")


async def _run(way: _Way, rows: int) -> tuple[float, float]:
    """Return µs of CPU and of the clock for a row of one load."""
    identity = (Identity if way.binds else Unbound)(KEY, HOME_CC)
    reader = way.kind if way.file_map is None else partial(MapReader, way.file_map)
    inlet = MemoryInlet(MemoryLog(PARTITIONS), "bench", Checkpoints())
    loader = Loader(reader, "bench", identity, lambda: _NOW, inlet, MemoryOptOuts())
    cpu, wall = process_time(), time.perf_counter()
    await loader.run(way.rows(loader.intake), lambda _: None)
    cpu, wall = process_time() - cpu, time.perf_counter() - wall
    if loader.counts["refused"] or loader.counts["records"] < rows:
        raise StateError(f"bench loads: expected {rows} records of {way.kind}, was {dict(loader.counts)}")
    return cpu / rows * 1e6, wall / rows * 1e6


# -- what is loaded ----------------------------------------------------------------------------------------


def _of_files(folder: Path, rows: int) -> dict[str, _Way]:
    """Write the files; return the ways that read them."""
    table, lines = folder / "crm.csv", folder / "crm.jsonl"
    _write(table, [HEAD, *(_row(n) for n in range(rows))])
    _write(lines, (orjson.dumps(_profile(n)).decode() for n in range(rows)))
    read = csv.read_csv(table, parse_options=csv.ParseOptions(delimiter="|"), convert_options=_as_text())
    parquet.write_table(read, folder / "crm.parquet", row_group_size=10_000)
    numbers, complaints = folder / "numbers.txt", folder / "complaints.csv"
    _write(numbers, (_number(n) for n in range(rows)))
    _write(complaints, ["msisdn,time,about", *(f"{_number(n)},{_T},too many" for n in range(rows))])
    by_csv = _map(folder, "csv", 'csv: {separator: "|"}')
    by_name = _map(folder, "parquet", "")
    tickets = FileMap(COMPLAINTS, "complaints", {})
    return {
        "JSON lines": _Way("profiles", lambda intake: LineRows(lines, intake, source="crm")),
        "CSV": _Way("profiles", lambda intake: Delimited(table, by_csv, intake, source="crm"), by_csv),
        "Parquet": _Way(
            "profiles", lambda _: Parquet(folder / "crm.parquet", by_name, source="crm"), by_name
        ),
        "opt-outs, a number per line": _Way(
            "optouts", lambda intake: LineRows(numbers, intake, source="numbers")
        ),
        "complaints, CSV": _Way(
            "complaints", lambda intake: Delimited(complaints, tickets, intake, source="tickets"), tickets
        ),
    }


def _as_text() -> csv.ConvertOptions:
    """Keep digits that name somebody as text."""
    return csv.ConvertOptions(column_types=dict.fromkeys(("imsi", "msisdn", "vip"), "string"))


_T = "2026-09-06T07:30:00+08:00"
"""Less than 48 hours before `_NOW`."""


def _number(n: int) -> str:
    return f"139{n:08}"


def _row(n: int) -> str:
    return (
        f"46000{n:010}|{_number(n)}|{'YN'[n % 2]}|{_BRANDS[n % 3]}|{n % 3}|{n % 30_000}|{18 + n % 70}"
        f"|student;gamer|{n % 9_000}|{n % 100 / 100}|{_NETWORKS[n % 3]}|{n % 2}|{n % 200}"
    )


def _profile(n: int) -> dict[str, object]:
    """Return what `_row` says as a line of profiles."""
    agrees = n % 2 == 0
    return {
        "subscriber": f"46000{n:010}",
        "msisdn": f"+86{_number(n)}",
        "brand": _BRANDS[n % 3],
        "tier": _TIERS[n % 3],
        "arpu": n % 30_000 / 100,
        "age": 18 + n % 70,
        "tags": ["student", "gamer"],
        "data.month": f"{n % 9_000} MB",
        "data.left": n % 100,
        "handset.network": _NETWORKS[n % 3],
        "handset.mms": n % 2 == 1,
        "network.months": n % 200,
        "consent": {"marketing": agrees, "profiling": agrees, "location": agrees},
    }


def _map(folder: Path, name: str, source: str) -> FileMap:
    path = folder / f"{name}.yaml"
    path.write_text(MAP.replace("SOURCE", source), encoding="utf-8")
    return FileMap(path, "profiles", load_names(ROOT / "rules").names.catalog.fields)


def _write(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


@contextmanager
def _postgres(table: Path) -> Iterator[tuple[str, str]]:
    """Yield address and version of a server with the table `crm`; raise NoServerError if there is none."""
    found = find_postgres()
    # not below this benchmark's folder: the server may be of another user
    server = PostgresServer(Path(tempfile.mkdtemp(prefix="touchpoint-bench-")), found)
    before = os.environ.get("PGPASSWORD")
    os.environ["PGPASSWORD"] = PASSWORD
    try:
        server.start()
        texts = ", ".join(f"{name} text" for name in ("msisdn", "ok", "brand", "vip", "labels", "net"))
        numbers = ", ".join(f"{name} numeric" for name in ("fen", "age", "mb", "rest", "mms", "months"))
        server.run(f"CREATE TABLE crm (imsi text PRIMARY KEY, {texts}, {numbers})")
        columns = HEAD.replace("|", ", ")
        with psycopg.connect(server.url) as connection, connection.cursor() as cursor:
            statement = f"COPY crm ({columns}) FROM STDIN (FORMAT csv, HEADER, DELIMITER '|')"
            with cursor.copy(statement.encode()) as copy:
                copy.write(table.read_bytes())
        yield server.url, found.version.removeprefix("PostgreSQL ")
    finally:
        if before is None:
            del os.environ["PGPASSWORD"]
        else:
            os.environ["PGPASSWORD"] = before
        server.kill()
