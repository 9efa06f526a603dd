"""Tables that treatments need, by the names under which a feeds file gives their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from connectors.tac_table import load_handsets, look_at_handsets
from engine.language.cells_table import load_cells, look_at_cells
from engine.language.number_lists import load_numbers, look_at_numbers
from engine.language.problems import Problem
from engine.treatments.registry import CELLS, HANDSETS, NUMBERS


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of table."""

    say: str
    load: Callable[[Path], Any]
    """Reads its file; raises InputError with file, line and what was expected."""
    look: Callable[[Path], tuple[Any, Sequence[Problem]]] | None = None
    """The same, and all that is wrong in the file; nothing is in it then if that is an error."""

    def looked(self, path: Path) -> tuple[Any, Sequence[Problem]]:
        """Read its file without a log; return what is in it, and what is wrong. Raises InputError, too."""
        return (self.load(path), ()) if self.look is None else self.look(path)


TABLES: Final[Mapping[str, Table]] = {
    HANDSETS: Table(
        "handsets by TAC: model and network, as CSV (docs/signals-identity.md)",
        load_handsets,
        look_at_handsets,
    ),
    NUMBERS: Table("lists of phone numbers: the catalogue's numbers.yaml", load_numbers, look_at_numbers),
    CELLS: Table(
        "cells of the network with the positions of their sites (docs/rules/reference.md)",
        load_cells,
        look_at_cells,
    ),
}
"""Name -> table: a new one is one line here, and its name in `Treatment.tables`."""
