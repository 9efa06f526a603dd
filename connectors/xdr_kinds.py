"""Which kind of record a row is, as one or more of its columns tell."""

from __future__ import annotations

from typing import Final

from connectors.column_spec import KindSpec
from engine.refusals import Bad, quote


class Kinds:
    """Columns that tell the kind of a row."""

    def __init__(self, spec: KindSpec, filler: str | None, *, further: bool = False) -> None:
        """Compile a column of a map; `further`: it is asked only where another one was not enough."""
        self._index = spec.column - 1
        self._further = further
        self._skips = spec.otherwise == "skip"
        self._expected = "one of " + ", ".join(spec.values)
        self._fill = None if filler is None else (filler.lower() + filler.upper()).encode()
        self._found: Final[dict[bytes, str | Kinds]] = {
            text.encode(): value if isinstance(value, str) else Kinds(value, filler, further=True)
            for text, value in spec.values.items()
        }

    def of(self, cells: list[bytes]) -> str | None:
        """Return the kind of a row, None for one to be skipped; raise `Bad` where it is not known."""
        cell = cells[self._index]
        found = self._found.get(cell)
        if found.__class__ is str:
            return found
        if found is None:
            cell = cell.strip()
            if self._fill is not None and not cell.strip(self._fill):
                cell = b""
            found = self._found.get(cell)
            if found is None:
                if not cell and not self._further:
                    raise Bad("a value", "empty", "type", "kind")
                if self._skips:
                    return None
                raise Bad(self._expected, quote(cell.decode("utf-8", "replace")), "value", "kind")
        return found if isinstance(found, str) else found.of(cells)
