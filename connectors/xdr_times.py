"""Rows whose time can't be read: the time of the row before, for a map that asks for it.

Of the real rows 2.1 % have such times (facts/signals.md): what a spreadsheet made of them. Refused, each of
them is a sighting that is missing, and the one that matters is the return from a flip: without it the
subscriber seems to have stayed where the phone only flipped to. So, with `unreadable: before` on `t`:

    1. A row of a kind that only says where somebody is (`loc.*`), whose time can't be read or is missing,
       takes `t` of the row before it in the file (or of the lines of its door) that is not skipped and whose
       time could. It has no `t_start`, and is flagged `guessed_time` and `no_trigger`.
    2. By itself it does not move presence and triggers nothing: its time is not known. `ping_pong` with
       `mode: hold` takes it as a return.
    3. Rows of other kinds are refused as ever: a call or a detach at a wrong time is worse than none. So is a
       row with no such row before it: each file begins anew.
"""

from __future__ import annotations

from typing import Any, Final

from connectors.column_map import ColumnMap
from connectors.xdr_values import stripped
from engine.intake import YEAR_2000, YEAR_2100
from engine.refusals import Bad
from engine.treatments.flags import GUESSED_TIME, NO_TRIGGER, WHERE_ONLY

BEFORE: Final = "before"


class Times:
    """The times of the rows of one file after the other. `asked`: whether a map wants them settled."""

    def __init__(self, columns: ColumnMap) -> None:
        way = columns.fields["t"][-1]
        self.asked: Final = way.unreadable == BEFORE
        self.before: int | None = None
        """`t` of the newest row whose time could be read; None: of none in this file."""
        if self.asked:
            assert way.column is not None
            self._index = way.column - 1
            strict = way.model_copy(update={"unreadable": "refuse", "required": True})
            self._strict = stripped("t", strict, columns.utc_offset, columns.filler)

    def settle(self, cells: list[bytes], fields: dict[str, Any]) -> bool:
        """Keep the time of a row, or give it that of the row before and return True; raise `Bad` if it can't
        have it.
        """
        t = fields.get("t")
        if t is not None:
            if YEAR_2000 <= t < YEAR_2100:  # else the row is refused
                self.before = t
            return False
        if self.before is None or fields["kind"] not in WHERE_ONLY:
            self._strict(cells[self._index])
            raise Bad("a time", "none", "time", "t")
        fields["t"] = self.before
        fields.pop("t_start", None)
        fields["quality"] = [*fields.get("quality", ()), GUESSED_TIME, NO_TRIGGER]
        return True
