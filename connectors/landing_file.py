"""A file of a landing directory: how it is read, and by what it is known if it comes again, or has grown."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Protocol

from connectors.landing_put import Put
from connectors.landing_scan import Stat, no_link, stat_of
from engine.event import Event
from engine.intake import Intake

AT_ONCE = 1 << 22
"""Bytes of a file that is looked at without a thread: about 10 ms."""
_HEAD = 1 << 16
_BLOCK = 1 << 20
_HALF: Final = 16
"""Characters of the first part of a mark, which once was all of it."""

Take = Callable[[int, Any, str], list[Event]]
"""(line number, line, position) -> events."""
Opener = Callable[[str, int], int]
"""Opens a file as `open` asks its `opener` to."""
IsWhole = Callable[[int], bool]
"""Says of an open file whether it is what it was when it stood still: its last line is a whole one then."""


class Reading(Protocol):
    """What a file holds, item by item: lines, or what else a door makes of files."""

    offset: int
    number: int
    """Where the items given end: what reading goes on from, and the number of the last one."""

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        """Yield (number, item); raise InputError where the file can't be read any further."""
        ...


@dataclass(frozen=True, slots=True)
class Begin:
    """Where a reading begins, and what it needs."""

    path: Path
    shown: str
    """Its name as others may read it."""
    opener: Opener
    is_whole: IsWhole
    offset: int = 0
    number: int = 0


Read = Callable[[Begin, Intake], tuple[Reading, Take]]
"""(file, from where on; intake) -> its items from there on, and what takes them."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at a file has found."""

    mark: str
    """What it is known by: a hash of its name, size and beginning, and one of all of it."""
    stat: Stat
    begin: str = ""
    """The mark that its first bytes would have as a file, as many as were asked about."""

    def is_one_of(self, marks: Collection[str]) -> bool:
        """Say whether it is known; checkpoints of before hold only the first part of marks."""
        return self.mark in marks or self.mark[:_HALF] in marks

    def is_(self, mark: str) -> bool:
        """Say whether it is the file of a mark."""
        return self.is_one_of((mark,))

    def began_as(self, mark: str) -> bool:
        """Say whether it is the file of a mark, or was before it grew."""
        return self.is_(mark) or self.begin == mark

    def is_whole(self, file: int) -> bool:
        """Say whether an open file has not changed since."""
        return as_stat(os.fstat(file)) == self.stat


@dataclass(slots=True)
class Open:
    """The file being read."""

    name: str
    shown: str
    """Its name as others may read it."""
    found: Found
    lines: Reading
    rest: Iterator[tuple[int, Any]]
    take: Take
    grown: Put | None
    """As which it was put away before; None: it is in the directory."""


async def look(path: Path, name: str, size: int | None = None) -> Found | None:
    """Return what a file is known by that came under a name; None if it can't be read, or is not there.

    `size`: of its first bytes the mark is wanted, too.
    """
    stat = stat_of(path)
    if stat is None:
        return None
    if stat[1] <= AT_ONCE:
        return look_at(path, name, size)
    return await asyncio.to_thread(look_at, path, name, size)


def look_at(path: Path, name: str, size: int | None = None) -> Found | None:
    """Read a whole file for its mark; None if it can't be read."""
    content = blake2b(digest_size=8)
    begun = None
    left = -1 if size is None else size
    head = b""
    try:
        with open(path, "rb", opener=no_link) as file:
            stat = as_stat(os.fstat(file.fileno()))
            block = head = file.read(_HEAD)
            while block:
                if 0 <= left < len(block):
                    begun = content.copy()
                    begun.update(block[:left])
                    left = -1
                elif left >= 0:
                    left -= len(block)
                content.update(block)
                block = file.read(_BLOCK)
    except OSError:
        return None
    if left == 0:
        begun = content
    begin = "" if begun is None or size is None else _first(name, size, head[:size]) + begun.hexdigest()
    return Found(_first(name, stat[1], head) + content.hexdigest(), stat, begin)


def _first(name: str, size: int, head: bytes) -> str:
    return blake2b(os.fsencode(name) + f"\0{size}\0".encode() + head, digest_size=8).hexdigest()


def as_stat(stat: os.stat_result) -> Stat:
    """Return what tells one file from another of its name."""
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
