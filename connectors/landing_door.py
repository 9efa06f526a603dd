"""The landing directory as a feeds file asks for it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from connectors.column_map import ColumnMap, load_map, read_map
from connectors.door import SECOND, Door, House, Mistake
from connectors.landing import BAD, DONE, OF_ALL, REMEMBERED, Landing
from connectors.landing_scan import UNFINISHED, Choice
from engine.options import REQUIRED, Duration, Options, Place, option
from engine.paths import FOLDER, why_no

STABLE: Final = 5 * SECOND
"""µs for which files have to stand still, unless it is said otherwise."""


class LandingOptions(Options):
    """Of a landing directory."""

    folder: Place = option(
        REQUIRED,
        "a folder",
        "Folder into which files are put: best whole, by a rename. None may be named `done` or `bad`.",
        stand_in=".",
    )
    files: str = option(
        "*",
        "a pattern of names such as `s1mme_*.txt`",
        "Names of the files that are taken, as in a shell; others stay where they are. With it several feeds "
        "can share a folder.",
        min_length=1,
        max_length=200,
    )
    unfinished: tuple[str, ...] = option(
        UNFINISHED,
        "a list of ends of names such as `.tmp`",
        "A file whose name ends so is still being written, as one that begins with a dot.",
        max_length=20,
    )
    marker: str = option(
        "",
        "the end of a name, such as `.ok`",
        "A file is taken when another one says that it is whole: `x.txt.ok` or `x.ok` of `x.txt`. It is "
        "moved with its file.",
        pattern=r"^$|^\.[A-Za-z0-9._-]{1,20}$",
    )
    stable: Duration = option(
        STABLE,
        "a length of time from 0s to 1h, such as 10s",
        "A file is taken when its size and time of change have stood still for so long (30s, if its last "
        "line has no end): for writers that do not rename. `0s`: at once, the default with `marker`.",
        ge=0,
        le=3_600 * SECOND,
    )
    sequence: str = option(
        "",
        "a regular expression with one group named `seq` or `time`, such as `_(?P<seq>[0-9]+)[.]txt$`",
        "Where the number of a file stands in its name: `(?P<seq>...)` a counter, `(?P<time>...)` a time "
        "slot as 8, 10, 12 or 14 digits from the year on (with `every`). Files are taken in its order, and "
        "numbers that are passed over are told as missing. Other named groups tell series apart.",
        max_length=500,
    )
    every: Duration = option(
        0,
        "a length of time from 1s to 24h, such as 5m",
        "How far apart time slots are; only with `(?P<time>...)` in `sequence`.",
        ge=0,
        le=86_400 * SECOND,
    )
    wraps: int = option(
        0,
        "a whole number from 2 to 1000000000000",
        "How many numbers a counter has before it begins again at 0: 10000 for four digits. 0: it does not.",
        ge=0,
        le=10**12,
    )
    gap_wait: Duration = option(
        0,
        "a length of time from 0s to 1h, such as 1m",
        "How long files wait for a missing one before them until it is told as a gap and they are read.",
        ge=0,
        le=3_600 * SECOND,
    )

    def wrong(self) -> Iterator[str]:
        """Yield what does not fit together."""
        try:
            names = set(re.compile(self.sequence).groupindex)
        except re.error as error:
            yield f"expected `sequence` to be a regular expression, was none: {error}"
            return
        numbers = names & {"seq", "time"}
        if self.sequence and len(numbers) != 1:
            was = " and ".join(sorted(numbers)) or "neither"
            yield f"expected `sequence` with one group named `seq` or `time`, was {was}"
            return
        if ("time" in numbers) != bool(self.every):
            given = "was not given" if "time" in numbers else "was given"
            yield f"expected `every` with `(?P<time>...)` in `sequence`, and only there, {given}"
        if self.wraps == 1 or (self.wraps and "seq" not in numbers):
            yield "expected `wraps` of 2 or more, with `(?P<seq>...)` in `sequence`, was other"
        if self.gap_wait and not self.sequence:
            yield "expected `gap_wait` only with `sequence`, was given"

    @property
    def choice(self) -> Choice:
        """The same, for the scan."""
        marked = bool(self.marker) and "stable" not in self.model_fields_set
        return Choice(
            files=self.files,
            unfinished=self.unfinished,
            marker=self.marker,
            stable=0.0 if marked else self.stable / SECOND,
            sequence=re.compile(self.sequence) if self.sequence else None,
            every=self.every // SECOND,
            wraps=self.wraps or None,
            gap_wait=self.gap_wait / SECOND,
        )


def make(name: str, options: LandingOptions, columns: ColumnMap | None, house: House) -> Landing:
    """Return the source."""
    return Landing(name, options.folder, columns, choice=options.choice, remembered=remembered(house))


def remembered(house: House) -> int:
    """Return how many files a feed remembers."""
    return max(house.share(REMEMBERED, OF_ALL), 20)


def look(options: LandingOptions, house: House) -> Iterator[Mistake]:
    """Find out whether the folder is there and its files can be moved."""
    folder = options.folder
    why = why_no(FOLDER, folder)
    if why:
        yield Mistake("folder", "a folder", f"`{folder}`, which {why}")
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield Mistake("folder", "a folder whose files can be read and moved", f"`{folder}`, where they can't")
        return
    for place in (folder / DONE, folder / BAD):
        why = why_no(FOLDER, place)
        if why not in ("", "is missing"):
            yield Mistake("folder", "a folder for files that are put away", f"`{place}`, which {why}")
        elif not why and not os.access(place, os.W_OK | os.X_OK):
            yield Mistake("folder", "a folder that files can be moved to", f"`{place}`, where they can't")


def claims(options: LandingOptions) -> tuple[str, ...]:
    """Two feeds in one folder would take each other's files, unless each takes its own."""
    try:
        folder = Path(os.path.realpath(options.folder))
    except OSError:  # told by the look at it
        folder = Path(os.path.abspath(options.folder))
    reads = f"folder {folder}" if options.files == "*" else f"folder {folder} {options.files}"
    return reads, *(f"leaves {folder / name}" for name in (DONE, BAD))


CLAIMED_BY = frozenset({"folder", "files"})


def kinds_of(columns: ColumnMap) -> frozenset[str]:
    """Return the kinds that a column map can bring."""
    return frozenset(columns.kinds)


DOOR: Door[LandingOptions] = Door(
    say="Files that are put into a folder: JSON lines, or rows of columns by a map.",
    options=LandingOptions,
    make=make,
    disorder=300 * SECOND,
    idle=1_800 * SECOND,
    load_map=load_map,
    read_map=read_map,
    map_kinds=kinds_of,
    claims=claims,
    claimed_by=CLAIMED_BY,
    look=look,
    shown=lambda options: str(options.folder / options.files),
)
