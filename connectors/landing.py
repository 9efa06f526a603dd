"""The door for a landing directory: files appear in it by rename, are read, and moved to `done/`.

Files are taken in the order of their names, plain or gzip: JSON lines, or delimited by a column map. Which of
them are whole: see `landing_scan`; which are missing of those that are numbered, told once each as a dead
letter of reason `gap`: see `landing_sequence`. One that can't be read to its end is moved to `bad/`, its good
rows applied, with a dead letter of reason `file`.

What was done is in the position, which becomes durable with the records: a file is moved only after that. A
file that comes again (same name, same content to its end) is moved without being read, logged and counted;
one of the same name with other content is another file. One whose writer goes on with it, while it is read or
after it was moved, is read on from there: see `landing_put`.

Names of files may hold numbers of persons. Outside of this process, in the checkpoint too, a file goes by its
`shown_name`; where it is needed again it is looked for in the directory.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeGuard

import structlog

from connectors.column_map import ColumnMap
from connectors.landing_file import Begin, Found, Open, Read, Reading, Take, look
from connectors.landing_put import START, Place, Put, Watch
from connectors.landing_scan import EVERY_FILE, Choice, Scan, Stat, Still, no_link, stat_of
from connectors.lines import Lines
from connectors.xdr_files import Rows
from engine.errors import InputError, StateError
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import shown_name

DONE, BAD = "done", "bad"
REMEMBERED = 200
"""Files that are done and gone from the directory, to be known if they come again: 76 bytes each, in every
checkpoint. A quarter as many, the newest, are watched as they may go on: 90 bytes each, a `stat` a look."""
OF_ALL = 4_000
"""The same of all feeds together; one has 20 at least."""
IN_A_THREAD = 5_000
"""Files in a directory from which on it is looked at in a thread: about 10 ms."""

log = structlog.get_logger("landing")


class Landing:
    """One landing directory as a source.

    `columns`: how its files are delimited; None: JSON lines, whose records are of source FILE unless they say
    so themselves, as in a replay. `move`: False leaves files where they are, known by the position as long as
    they stay. `scan_seconds`: how often the directory is looked at. `choice`: which files, in which order.
    `read`: how a file is read that does not consist of lines. `remembered`: see `REMEMBERED`; a quarter as
    many are watched. Raises InputError if the directory can't be read at `open`.
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
        remembered: int = REMEMBERED,
    ) -> None:
        self.folder = folder
        self.columns = columns
        self.counts: Counter[str] = Counter()
        """Files since the start: `done`, `bad`, `again` (came twice), `grown` (after they were taken),
        `unreadable` (tried again later), `gap` (missing), `closed` (were missing and came), `links` (not
        followed)."""
        self._name = name
        self._move = move
        self._read = read
        self._remembered = remembered
        self._scan_seconds = scan_seconds
        self._clock = clock
        self._intake: Intake | None = None
        self._rows: Rows | None = None
        self._seen: dict[str, str] = {}
        """Mark -> shown name of files that are done, oldest first."""
        self._finished: dict[str, tuple[Put, Stat]] = {}
        """Mark -> (as what it is to be put away, stat): done, but not yet known to be durable."""
        self._damaged: dict[str, dict[str, Any]] = {}
        """Mark -> what is wrong with a file of these, to be logged."""
        self._current: Open | None = None
        self._queue: deque[str] = deque()
        self._left: dict[str, Stat] = {}
        """Files that were seen and stay, by name."""
        self._scan_at = 0.0
        self._scan = Scan(folder, choice, clock, lines=read is None)
        still = Still(folder, choice.stable, clock, lines=read is None)
        self._watch = Watch(folder, still, remembered // 4)
        self._grown: deque[Put] = deque()
        """Files that were put away and have grown, to be read on."""

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
        moving = {mark: put.folder for mark, (put, _) in self._finished.items()}
        position: dict[str, Any] = {"seen": self._seen, "moving": moving}
        puts = [put for put, _ in self._finished.values()]
        current = self._current
        if current is not None and current.grown is not None:
            puts.append(current.grown.to(place=self._place(current.lines)))
        elif current is not None:
            position["file"] = {
                "name": current.shown,
                "mark": current.found.mark,
                "size": current.found.stat[1],
                **self._place(current.lines)._asdict(),
            }
        if self._move:
            position["put"] = self._watch.pack(puts)
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
        self._grown.clear()
        self._left.clear()
        self._finished, self._damaged = {}, {}
        self._scan_at = self._clock()
        position = position or {}
        if not isinstance(position.get("seen", {}), dict):
            expected = "expected the position of a landing directory, was that of another door"
            raise StateError(f"source {self._name}: {expected} (such a feed needs another name)")
        # checkpoints of before hold names as they are
        self._seen = {mark: self._shown(name) for mark, name in position.get("seen", {}).items()}
        if self._scan.sequence is not None:
            self._scan.sequence.shown = self._shown
            self._scan.sequence.restore(position.get("sequence", ()))
        there = self._there(position)
        packed = position.get("put", ())
        self._watch.restore(packed, (DONE, BAD), self._seen, self._shown)
        for mark, target in position.get("moving", {}).items():
            size, *place = next((each[2:] for each in packed if each[0] == mark), (None,))
            for name in there.get(self._seen.get(mark, ""), ()):
                # The one before may have been killed before it moved them. What is in both places came again.
                found, moved = await self._look(name, "", size), await self._look(name, target, size)
                if _is(found, mark) and not _is(moved, mark):
                    put = await self._put_of(name, target, found, mark, size, place)
                    await self._put_away(put, found.stat)
        file = position.get("file")
        if file is not None:
            for name in there.get(self._shown(file["name"]), ()):
                found = await self._look(name, "", file.get("size"))
                if found is not None and not found.is_(file["mark"]) and found.begin == file["mark"]:
                    # it has grown meanwhile: it is read as what it was, the rest once it stands still
                    found = Found(file["mark"], (found.stat[0], file["size"], 0))
                if _is(found, file["mark"]):
                    place = Place(file["offset"], file["number"], file.get("before"))
                    self._begin(self.folder / name, name, found, place)

    async def read(self, limit: int) -> list[Event] | None:
        """Return the events of up to `limit` rows of one file; None if there is no file."""
        if self._current is None and not await self._next():
            return None
        current, intake = self._current, self._intake
        if current is None:
            return []  # one came again: it is moved once that is durable
        assert intake is not None
        self._origin = shown = current.shown
        events: list[Event] = []
        made: list[Event] | None = None
        folder = DONE
        try:
            for read, (number, line) in enumerate(current.rest, 1):
                made = current.take(number, line, f"{shown}:{number}")
                events += made
                if read >= limit and _cut_at(current.lines) is None:
                    return events
        except InputError as error:
            folder = BAD
            detail = f"expected {error.expected}, was {error.was}"
            intake.refuse("file", detail, shown, f"{shown}:{current.lines.number + 1}", "")
            self._damaged[current.found.mark] = {"problem": detail, "line": current.lines.number + 1}
        self._current = None
        self._end(current, folder, is_last_taken=made is None or bool(made))
        return events

    def _end(self, current: Open, folder: str, *, is_last_taken: bool) -> None:
        """Take in that a file was read to its end."""
        found, place, cut_at = current.found, self._place(current.lines), _cut_at(current.lines)
        if cut_at is not None and not is_last_taken:
            # half a line: if its rest comes it is read once more, whole
            place = place._replace(offset=cut_at, number=place.number - 1)
        self._seen[found.mark] = current.shown
        if current.grown is not None:
            self._watch.add(current.grown.to(mark=found.mark, size=found.stat[1], place=place))
            return
        put = Put(folder, current.name, current.name, found.mark, *found.stat[:2], place)
        self._finished[found.mark] = put, found.stat
        self.counts[folder] += 1

    async def committed(self) -> None:
        """Move the files whose last row is durable now."""
        for mark, (put, stat) in self._finished.items():
            if put.folder == BAD and self._move:
                why = self._damaged.get(mark, {})
                log.warning("a file can't be read to its end", file=self._shown(put.name), folder=BAD, **why)
            await self._put_away(put, stat)
        self._finished, self._damaged = {}, {}
        for mark in list(self._seen)[: max(len(self._seen) - self._remembered, 0)] if self._move else ():
            del self._seen[mark]

    async def close(self) -> None:
        """Close the file being read."""
        self._current = None

    # -- files -----------------------------------------------------------------------------------------------

    async def _next(self) -> bool:
        """Open the next file, unless that came again; False if there is none."""
        if len(self._finished) >= self._remembered:
            return False  # they are in the checkpoint until they are moved
        if not self._queue and not self._grown:
            if self._clock() < self._scan_at:
                return False
            self._scan_at = self._clock() + self._scan_seconds
            await self._look_around()
        while self._grown:
            if await self._go_on(self._grown.popleft()):
                return True
        while self._queue:
            name = self._queue.popleft()
            if not self._scan.may_begin(name):
                continue
            found = await self._look(name)
            if found is None:
                self.counts["unreadable"] += 1
            elif found.stat != self._stat(name) or not self._scan.stands(name, found.stat):
                continue  # changed since it was found: the next look will find it
            elif not found.is_one_of(self._seen):
                self._tell_gap(name)
                self._begin(self.folder / name, name, found)
                if self._scan.more:
                    self._scan_at = self._clock()  # those left out are looked for at once
                return True
            elif not self._move:
                self._left[name] = found.stat
            elif found.mark not in self._finished:
                await self._finish_again(name, found)
                return True
        return False

    async def _go_on(self, put: Put) -> bool:
        """Open a file that has grown since it was put away, where its reading ended; False if it can't be."""
        path = self.folder / put.folder / put.name
        found = await look(path, put.came_as, put.size)
        if found is None or found.stat[0] != put.inode:
            return False
        if found.begin != put.mark and not self._watch.give_back(put, self._scan.marker_of(put.came_as)):
            return False
        self.counts["grown"] += 1
        log.warning(
            "a file went on growing after it was taken, its rest is read",
            file=self._shown(put.came_as),
            bytes=found.stat[1] - put.size,
        )
        if found.begin != put.mark:
            return False  # written anew: another file, which the next look will find
        self._begin(path, put.came_as, found, put.place, put)
        return True

    async def _look_around(self) -> None:
        """Find the next files of the directory."""
        finished = {put.name for put, _ in self._finished.values()}
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
        self._grown.extend(self._watch.grown())

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
        self, path: Path, name: str, found: Found, place: Place = START, grown: Put | None = None
    ) -> None:
        assert self._intake is not None
        if self._rows is not None:
            self._rows.before = place.before
        shown = self._shown(name)
        read = self._read or self._read_lines
        begin = Begin(path, shown, no_link, found.is_whole, place.offset, place.number)
        lines, take = read(begin, self._intake)
        self._current = Open(name, shown, found, lines, iter(lines), take, grown)

    def _read_lines(self, begin: Begin, intake: Intake) -> tuple[Reading, Take]:
        shown = begin.shown
        lines = Lines(
            begin.path,
            intake,
            source=shown if self.columns is None else self.columns.source,
            name=shown,
            offset=begin.offset,
            number=begin.number,
            opener=begin.opener,
            is_whole=begin.is_whole,
            passed=intake.passed,
        )
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

    async def _look(self, name: str, folder: str = "", size: int | None = None) -> Found | None:
        """Return what a file is known by; None if it can't be read, or is not there."""
        return await look(self.folder / folder / name, name, size)

    def _stat(self, name: str) -> Stat | None:
        return stat_of(self.folder / name)

    async def _finish_again(self, name: str, found: Found) -> None:
        """Have a file that was read before moved; who put it there has to hear that it is not read.

        Only once that is durable, as a new one: its writer may go on with it.
        """
        put = await self._put_of(name, DONE, found, found.mark)
        if self._stat(name) != found.stat:
            return  # its end may be another one: the next look will find it
        self.counts["again"] += 1
        log.warning("a file came again and is put aside unread", file=self._shown(name), folder=DONE)
        self._seen[found.mark] = self._seen.pop(found.mark, self._shown(name))
        self._finished[found.mark] = put, found.stat

    async def _put_of(
        self,
        name: str,
        folder: str,
        found: Found,
        mark: str,
        size: int | None = None,
        place: Sequence[int] = (),
    ) -> Put:
        """Return as what a file that is not being read is put away; `place`: where its reading has ended."""
        end = Place(*place) if place else await asyncio.to_thread(self._end_of, name)
        return Put(folder, name, name, mark, found.stat[0], found.stat[1] if size is None else size, end)

    def _place(self, lines: Reading) -> Place:
        """Return where a reading stands."""
        return Place(lines.offset, lines.number, None if self._rows is None else self._rows.before)

    def _end_of(self, name: str) -> Place:
        """Read a file without taking anything, to find where its reading ends."""
        begin = Begin(self.folder / name, name, no_link, lambda _: True)
        lines, _ = (self._read or self._read_lines)(begin, Intake(Identity(b"-")))
        with suppress(InputError):
            deque(lines, maxlen=0)
        return Place(lines.offset, lines.number)

    async def _put_away(self, put: Put, stat: Stat) -> None:
        """Move a file, never over another one; or remember that it is left where it is.

        If another one has taken its place meanwhile, that stays, to be looked at.
        """
        name = put.name
        if not self._move:
            self._left[name] = stat
            return
        if self._stat(name) != stat:
            found = await self._look(name, "", put.size)
            if found is None or found.stat[0] != put.inode or not found.began_as(put.mark):
                return
        target = self.folder / put.folder / name
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
        self._watch.add(put.to(name=target.name))


def _cut_at(lines: Reading) -> int | None:
    """Return where the last line begins, if it was given without its end: the file ends there, too."""
    return lines.last_began if isinstance(lines, Lines) else None


def _is(found: Found | None, mark: str) -> TypeGuard[Found]:
    return found is not None and found.began_as(mark)


def _unreadable(folder: Path, error: OSError) -> InputError:
    expected = "a landing directory that can be read and changed"
    return InputError(str(folder), expected, error.strerror or str(error))
