"""What is at a path that somebody has given: told, whatever keeps it from being looked at.

`Path.is_file` and the like raise for a folder on the way that may not be entered, or a name that is too long.
"""

from __future__ import annotations

from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Final

from engine.errors import InputError

FOLDER, FILE, OTHER = "a folder", "a file", "neither a file nor a folder"
_NOTHING: Final = (FileNotFoundError, NotADirectoryError)


def kind_of(path: Path) -> str:
    """Return `FOLDER`, `FILE` or `OTHER`, links followed; empty: nothing is there.

    Raises InputError if that can't be found out.
    """
    try:
        mode = path.stat().st_mode
    except _NOTHING:
        return ""
    except (OSError, ValueError) as error:
        raise InputError(str(path), "a path that can be looked at", _why(error)) from None
    return FOLDER if S_ISDIR(mode) else FILE if S_ISREG(mode) else OTHER


def is_folder(path: Path) -> bool:
    """Say whether a folder is there; raise InputError as `kind_of`."""
    return kind_of(path) == FOLDER


def is_file(path: Path) -> bool:
    """Say whether a file is there; raise InputError as `kind_of`."""
    return kind_of(path) == FILE


def is_there(path: Path) -> bool:
    """Say whether anything is there; raise InputError as `kind_of`."""
    return bool(kind_of(path))


def why_no(wanted: str, path: Path) -> str:
    """Say in a few words why there is no `FOLDER`, or `FILE`, at a path; empty: there is one."""
    try:
        kind = kind_of(path)
    except InputError as error:
        return f"can't be looked at ({error.was})"
    if not kind:
        return "is missing"
    return "" if kind == wanted else "is none"


def _why(error: OSError | ValueError) -> str:
    return ((error.strerror if isinstance(error, OSError) else "") or str(error)).lower()
