"""The landing directory as a feeds file asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.column_map import ColumnMap, load_map
from connectors.door import SECOND, Door, House, Mistake
from connectors.landing import Landing
from engine.options import REQUIRED, Options, Place, option


class LandingOptions(Options):
    """Of a landing directory."""

    folder: Place = option(REQUIRED, "a folder", "Folder into which files are put, whole, by a rename.")


def make(name: str, options: LandingOptions, columns: ColumnMap | None, house: House) -> Landing:
    """Return the source."""
    return Landing(name, options.folder, columns)


def look(options: LandingOptions, house: House) -> Iterator[Mistake]:
    """Find out whether the folder is there and its files can be moved."""
    folder = options.folder
    if not folder.is_dir():
        yield Mistake(
            "folder", "a folder", f"`{folder}`, which {'is none' if folder.exists() else 'is missing'}"
        )
    elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield Mistake("folder", "a folder whose files can be read and moved", f"`{folder}`, where they can't")


def claims(options: LandingOptions) -> tuple[str]:
    """Two feeds in one folder would take each other's files."""
    return (f"folder {Path(os.path.realpath(options.folder))}",)


def kinds_of(columns: ColumnMap) -> frozenset[str]:
    """Return the kinds that a column map can bring."""
    kind: Any = columns.kind
    return frozenset({kind} if isinstance(kind, str) else (kind.values or {}).values())


DOOR: Door[LandingOptions] = Door(
    say="Files that are put into a folder: JSON lines, or rows of columns by a map.",
    options=LandingOptions,
    make=make,
    disorder=300 * SECOND,
    idle=1_800 * SECOND,
    load_map=load_map,
    map_kinds=kinds_of,
    claims=claims,
    look=look,
    shown=lambda options: str(options.folder),
)
