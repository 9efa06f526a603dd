"""Writes a city to files: `events.jsonl` (or `.gz`), `profiles.jsonl`, `truth.jsonl`; also xDR and a map.

With xDR, `xdr/` holds what an S1-MME probe sees as delimited files, and `events.jsonl` all other records.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

import orjson

from engine.errors import InputError

from .city import City
from .feed import Mark
from .maps import CELLS_HEAD, cells_of, places_of
from .xdr import XdrFiles, prepare

_EVERY: Final = 5_000
"""Records between two calls of `progress`."""
Progress = Callable[[int, float], None]
Push = Callable[[Iterator[dict[str, Any]]], int]
"""Takes the records to somewhere else than a file; returns how many got there."""


@dataclass(frozen=True, slots=True)
class Written:
    """How much was written, and where: (file or folder, lines or rows)."""

    parts: tuple[tuple[Path, int], ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """The files and folders."""
        return tuple(path for path, _ in self.parts)

    @property
    def events(self) -> int:
        """Records in `events.jsonl`, or pushed."""
        return self.parts[0][1]


def write(
    city: City,
    hours: float,
    out: Path,
    progress: Progress | None = None,
    *,
    compress: bool = False,
    xdr: bool = False,
    maps: bool = False,
    push: Push | None = None,
) -> Written:
    """Write `hours` of the city into the folder `out`, made if missing; files of an earlier run are replaced.

    `progress(records, share)` is called now and then, with the share of the simulated time that is done (0 to
    1). The same city gives the same bytes, compressed too. `xdr`: see the head of this file; `maps`:
    `cells.csv` and `places.geojson` too; `push` takes the records instead of `events.jsonl`. Raises
    InputError if the folder can't be written.
    """
    events = out / ("events.jsonl.gz" if compress else "events.jsonl")
    profiles, truth = out / "profiles.jsonl", out / "truth.jsonl"
    more: list[tuple[Path, int]] = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        if xdr:
            prepare(out / "xdr")
        if maps:
            more += _write_maps(city, out)
        people = _dump(profiles, city.profiles())
        with _open(truth) as file:
            told = 0

            def note(row: dict[str, Any]) -> None:
                nonlocal told
                file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
                told += 1

            for row in city.truth(hours):
                note(row)
            rows = _watched(city, hours, progress, note)
            files = None
            if xdr:
                files = XdrFiles(out / "xdr", city.seed, city.options, note, compress=compress)
                put = files.put
                rows = (row for row in rows if not put(row))
            records = _dump(events, rows) if push is None else push(rows)
            if files is not None:
                files.close()
                more.append((files.folder, files.rows))
    except OSError as error:
        raise InputError(str(out), "a folder that can be written", error.strerror or str(error)) from error
    return Written(((events, records), (profiles, people), (truth, told), *more))


def _write_maps(city: City, out: Path) -> Iterator[tuple[Path, int]]:
    cells, places = out / "cells.csv", out / "places.geojson"
    rows = list(cells_of(city.town))
    with cells.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(CELLS_HEAD)
        table.writerows(rows)
    areas = places_of(city.town)
    places.write_bytes(orjson.dumps(areas, option=orjson.OPT_INDENT_2))
    yield cells, len(rows)
    yield places, len(areas["features"])


def _watched(city: City, hours: float, progress: Progress | None, mark: Mark) -> Iterator[dict[str, Any]]:
    count = 0
    span = max(hours * 3_600_000_000, 1.0)
    for record in city.events(hours, mark):
        yield record
        count += 1
        if progress is not None and count % _EVERY == 0:
            progress(count, min(max((record["t"] - city.start) / span, 0.0), 1.0))
    if progress is not None:
        progress(count, 1.0)


def _dump(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    count = 0
    with _open(path) as file:
        for row in rows:
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            count += 1
    return count


@contextmanager
def _open(path: Path) -> Iterator[IO[bytes]]:
    """Open for writing; a `.gz` carries neither time nor name, so that the bytes repeat."""
    with path.open("wb", buffering=1 << 20) as raw:
        if path.suffix != ".gz":
            yield raw
            return
        with gzip.GzipFile(filename="", mode="wb", compresslevel=3, fileobj=raw, mtime=0) as packed:
            yield cast(IO[bytes], packed)
