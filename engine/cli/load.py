"""`touchpoint load`: profiles, consents, opt-outs and complaints into the log of a deployment."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from connectors.kafka_bindings import KafkaBindings
from connectors.kafka_inlet import KafkaInlet
from connectors.loads.delimited import Delimited
from connectors.loads.load_map import FileMap
from connectors.loads.mapped import MapReader
from connectors.loads.parquet import MAGIC, Parquet
from connectors.loads.postgres import SCHEMES, Address, Table
from connectors.loads.rows import LineRows, mark_of
from connectors.redis_optouts import RedisOptOuts
from connectors.redis_secrets import wrong_secrets
from engine.cli.console import Advance, note, progress, say
from engine.cli.inputs import lines_in
from engine.cli.load_doubles import Doubles
from engine.cli.load_view import show_counts, show_report
from engine.deployment.clients import kafka_options, redis_client
from engine.deployment.common import key_of, now_us
from engine.errors import InputError, SettingsError
from engine.identity import Identity
from engine.intake import Intake
from engine.language.loader import load_names
from engine.language.model import FieldSpec
from engine.load_report import LoadReport
from engine.loading import Loaded, Loader, Rows
from engine.refusals import Refusal, shown_name
from engine.settings import Settings, load_settings, require
from engine.unbound import Unbound

Kind = Literal["profiles", "consents", "optouts", "complaints"]
COMPLAINTS: Final = Path(__file__).resolve().parents[2] / "connectors/loads/complaints.yaml"
_SHOWN = 20
"""Refused lines shown of a load; all of them are dead letters. A dry run shows them by reason."""
_SILENCING = ("consents", "optouts")
"""Kinds that touch the set of numbers the dispatcher asks."""


def command(
    kind: Annotated[
        Kind, typer.Argument(metavar="profiles|consents|optouts|complaints", help="What is loaded.")
    ],
    what: Annotated[
        str, typer.Argument(metavar="FILE|URL", help="A file, plain or gzip; or postgresql://USER@HOST/DB.")
    ],
    map_file: Annotated[
        Path | None,
        typer.Option(
            "--map", metavar="FILE.yaml", help="Which column is what: for CSV, Parquet, PostgreSQL."
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read all, write nothing, say what would be loaded and refused.")
    ] = False,
    compare: Annotated[
        bool,
        typer.Option("--compare", help="With --dry-run: say how many numbers move from who has them now."),
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="Begin at the first row, also where a load was cut off or ended.")
    ] = False,
    rules: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Rules whose catalogue has the fields; default: TOUCHPOINT_RULES."),
    ] = None,
) -> None:
    """Load a file or table into the log: profiles, consents, numbers that opt out, complaints.

    Without --map: profiles are JSON lines as for replay. consents: JSON lines with imsi, msisdn or
    subscriber, and consent; or columns of these names with a header, the purposes as columns. optouts: one
    number per line, or columns with a header one of which is msisdn. complaints: columns msisdn, time and
    about. Once it has ended all is durable; loading a file again does no harm, and a load that was cut off
    goes on where it was.

    Exit code 0: all loaded; 1: lines were refused, the others are loaded; 2: a setting or the file is wrong,
    or Kafka, Redis or the database can't be reached. With --dry-run 0: a load would refuse nothing.
    """
    settings = load_settings()
    if compare and not dry_run:
        raise InputError("--compare", "it with --dry-run only", "without")
    if not dry_run or compare:
        require(settings, "kafka_bootstrap", *(("redis_url",) if kind in _SILENCING and not dry_run else ()))
    is_table = what.startswith(SCHEMES)
    total = lines_in([Path(what)]) if sys.stderr.isatty() and not is_table else None
    with (
        progress("checking" if dry_run else "loading", total) as advance,
        tempfile.TemporaryDirectory(prefix="touchpoint-load-") as folder,
    ):
        job = _Job(settings, kind, what, map_file, rules)
        run = job.check(Path(folder), compare, advance) if dry_run else job.load(anew, advance)
        loader = asyncio.run(run)
    if loader.went_on:
        note(f"went on behind row {loader.went_on:,}, where a load was cut off")
    if loader.counts["refused"]:
        raise typer.Exit(1)


def source_of(kind: Kind, what: Address | Path, file_map: FileMap | None, key: bytes) -> str:
    """Return a load's name among sources: a keyed hash of file or database, and of all that the map says."""
    text = "" if file_map is None else file_map.model.model_dump_json()
    if isinstance(what, Path):
        return f"load-{mark_of(what, key, kind, text)}"
    of = "\0".join((kind, what.shown, text)).encode()
    return f"load-{blake2b(of, digest_size=16, key=key).hexdigest()}"


class _Job:
    """One load: what is read, by which map, under which name."""

    def __init__(
        self, settings: Settings, kind: Kind, what: str, map_file: Path | None, rules: Path | None
    ) -> None:
        self.settings = settings
        self.kind = kind
        self.fields = _fields(kind, map_file, rules or settings.rules)
        self.address = Address(what) if what.startswith(SCHEMES) else None
        self.path = Path(what)
        by = COMPLAINTS if map_file is None and kind == "complaints" else map_file
        self.is_parquet = self.address is None and _begins(self.path, MAGIC)
        if by is None and (self.is_parquet or self.address is not None):
            raise InputError("--map", "a map, for tables have columns", "none")
        self.map = None if by is None else FileMap(by, kind, self.fields or {})
        key = settings.key_bytes
        self.name = (
            shown_name(self.path.name, key) if self.address is None else f"{self._map_name}@postgresql"
        )

    @property
    def _map_name(self) -> str:
        return "" if self.map is None else self.map.model.map

    @property
    def _source(self) -> str:
        return source_of(self.kind, self.address or self.path, self.map, self.settings.key_bytes)

    @property
    def _binds(self) -> bool:
        """Whether numbers have to be looked up: not if each row has to name the IMSI."""
        imsi = None if self.map is None else self.map.model.imsi
        return self.kind != "profiles" or imsi is None or not imsi.required

    def rows(self, intake: Intake) -> Rows:
        """Open what is read."""
        if self.map is None:
            return LineRows(self.path, intake, source=self.name)
        if self.address is not None:
            return Table(self.address, self.map, self.settings.key_bytes, source=self.name)
        if self.is_parquet:
            return Parquet(self.path, self.map, source=self.name)
        return Delimited(self.path, self.map, intake, source=self.name)

    def reader(self, readers: list[MapReader]) -> str | Callable[[Intake, str], MapReader]:
        """Return what reads the rows; a reader by a map is put into `readers` as well."""
        if self.map is None:
            return self.kind

        def make(file_map: FileMap, intake: Intake, source: str) -> MapReader:
            readers.append(MapReader(file_map, intake, source))
            return readers[-1]

        return partial(make, self.map)

    async def load(self, anew: bool, advance: Advance) -> Loader:
        """Load all."""
        settings = self.settings
        make = Identity if self._binds else Unbound
        identity = make(settings.key_bytes, settings.home_cc)
        optouts = None
        async with AsyncExitStack() as stack:
            options, prefix = kafka_options(settings), settings.topic_prefix
            inlet = KafkaInlet(options, prefix, self._source, settings.partitions)
            stack.push_async_callback(inlet.close)
            if self._binds:
                bindings = KafkaBindings(options, prefix)
                stack.push_async_callback(bindings.close)
                await bindings.load(identity)
            if self.kind in _SILENCING:
                client = redis_client(settings)
                stack.push_async_callback(client.aclose)
                if wrong := await wrong_secrets(client, key_of(settings)):
                    raise SettingsError(wrong)
                optouts = RedisOptOuts(client, replicas=settings.redis_wait)
            readers: list[MapReader] = []
            loader = Loader(self.reader(readers), self.name, identity, now_us, inlet, optouts)
            loader.on_refusal = _Told()
            rows = self.rows(loader.intake)
            await loader.run(rows, lambda number: advance(number, f"{number:,} rows"), anew=anew)
        show_counts(loader, "loaded", optouts=self.kind in _SILENCING)
        _note_left_out(rows, readers)
        return loader

    async def check(self, folder: Path, compare: bool, advance: Advance) -> Loader:
        """Read all and say what a load would do."""
        settings = self.settings
        identity = Unbound(settings.key_bytes, settings.home_cc)
        known = None
        if compare:
            known = Identity(settings.key_bytes, settings.home_cc)
            bindings = KafkaBindings(kafka_options(settings), settings.topic_prefix)
            try:
                await bindings.load(known)
            finally:
                await bindings.close()
        report, doubles = LoadReport(self.fields), Doubles(folder, identity, known)
        readers: list[MapReader] = []
        loader = Loader(self.reader(readers), self.name, identity, now_us)
        loader.on_refusal = report.refuse

        def take(number: int, loaded: Loaded) -> None:
            report.take(loaded)
            doubles.take(number, loaded.events[0])

        loader.on_loaded = take
        rows = self.rows(loader.intake)
        await loader.run(rows, lambda number: advance(number, f"{number:,} rows"))
        for reader in readers:
            for (name, text), count in reader.outside.items():
                report.let_go(name, text, count)
        doubles.count()
        show_counts(loader, "checked, nothing written", optouts=self.kind in _SILENCING)
        show_report(report, doubles, self.name)
        _note_left_out(rows, [])
        return loader


class _Told:
    """Tells the first refused lines of a load."""

    def __init__(self) -> None:
        self._shown = 0

    def __call__(self, refusal: Refusal) -> None:
        self._shown += 1
        if self._shown <= _SHOWN:
            say(f"{refusal.position}: {refusal.detail}")
        elif self._shown == _SHOWN + 1:
            note(f"more than {_SHOWN} lines were refused: the topic of dead letters has them all")


def _note_left_out(rows: Rows, readers: list[MapReader]) -> None:
    if isinstance(rows, Table) and rows.left_out:
        note(f"{rows.left_out:,} rows were left out: they have no value in the column of `since` or `key`")
    if isinstance(rows, Table) and rows.ahead:
        note(
            f"{rows.ahead:,} rows came though their `since` is infinite or ahead of the database's clock: "
            "they come with every load"
        )
    let_go = sum(reader.outside.total() for reader in readers)
    if let_go:
        note(f"{let_go:,} values are in no closed list and were taken as the map says: --dry-run has them")


def _fields(kind: Kind, map_file: Path | None, rules: Path) -> Mapping[str, FieldSpec] | None:
    """Return the catalogue's fields; None where there are none and none are needed."""
    if kind != "profiles":
        return None
    try:
        return load_names(rules).names.catalog.fields
    except InputError:
        if map_file is not None:
            raise
        return None


def _begins(path: Path, magic: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(magic)) == magic
    except OSError:
        return False
