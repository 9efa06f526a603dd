"""Cells that are none: filler values, malformed ones, and those that the operator's table does not know.

    1. `area:ID` (virtual cells of geofencing feeds) is a cell.
    2. Malformed: not `MCC-MNC-LAC-CI` or `MCC-MNC-ECI` / `-NCI`, a LAC above 65,535, a cell above 36 bits.
    3. A filler: the LAC or the cell is 0, 65535, 0xFFFFFFF, 0xFFFFFFFF or 0xFFFFFFFFF, or the LAC is 65534,
       which says that there is no valid one (3GPP TS 23.003, 4.1). Probes write them where a procedure
       names no cell.
    4. Unknown: not in the cells table, if one is given.
    5. Such a record loses its cell and is flagged `unknown_cell`, whatever its kind. It moves time and
       fires what does not ask for a place, but is no sighting: presence stays what it was, and may lapse.

A cell in the table is believed as it stands there. `cell_prev` is not looked at: presence does not use it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Sequence
from typing import Any, ClassVar, Final

from engine.event import Event
from engine.treatments.flags import take_cell_off
from engine.treatments.where_options import UnknownCellsOptions

FLAG: Final = "unknown_cell"
FILLERS: Final = frozenset(("0", "65535", "268435455", "4294967295", "68719476735"))
NO_LAC: Final = "65534"
_AREA: Final = "area:"
_CELL: Final = re.compile(r"[0-9]{3}-[0-9]{2,3}-(?:([0-9]{1,5})-)?([0-9]{1,11})\Z", re.ASCII)
_LAC_AT_MOST: Final = 0xFFFF
_CELL_AT_MOST: Final = (1 << 36) - 1
"""The NR cell identity has 36 bits (3GPP TS 38.413, 9.3.1.7), the others fewer."""
_REMEMBERED: Final = 100_000
"""Cells whose verdict is kept: 10 MB. A feed of garbage has more."""


class UnknownCells:
    """Step `unknown_cells`. `table`: the cells that exist; None: no table is given."""

    name: ClassVar[str] = "unknown_cells"

    def __init__(self, options: UnknownCellsOptions, table: Container[str] | None = None) -> None:
        self.counts: Counter[str] = Counter()
        """`malformed`, `filler`, `unknown`: records whose cell was taken off."""
        self._table = table
        self._verdicts: dict[str, str] = {}

    def take(self, event: Event) -> Sequence[Event]:
        """Take one event of the source and return it."""
        cell = event.cell
        if cell is None:
            return (event,)
        verdict = self._verdicts.get(cell)
        if verdict is None:
            if len(self._verdicts) >= _REMEMBERED:
                self._verdicts.clear()
            verdict = self._verdicts[cell] = self._judge(cell)
        if verdict:
            take_cell_off(event, FLAG)
            self.counts[verdict] += 1
        return (event,)

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Return nothing: nothing waits."""
        return ()

    def pack(self) -> None:
        """Return nothing: nothing is kept."""

    def restore(self, packed: Any) -> None:
        """Begin."""

    def _judge(self, cell: str) -> str:
        """Return what is wrong with a cell, empty if nothing is."""
        if cell.startswith(_AREA) or (self._table is not None and cell in self._table):
            return ""
        match = _CELL.match(cell)
        if match is None or int(match[1] or 0) > _LAC_AT_MOST or int(match[2]) > _CELL_AT_MOST:
            return "malformed"
        lac, number = match[1], match[2]
        if _stripped(number) in FILLERS or (lac is not None and _stripped(lac) in {*FILLERS, NO_LAC}):
            return "filler"
        return "" if self._table is None else "unknown"


def _stripped(number: str) -> str:
    return number.lstrip("0") or "0"
