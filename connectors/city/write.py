"""Writes a city to files: `events.jsonl` (or `.gz`), `profiles.jsonl`, `truth.jsonl`."""

from __future__ import annotations

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

_EVERY: Final = 5_000
"""Records between two calls of `progress`."""


@dataclass(frozen=True, slots=True)
class Written:
    """How much was written, and where."""

    events: int
    profiles: int
    truth: int
    files: tuple[Path, Path, Path]


def write(
    city: City,
    hours: float,
    out: Path,
    progress: Callable[[int, float], None] | None = None,
    *,
    compress: bool = False,
) -> Written:
    """Write `hours` of the city into the folder `out`, made if missing; files of an earlier run are replaced.

    `progress(records, share)` is called now and then, with the share of the simulated time that is done (0 to
    1). The same city gives the same bytes, compressed too. Raises InputError if the folder can't be written.
    """
    events = out / ("events.jsonl.gz" if compress else "events.jsonl")
    profiles, truth = out / "profiles.jsonl", out / "truth.jsonl"
    try:
        out.mkdir(parents=True, exist_ok=True)
        with _open(truth) as file:
            facts = 0

            def note(row: dict[str, Any]) -> None:
                nonlocal facts
                file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
                facts += 1

            people = _dump(profiles, city.profiles())
            for row in city.truth(hours):
                note(row)
            records = _dump(events, _watched(city, hours, progress, note))
    except OSError as error:
        raise InputError(str(out), "a folder that can be written", error.strerror or str(error)) from error
    return Written(events=records, profiles=people, truth=facts, files=(events, profiles, truth))


def _watched(
    city: City, hours: float, progress: Callable[[int, float], None] | None, mark: Mark
) -> Iterator[dict[str, Any]]:
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
