"""Files that were put away: watched for a while, for a writer may go on with one that it holds open.

A file is taken when it has stood still, which does not say that its writer has ended. What is appended after
it was moved lands in the moved file; nothing else would ever read it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from connectors.landing_scan import Stat, Still, stat_of

_COPY = re.compile(r"\.\d+\Z")


class Place(NamedTuple):
    """How far a file was read: what reading goes on from."""

    offset: int = 0
    number: int = 0
    before: int | None = None
    """Of delimited files the time of the row before, where the next ones may need it."""


START: Final = Place()


@dataclass(frozen=True, slots=True)
class Put:
    """A file that was put away, and how far it was read."""

    folder: str
    name: str
    """Its name there."""
    came_as: str
    """The name under which it came."""
    mark: str
    inode: int
    size: int
    """Bytes that its mark stands for: with more it has grown since."""
    place: Place

    def to(self, **changes: Any) -> Put:
        """Return it with something else in it."""
        return replace(self, **changes)

    def pack(self) -> list[Any]:
        """Return it as plain JSON; its names are found by its inode."""
        return [self.mark, self.inode, self.size, *self.place]


class Watch:
    """The files of one landing directory that were put away last."""

    def __init__(self, folder: Path, still: Still, most: int) -> None:
        self.folder = folder
        self._still = still
        self._most = most
        self._puts: dict[int, Put] = {}
        """By inode, oldest first."""

    def pack(self, others: Sequence[Put] = ()) -> list[list[Any]]:
        """Return them as plain JSON; `others`: about to be put away, or as they are being read."""
        puts = {**self._puts, **{put.inode: put for put in others}}
        return [put.pack() for put in puts.values()]

    def add(self, put: Put) -> None:
        """Watch a file, and no longer the oldest of too many."""
        self._puts.pop(put.inode, None)
        self._puts[put.inode] = put
        while len(self._puts) > self._most:
            self.drop(next(iter(self._puts.values())))

    def drop(self, put: Put) -> None:
        """Watch a file no longer."""
        self._puts.pop(put.inode, None)

    def restore(
        self,
        packed: Sequence[Sequence[Any]],
        folders: Collection[str],
        seen: Mapping[str, str],
        shown: Callable[[str], str],
    ) -> None:
        """Find the files of `pack` in `folders` again; `seen`: mark -> how its file's name is shown."""
        self._puts.clear()
        wanted = {each[1]: each for each in packed}
        there = dict[int, tuple[str, str]]()
        for folder in folders if wanted else ():
            try:
                with os.scandir(self.folder / folder) as entries:
                    there |= {e.inode(): (folder, e.name) for e in entries if e.inode() in wanted}
            except OSError:
                continue  # nothing was put there yet
        for inode, (mark, _, size, *place) in wanted.items():
            folder, name = there.get(inode, ("", ""))
            names = [each for each in (name, _COPY.sub("", name)) if shown(each) == seen.get(mark)]
            if names:
                self.add(Put(folder, name, names[0], mark, inode, size, Place(*place)))

    def grown(self) -> list[Put]:
        """Return those that have grown and stand still again; forget those that are gone."""
        changed: dict[str, Stat | None] = {}
        grown = {}
        for put in list(self._puts.values()):
            path = f"{put.folder}/{put.name}"
            stat = stat_of(self.folder / path)
            if stat is None or stat[0] != put.inode or stat[1] < put.size:
                self.drop(put)
            elif stat[1] > put.size:
                changed[path], grown[path] = stat, put
        return [grown[path] for path in self._still.of(changed)]

    def give_back(self, put: Put, markers: Sequence[str]) -> bool:
        """Put a file back to where it came, to be read as another one; False while one of its name is there.

        `markers`: names of the file that says that it is whole; the first is made.
        """
        path, target = self.folder / put.folder / put.name, self.folder / put.came_as
        try:
            os.link(path, target, follow_symlinks=False)
            for marker in markers[:1]:
                (self.folder / marker).touch()
            path.unlink()
        except OSError:
            return False  # looked at again, as it goes on being watched
        self.drop(put)
        return True
