"""What the doors of loads give: rows, and how far they were read; files of lines that are gone on with."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from connectors.lines import Lines
from engine.errors import InputError
from engine.intake import Intake
from engine.refusals import Bad

_PIECE = 1 << 16
_ANEW = "--anew loads all of it again"


class BadRow:
    """A row that could not be parted into cells: why, and its start as text for the dead letter."""

    __slots__ = ("bad", "raw")

    def __init__(self, bad: Bad, raw: str | bytes) -> None:
        self.bad = bad
        self.raw = raw


Row = tuple[Any, ...] | BadRow
"""The cells of the map's columns, in its order."""


class LineRows:
    """The lines of a file as rows: what loads without a map read, and the ground of delimited files."""

    def __init__(self, path: Path, intake: Intake, *, source: str) -> None:
        self._path = path
        self._intake = intake
        self._source = source
        self.lines = Lines(path, intake, source=source, name=source)
        self.head: tuple[int, bytes] | None = None
        """The first line, once reading goes on behind it: it may name columns."""

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        return iter(self.lines)

    def place(self) -> bytes:
        """Return where the line after the last one given begins."""
        return orjson.dumps({"offset": self.lines.offset, "number": self.lines.number})

    def go_on(self, place: bytes) -> int:
        """Go on from a place; return the number of the last line before it."""
        found = place_of(place, "offset", "number")
        quiet = Intake(self._intake.identity)
        for first in Lines(self._path, quiet, source=self._source, name=self._source):
            self.head = first
            break
        self.lines.offset, self.lines.number = found["offset"], found["number"]
        return self.lines.number

    def end(self) -> bytes:
        """Keep nothing: the file is done, and may be loaded again."""
        return b""


def place_of(place: bytes, *names: str) -> dict[str, Any]:
    """Return what a checkpoint of a load holds; raise InputError if it is another's."""
    try:
        found = orjson.loads(place)
    except orjson.JSONDecodeError:
        found = None
    if found.__class__ is not dict or any(name not in found for name in names):
        raise InputError("checkpoint", f"{' and '.join(names)} ({_ANEW})", "something else")
    return dict(found)


def mark_of(path: Path, key: bytes, *also: str) -> str:
    """Return what a file is known by: a keyed hash of its name, size, time of change, both ends, and `also`.

    A file that was changed, and one that is loaded by another map, is another one. Raises InputError if it
    can't be read.
    """
    try:
        stat = path.stat()
        with path.open("rb") as file:
            ends = file.read(_PIECE)
            if stat.st_size > _PIECE and file.seekable():
                file.seek(max(stat.st_size - _PIECE, _PIECE))
                ends += file.read(_PIECE)
    except OSError as error:
        raise InputError(str(path), "a file that can be read", error.strerror or str(error)) from None
    of = [path.name, str(stat.st_size), str(stat.st_mtime_ns), *also]
    whole = "\0".join(of).encode("utf-8", "surrogateescape") + b"\0" + ends
    return blake2b(whole, digest_size=16, key=key).hexdigest()
