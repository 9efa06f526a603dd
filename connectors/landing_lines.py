"""Lines of the files of a landing directory, found again by their numbers: for dead letters."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from connectors.landing import BAD, DONE
from connectors.lines import Lines
from engine.errors import InputError
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import shown_name


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
