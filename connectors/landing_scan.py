"""Which files of a landing directory are whole, and which is the next one.

What is not taken: names that do not fit `files`; names that end as unfinished ones do or begin with a dot; a
symbolic link, a pipe, a folder (what is read must be in the directory: a link could name any file of this
machine); without its marker file, where one is asked for; while it still changes, where `stable` is given.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from heapq import nsmallest
from pathlib import Path
from typing import Final

from connectors.landing_sequence import Sequence
from connectors.lines import GZIP

AT_ONCE: Final = 1_000
"""Files that one look hands out: a directory may hold any number of them."""
UNFINISHED: Final = (".tmp", ".part")
LAST_LINE_SECONDS: Final = 30.0
"""For so long a file has to stand still whose last line has no end: writers hold back what fills no block."""

Stat = tuple[int, int, int]
"""Inode, size, time of change: another one means that it may be another file."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which files are taken, and when."""

    files: str = "*"
    """Pattern of names, as in a shell."""
    unfinished: tuple[str, ...] = UNFINISHED
    """Ends of names of files that are still being written."""
    marker: str = ""
    """End of the name of a file that says that another one is whole: `x.txt.ok` or `x.ok` of `x.txt`."""
    stable: float = 0.0
    """Seconds for which size and time of change have to stand still: see `Still`."""
    sequence: re.Pattern[str] | None = None
    """See `landing_sequence`."""
    every: int = 0
    wraps: int | None = None
    gap_wait: float = 0.0
    """Seconds for which the files behind a missing one wait for it."""


EVERY_FILE: Final = Choice()


class Still:
    """Tells which files of a folder have stood still for some seconds, or longer if that need be.

    By `clock`, since it was first asked about one; or by its time of change, so that old files need not wait.
    `lines`: they consist of lines, and one whose last line has no end has to stand still for longer.
    """

    def __init__(
        self, folder: Path, seconds: float, clock: Callable[[], float], *, lines: bool = True
    ) -> None:
        self.seconds = seconds
        self._folder = folder
        self._longer = max(LAST_LINE_SECONDS, seconds) if lines and seconds else seconds
        self._clock = clock
        self._watched: dict[str, tuple[Stat | None, float]] = {}
        """Name -> stat, and since when it has been that."""

    def of(self, stats: Mapping[str, Stat | None]) -> list[str]:
        """Return those of some files of the folder that stand still; all others are forgotten."""
        now = self._clock()
        watched: dict[str, tuple[Stat | None, float]] = {}
        for name, stat in stats.items():
            before = self._watched.get(name)
            watched[name] = before if before is not None and before[0] == stat else (stat, now)
        self._watched = watched
        found = []
        for name, (stat, since) in watched.items():
            stood = max(now - since, 0 if stat is None else time.time() - stat[2] / 1e9)
            if stood >= self._longer or (stood >= self.seconds and _ends_a_line(self._folder / name)):
                found.append(name)
        return found

    def knows(self, name: str, stat: Stat | None) -> bool:
        """Say whether a file is as it was when it was asked about."""
        return name in self._watched and self._watched[name][0] == stat


class Scan:
    """Looks at a directory; keeps what it has to remember from one look to the next."""

    def __init__(
        self, folder: Path, choice: Choice, clock: Callable[[], float], *, lines: bool = True
    ) -> None:
        self.folder = folder
        self.choice = choice
        self.counts: Counter[str] = Counter()
        """`links`: symbolic links met, each once."""
        self.sequence = (
            None
            if choice.sequence is None
            else Sequence(choice.sequence, every=choice.every, wraps=choice.wraps)
        )
        self.more = False
        """The last look has left files out for want of room."""
        self.waiting = 0
        """Files that were there at the last look: those handed out, and those left out."""
        self._clock = clock
        self._links: set[str] = set()
        self._still = Still(folder, choice.stable, clock, lines=lines)
        self._held: dict[str, float] = {}
        """Name -> since when it has waited for the file before it."""

    def look(self, known: Collection[str]) -> list[str]:
        """Return the names of up to `AT_ONCE` whole files in their order, without those known."""
        if self.sequence is None:
            first = nsmallest(AT_ONCE, self._whole(known))
        else:
            self.sequence.look_over(self._names() if self.choice.wraps else ())
            first = nsmallest(AT_ONCE, self._whole(known), key=self.sequence.key)
        self.more = self.waiting > len(first)
        if not self.choice.stable:
            return first
        return self._still.of({name: stat_of(self.folder / name) for name in first})

    def stands(self, name: str, stat: Stat) -> bool:
        """Say whether a file still is as the last look has found it; it may have had to wait since."""
        return not self.choice.stable or self._still.knows(name, stat)

    def may_begin(self, name: str) -> bool:
        """Say whether a file waits no longer for the one before it in its sequence."""
        wait, sequence = self.choice.gap_wait, self.sequence
        if sequence is None or not wait or sequence.is_next(name):
            self._held.pop(name, None)
            return True
        since = self._held.setdefault(name, self._clock())
        if self._clock() - since < wait:
            return False
        del self._held[name]
        return True

    def marker_of(self, name: str) -> list[str]:
        """Return the names that the marker of a file may have."""
        marker = self.choice.marker
        return [name + marker, os.path.splitext(name)[0] + marker] if marker else []

    def _is_wanted(self, entry: os.DirEntry[str]) -> bool:
        name = entry.name
        if name.startswith(".") or name.endswith(self.choice.unfinished):
            return False
        if entry.is_symlink():
            if len(self._links) < AT_ONCE and name not in self._links:
                self._links.add(name)
                self.counts["links"] += 1
            return False
        if not entry.is_file(follow_symlinks=False):
            return False
        if self.choice.marker and name.endswith(self.choice.marker):
            return True
        return self.choice.files == "*" or fnmatchcase(name, self.choice.files)

    def _names(self) -> Iterator[str]:
        """Yield the names of files that are wanted, and of markers, one by one."""
        with os.scandir(self.folder) as entries:
            for entry in entries:
                if self._is_wanted(entry):
                    yield entry.name

    def _whole(self, known: Collection[str]) -> Iterator[str]:
        """Yield the names of those that are whole, and count them."""
        marker = self.choice.marker
        markers = {name for name in self._names() if name.endswith(marker)} if marker else set()
        self.waiting = 0
        for name in self._names():
            if name in known or name in markers:
                continue
            if not marker or any(each in markers for each in self.marker_of(name)):
                self.waiting += 1
                yield name


def stat_of(path: Path) -> Stat | None:
    """Return what tells one file from another of its name, None if it is not there."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _ends_a_line(path: Path) -> bool:
    """Say whether a file ends with a line, as far as its last byte tells: that of a packed one does not."""
    try:
        with open(path, "rb", opener=no_link) as file:
            packed = file.read(len(GZIP)) == GZIP
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - 1, 0))
            return packed or file.read(1) in (b"\n", b"")
    except OSError:
        return True  # it is told where it is to be read


def no_link(path: str, flags: int) -> int:
    """Open a file, but not what a link that has taken its place names; nor wait for a pipe's other end."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
