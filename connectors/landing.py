"""The door for a landing directory: files appear in it by rename, are read, and moved to `done/`.

Files are taken in the order of their names, plain or gzip: JSON lines, or delimited by a column map. Which of
them are whole: see `landing_scan`; which are missing of those that are numbered, told once each as a dead
letter of reason `gap`: see `landing_sequence`. One that can't be read to its end is moved to `bad/`, its good
rows applied, with a dead letter of reason `file`.

What was done is in the position, which becomes durable with the records: a file is moved only after that. A
file that comes again (same name, same content to its end) is moved without being read, logged and counted;
one of the same name with other content is another file.

Names of files may hold numbers of persons. Outside of this process, in the checkpoint too, a file goes by its
`shown_name`; where it is needed again it is looked for in the directory.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Protocol

import structlog

from connectors.column_map import ColumnMap
from connectors.landing_scan import EVERY_FILE, Choice, Scan, Stat, stat_of
from connectors.lines import Lines
from connectors.xdr_files import Rows
from engine.errors import InputError
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import shown_name

DONE, BAD = "done", "bad"
REMEMBERED = 200
"""Files that are done and gone from the directory, to be known if they come again: 76 bytes each, in every
checkpoint."""
AT_ONCE = 1 << 22
"""Bytes of a file that is looked at without a thread: about 10 ms."""
_HEAD = 1 << 16
_BLOCK = 1 << 20
_HALF: Final = 16
"""Characters of the first part of a mark, which once was all of it."""

log = structlog.get_logger("landing")

IN_A_THREAD = 5_000
"""Files in a directory from which on it is looked at in a thread: about 10 ms."""
Take = Callable[[int, Any, str], list[Event]]
"""(line number, line, position) -> events."""


class Reading(Protocol):
    """What a file holds, item by item: lines, or what else a door makes of files."""

    offset: int
    number: int
    """Where the items given end: what reading goes on from, and the number of the last one."""

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        """Yield (number, item); raise InputError where the file can't be read any further."""
        ...


Opener = Callable[[str, int], int]
"""Opens a file as `open` asks its `opener` to."""
Read = Callable[[Path, Intake, str, int, int, Opener], tuple[Reading, Take]]
"""(file, intake, its shown name, offset, number, opener) -> its items from there on, and what takes them."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look at a file has found."""

    mark: str
    """What it is known by: a hash of its name, size and beginning, and one of all of it."""
    stat: Stat

    def is_one_of(self, marks: Collection[str]) -> bool:
        """Say whether it is known; checkpoints of before hold only the first part of marks."""
        return self.mark in marks or self.mark[:_HALF] in marks

    def is_(self, mark: str) -> bool:
        """Say whether it is the file of a mark."""
        return self.is_one_of((mark,))


@dataclass(slots=True)
class _Open:
    """The file being read."""

    name: str
    shown: str
    """Its name as others may read it."""
    found: _Found
    lines: Reading
    rest: Iterator[tuple[int, Any]]
    take: Take


class Landing:
    """One landing directory as a source.

    `columns`: how its files are delimited; None: JSON lines, whose records are of source FILE unless they say
    so themselves, as in a replay. `move`: False leaves files where they are, known by the position as long as
    they stay. `scan_seconds`: how often the directory is looked at. `choice`: which files, in which order.
    `read`: how a file is read that does not consist of lines. Raises InputError if the directory can't be
    read at `open`.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        columns: ColumnMap | None = None,
        *,
        move: bool = True,
        scan_seconds: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
        choice: Choice = EVERY_FILE,
        read: Read | None = None,
    ) -> None:
        self.folder = folder
        self.columns = columns
        self.counts: Counter[str] = Counter()
        """Files since the start: `done`, `bad`, `again` (came twice), `unreadable` (tried again later), `gap`
        (missing), `closed` (were missing and came), `links` (not followed)."""
        self._name = name
        self._move = move
        self._read = read
        self._scan_seconds = scan_seconds
        self._clock = clock
        self._intake: Intake | None = None
        self._rows: Rows | None = None
        self._seen: dict[str, str] = {}
        """Mark -> shown name of files that are done, oldest first."""
        self._finished: dict[str, tuple[str, Stat, str]] = {}
        """Mark -> (name, stat, folder to move it to): done, but not yet known to be durable."""
        self._damaged: dict[str, dict[str, Any]] = {}
        """Mark -> what is wrong with a file of these, to be logged."""
        self._current: _Open | None = None
        self._queue: deque[str] = deque()
        self._left: dict[str, Stat] = {}
        """Files that were seen and stay, by name."""
        self._scan_at = 0.0
        self._scan = Scan(folder, choice, clock)

    # -- as a source -----------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Its name in the checkpoint."""
        return self._name

    @property
    def waiting(self) -> int:
        """Files that were there at the last look."""
        return self._scan.waiting

    @property
    def missing(self) -> int:
        """Files that are missing of those that are numbered."""
        return 0 if self._scan.sequence is None else self._scan.sequence.missing

    @property
    def position(self) -> Mapping[str, Any]:
        """What is done, what is to be moved, and how far the file being read was read."""
        moving = {mark: folder for mark, (_, _, folder) in self._finished.items()}
        position: dict[str, Any] = {"seen": self._seen, "moving": moving}
        if self._current is not None:
            lines = self._current.lines
            position["file"] = {
                "name": self._current.shown,
                "mark": self._current.found.mark,
                "offset": lines.offset,
                "number": lines.number,
                "before": None if self._rows is None else self._rows.before,
            }
        if self._scan.sequence is not None:
            position["sequence"] = self._scan.sequence.pack()
        return position

    @property
    def origin(self) -> Mapping[str, str]:
        """The file of the rows just read."""
        return {"file": self._origin}

    _origin = ""

    async def open(self, position: Mapping[str, Any] | None, intake: Intake) -> None:
        """Go on from a position."""
        await self.close()
        self._intake = intake
        self._rows = None if self.columns is None else Rows(self.columns, intake)
        self._queue.clear()
        self._left.clear()
        self._finished, self._damaged = {}, {}
        self._scan_at = self._clock()
        position = position or {}
        # checkpoints of before hold names as they are
        self._seen = {mark: self._shown(name) for mark, name in position.get("seen", {}).items()}
        if self._scan.sequence is not None:
            self._scan.sequence.shown = self._shown
            self._scan.sequence.restore(position.get("sequence", ()))
        there = self._there(position)
        for mark, target in position.get("moving", {}).items():
            for name in there.get(self._seen.get(mark, ""), ()):
                # The one before may have been killed before it moved them. What is in both places came again.
                found, moved = await self._look(name), await self._look(name, target)
                if found is not None and found.is_(mark) and not (moved is not None and moved.is_(mark)):
                    self._put_away(name, found.stat, target)
        file = position.get("file")
        if file is not None:
            for name in there.get(self._shown(file["name"]), ()):
                found = await self._look(name)
                if found is not None and found.is_(file["mark"]):
                    self._begin(name, found, file["offset"], file["number"], file.get("before"))

    async def read(self, limit: int) -> list[Event] | None:
        """Return the events of up to `limit` rows of one file; None if there is no file."""
        if self._current is None and not await self._next():
            return None
        current, intake = self._current, self._intake
        assert current is not None
        assert intake is not None
        self._origin = shown = current.shown
        events: list[Event] = []
        folder = DONE
        try:
            for read, (number, line) in enumerate(current.rest, 1):
                events += current.take(number, line, f"{shown}:{number}")
                if read >= limit:
                    return events
        except InputError as error:
            folder = BAD
            detail = f"expected {error.expected}, was {error.was}"
            intake.refuse("file", detail, shown, f"{shown}:{current.lines.number + 1}", "")
            self._damaged[current.found.mark] = {"problem": detail, "line": current.lines.number + 1}
        self._current = None
        mark = current.found.mark
        self._seen[mark] = shown
        self._finished[mark] = (current.name, current.found.stat, folder)
        self.counts[folder] += 1
        return events

    async def committed(self) -> None:
        """Move the files whose last row is durable now."""
        for mark, (name, stat, folder) in self._finished.items():
            if folder == BAD and self._move:
                why = self._damaged.get(mark, {})
                log.warning("a file can't be read to its end", file=self._shown(name), folder=BAD, **why)
            self._put_away(name, stat, folder)
        self._finished, self._damaged = {}, {}
        for mark in list(self._seen)[: max(len(self._seen) - REMEMBERED, 0)] if self._move else ():
            del self._seen[mark]

    async def close(self) -> None:
        """Close the file being read."""
        self._current = None

    # -- files -----------------------------------------------------------------------------------------------

    async def _next(self) -> bool:
        """Open the next file; False if there is none."""
        if not self._queue:
            if self._clock() < self._scan_at:
                return False
            self._scan_at = self._clock() + self._scan_seconds
            await self._look_around()
        while self._queue:
            name = self._queue.popleft()
            if not self._scan.may_begin(name):
                continue
            found = await self._look(name)
            if found is None:
                self.counts["unreadable"] += 1
            elif found.stat != self._stat(name):
                continue  # changed while it was looked at: the next look will find it
            elif not found.is_one_of(self._seen):
                self._tell_gap(name)
                self._begin(name, found)
                if self._scan.more:
                    self._scan_at = self._clock()  # those left out are looked for at once
                return True
            elif found.mark not in self._finished:
                self._put_away_again(name, found.stat)
        return False

    async def _look_around(self) -> None:
        """Find the next files of the directory."""
        finished = {name for name, _, _ in self._finished.values()}
        try:
            if not self._move:
                self._forget_gone()
            if self._scan.waiting < IN_A_THREAD:
                found = self._scan.look(finished | self._left.keys())
            else:
                found = await asyncio.to_thread(self._scan.look, finished | self._left.keys())
        except OSError:
            self.counts["unreadable"] += 1
            return
        links = self._scan.counts["links"] - self.counts["links"]
        if links:
            self.counts["links"] += links
            log.warning("a symbolic link is not followed: files have to be in the directory", count=links)
        self._queue.extend(found)

    def _forget_gone(self) -> None:
        """Forget files that were left where they are and are there no longer, or are other ones."""
        there = os.listdir(self.folder)
        shown = {self._shown(name) for name in there}
        self._seen = {mark: name for mark, name in self._seen.items() if name in shown}
        self._left = {name: stat for name, stat in self._left.items() if self._stat(name) == stat}

    def _tell_gap(self, name: str) -> None:
        """Tell what the number of a file says of those before it."""
        assert self._intake is not None
        gap = None if self._scan.sequence is None else self._scan.sequence.take(name)
        if gap is None:
            return
        self._origin = shown = self._shown(name)
        if gap.kind == "gap":
            self.counts["gap"] += gap.files
            detail = f"sequence: expected {gap.expected}, was {gap.was}: {gap.files} missing"
            log.warning("files are missing", source=self._name, count=gap.files, file=shown)
            self._intake.refuse("gap", detail, self._name, f"{shown}:0", "")
        elif gap.kind == "closed":
            self.counts["closed"] += gap.files
            log.info("a file that was missing has come", source=self._name, file=shown)
        else:
            log.warning("a sequence has begun anew", source=self._name, file=shown)

    def _there(self, position: Mapping[str, Any]) -> dict[str, list[str]]:
        """Return the files that a position names: shown name -> names."""
        wanted = {self._seen.get(mark, "") for mark in position.get("moving", {})}
        if "file" in position:
            wanted.add(self._shown(position["file"]["name"]))
        found: dict[str, list[str]] = {}
        try:
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    if (shown := self._shown(entry.name)) in wanted:
                        found.setdefault(shown, []).append(entry.name)
        except OSError as error:
            raise _unreadable(self.folder, error) from None
        return found

    def _begin(
        self, name: str, found: _Found, offset: int = 0, number: int = 0, before: int | None = None
    ) -> None:
        intake = self._intake
        assert intake is not None
        if self._rows is not None:
            self._rows.before = before
        shown = self._shown(name)
        read = self._read or self._read_lines
        lines, take = read(self.folder / name, intake, shown, offset, number, _no_link)
        self._current = _Open(name, shown, found, lines, iter(lines), take)

    def _read_lines(
        self, path: Path, intake: Intake, shown: str, offset: int, number: int, opener: Opener
    ) -> tuple[Reading, Take]:
        source = shown if self.columns is None else self.columns.source
        lines = Lines(path, intake, source=source, name=shown, offset=offset, number=number, opener=opener)
        rows = self._rows

        def take(number: int, line: bytes, position: str) -> list[Event]:
            if rows is None:
                return intake.read(line, shown, position)
            event = rows.take(number, line, position)
            return [] if event is None else [event]

        return lines, take

    def _shown(self, name: str) -> str:
        assert self._intake is not None
        return shown_name(name, self._intake.identity.key)

    async def _look(self, name: str, folder: str = "") -> _Found | None:
        """Return what a file is known by; None if it can't be read, or is not there."""
        path = self.folder / folder / name
        stat = self._stat(name, folder)
        if stat is None:
            return None
        if stat[1] <= AT_ONCE:
            return _look_at(path)
        return await asyncio.to_thread(_look_at, path)

    def _stat(self, name: str, folder: str = "") -> Stat | None:
        return stat_of(self.folder / folder / name)

    def _put_away_again(self, name: str, stat: Stat) -> None:
        """Move a file that was read before; who put it there has to hear that it is not read."""
        if self._move:
            self.counts["again"] += 1
            log.warning("a file came again and is put aside unread", file=self._shown(name), folder=DONE)
        self._put_away(name, stat, DONE)

    def _put_away(self, name: str, stat: Stat, folder: str) -> None:
        """Move a file, never over another one; or remember that it is left where it is.

        If another one has taken its place meanwhile, that stays, to be looked at.
        """
        if not self._move:
            self._left[name] = stat
            return
        if self._stat(name) != stat:
            return
        target = self.folder / folder / name
        copies = 0
        try:
            target.parent.mkdir(exist_ok=True)
            for marker in self._scan.marker_of(name):
                # before its file: a marker that is left behind would say too soon that another one is whole
                with suppress(FileNotFoundError):
                    (self.folder / marker).rename(target.with_name(marker))
            while target.exists():
                copies += 1
                target = target.with_name(f"{name}.{copies}")
            (self.folder / name).rename(target)
        except FileNotFoundError:
            return  # somebody else has taken it away
        except OSError as error:
            raise _unreadable(self.folder, error) from None


def _look_at(path: Path) -> _Found | None:
    """Read a whole file for its mark; None if it can't be read."""
    content = blake2b(digest_size=8)
    try:
        with open(path, "rb", opener=_no_link) as file:
            stat = _stat_of(os.fstat(file.fileno()))
            head = file.read(_HEAD)
            content.update(head)
            while block := file.read(_BLOCK):
                content.update(block)
    except OSError:
        return None
    first = blake2b(os.fsencode(path.name) + f"\0{stat[1]}\0".encode() + head, digest_size=8)
    return _Found(first.hexdigest() + content.hexdigest(), stat)


def _stat_of(stat: os.stat_result) -> Stat:
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def lines_at(folder: Path, name: str, numbers: Collection[int], key: bytes) -> dict[int, bytes]:
    """Return lines of a file of a landing directory, by their numbers, wherever it was moved to.

    `name`: as letters show it, `key`: what it was shown by (see `shown_name`). Empty if it is gone, or if
    files of this name came several times: it is not known which is meant. A file that is damaged gives the
    lines before that. Raises InputError if it can't be read at all.
    """
    found: dict[int, bytes] = {}
    if Path(name).name != name:
        return found
    there = [path for place in ("", DONE, BAD) for path in _shown_as(folder / place, name, key)]
    if len(there) != 1 or there[0].with_name(f"{there[0].name}.1").exists():
        return found
    last = max(numbers, default=0)
    # what is too long was refused when the file was read first
    unheard = Intake(Identity(b"-"))
    try:
        for number, line in Lines(there[0], unheard, source=name, name=name):
            if number in numbers:
                found[number] = line
            if number >= last:
                break
    except InputError:
        if there[0].parent.name != BAD:
            raise
    return found


def _shown_as(folder: Path, name: str, key: bytes) -> list[Path]:
    """Return the files of a folder that are shown by a name."""
    if "~" not in name:
        return [folder / name] if (folder / name).is_file() else []
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return []
    return [Path(entry) for entry in entries if shown_name(entry.name, key) == name and entry.is_file()]


def _no_link(path: str, flags: int) -> int:
    """Open a file, but not what a link that has taken its place names; nor wait for a pipe's other end."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _unreadable(folder: Path, error: OSError) -> InputError:
    expected = "a landing directory that can be read and changed"
    return InputError(str(folder), expected, error.strerror or str(error))
