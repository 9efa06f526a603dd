"""Tables that treatments need, by the names under which a feeds file gives their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of table."""

    say: str
    load: Callable[[Path], Any]
    """Reads its file; raises InputError with file, line and what was expected."""


TABLES: Final[Mapping[str, Table]] = {}
"""Name -> table: a new one is one line here, and its name in `Treatment.tables`."""
