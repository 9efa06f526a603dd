"""CSV and its relatives as rows: any separator, header or column numbers, UTF-8 or GBK, plain or gzip.

A row is a line: a line break inside of quotes ends it, and its pieces are refused. A quote that does not
close, or a row of another width than the header, is a wrong row and never stops the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import orjson

from connectors.lines import Lines
from connectors.loads.load_map import FileMap
from connectors.loads.rows import BadRow, LineRows, Row, place_of
from engine.csv_line import NO_QUOTES, QUOTES, split_line
from engine.errors import InputError
from engine.intake import Intake
from engine.refusals import Bad, redact

_WIDE = (b"\xff\xfe", b"\xfe\xff")
"""How UTF-16 begins."""


class Delimited(LineRows):
    """The rows of a delimited file. Raises InputError for a header without a column that the map names."""

    def __init__(self, path: Path, file_map: FileMap, intake: Intake, *, source: str) -> None:
        super().__init__(path, intake, source=source)
        self._map = file_map
        self._csv = file_map.model.csv
        self._torn = False
        """Whether a quote is open since a line above: a line with an odd number of quotes may be its end."""

    def __iter__(self) -> Iterator[tuple[int, Row]]:
        """Yield (line number, row), the header and what stands above it left out."""
        above = self._csv.skip + self._csv.header
        picks, width = self._header()
        pick = _picker(picks)
        least = max(picks, default=0) + 1
        for number, line in self.lines:
            if number <= above:
                continue
            odd = self._csv.quotes and line.count(b'"') % 2 == 1
            try:
                if self._torn and odd:
                    raise Bad("a row", "the end of one with a line break in it", "columns", "line")
                cells = self._cells(line)
            except Bad as bad:
                if odd and bad.reason == "columns":
                    self._torn = not self._torn
                yield number, BadRow(bad, line)
                continue
            if len(cells) != width if width else len(cells) < least:
                expected = f"{width} columns, as the header" if width else f"{least} columns or more"
                other = Bad(expected, str(len(cells)), "columns", "columns")
                yield number, BadRow(other, self._csv.separator.join(cells))
                continue
            self._torn = False
            yield number, pick(cells)

    def place(self) -> bytes:
        """Return where the next line begins, and whether a quote is open there."""
        place = orjson.loads(super().place())
        return orjson.dumps({**place, "torn": True} if self._torn else place)

    def go_on(self, place: bytes) -> int:
        """Go on from a place; the header is read in any case."""
        number = super().go_on(place)
        self.head = None
        self._torn = bool(place_of(place, "number").get("torn"))
        return number

    def _header(self) -> tuple[list[int], int]:
        """Return which cells the map's columns are, from 0, and how many each row has; 0: not told."""
        columns = self._map.columns
        if not self._csv.header:
            return [self._map.number_of(name) for name in columns], 0
        lines = self._looked_at()
        above = self._csv.skip + 1
        number, line = next(((n, text) for n, text in islice(lines, above) if n == above), (0, b""))
        if not number:
            if self.lines.number or self._is_empty():
                return [], 0
            raise InputError(f"{self._source}:{above}", "a header", "nothing")
        where = f"{self._source}:{number}"
        if line.startswith(_WIDE):
            raise InputError(where, f"text in {self._csv.encoding}", "UTF-16")
        try:
            names = self._cells(line)
        except Bad as bad:
            raise InputError(where, f"a header: {bad.expected}", bad.was or "something else") from None
        for name in columns:
            if name not in names:
                if not any(known in names for known in columns):
                    raise InputError(
                        where, f"a header with the column {name} and others", redact(", ".join(names))
                    )
                raise self._map.no_column(name, tuple(names))
            if names.count(name) > 1:
                raise InputError(where, f"the column {name} once", f"{names.count(name)} times")
        return [names.index(name) for name in columns], len(names)

    def _is_empty(self) -> bool:
        return not any(True for _ in self._looked_at())

    def _looked_at(self) -> Lines:
        """Return the lines once more; what is wrong with them is told when they are read."""
        return Lines(self._path, Intake(self._intake.identity), source=self._source, name=self._source)

    def _cells(self, line: bytes) -> list[str]:
        csv_ = self._csv
        try:
            text = line.decode(csv_.encoding)
        except UnicodeDecodeError as error:
            reason = "utf8" if csv_.encoding == "utf-8" else "encoding"
            raise Bad(f"text in {csv_.encoding}", f"not from byte {error.start}", reason, "line") from None
        if not csv_.quotes:
            return [cell.strip() for cell in text.split(csv_.separator)]
        try:
            return split_line(text, csv_.separator)
        except ValueError:
            raise Bad(QUOTES, NO_QUOTES, "columns", "line") from None


def _picker(picks: list[int]) -> Callable[[list[str]], tuple[str, ...]]:
    return lambda cells: tuple([cells[pick] for pick in picks])
