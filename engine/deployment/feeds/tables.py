"""Tables that treatments need, by the names under which a feeds file gives their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from connectors.tac_table import load_handsets
from engine.language.cells_table import load_cells
from engine.language.number_lists import load_numbers
from engine.treatments.registry import CELLS, HANDSETS, NUMBERS


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of table."""

    say: str
    load: Callable[[Path], Any]
    """Reads its file; raises InputError with file, line and what was expected."""


TABLES: Final[Mapping[str, Table]] = {
    HANDSETS: Table("handsets by TAC: model and network, as CSV (docs/signals-identity.md)", load_handsets),
    NUMBERS: Table("lists of phone numbers: the catalogue's numbers.yaml", load_numbers),
    CELLS: Table(
        "cells of the network with the positions of their sites (docs/rules/reference.md)", load_cells
    ),
}
"""Name -> table: a new one is one line here, and its name in `Treatment.tables`."""
