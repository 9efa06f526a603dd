"""The cells table: `catalog/cells.csv` or several files `catalog/cells-*.csv` to one `CellTable`.

Columns `cell`, `lat`, `lon`, `range_m`; `azimuth`, `beam`, `rat`, `tac`, `site` if the network's planning
knows them; others are for people. Separated by commas, semicolons or tabs, quoted as RFC 4180 has it, with or
without a byte order mark, lines ended either way; a row is a line. A cell without both `lat` and `lon` is
known and has no place on the map.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from engine.cells import Cell, CellTable
from engine.csv_line import split_line
from engine.errors import InputError
from engine.language.lengths import FARTHEST
from engine.language.problems import Problem, Severity
from engine.language.suggest import closest
from engine.paths import FILE, FOLDER, kind_of

NAME: Final = re.compile(r"cells(?:-[^/]*)?\.csv")
"""Of a file of the table, below catalog/."""
CELL: Final = re.compile(r"[0-9]{3}-[0-9]{2,3}-[0-9]+(?:-[0-9]+)?|area:\S+")
"""How a cell is written: PLMN, location area if the radio has one, number of the cell."""
NEEDED: Final = ("cell", "lat", "lon", "range_m")
OPTIONAL: Final = ("azimuth", "beam", "rat", "tac", "site")
TABLE: Final = "cells.csv"
BEAM: Final = 120.0
"""Degrees, of a cell with a direction and no width: three sectors make a site."""
SHOWN: Final = 20
"""Problems of one file that are told one by one."""

_COLUMNS: Final = f"the first line names the columns: {', '.join(f'`{each}`' for each in NEEDED)}"
TELLING: Final = ("lat", "lon", "range_m")
"""One of these in the first line makes a file a table, not a place's list of cells."""
_OTHER_NAMES: Final = {
    "latitude": "lat", "longitude": "lon", "lng": "lon", "long": "lon", "range": "range_m",
    "radius": "range_m", "radius_m": "range_m", "coverage_m": "range_m", "cell_id": "cell", "cgi": "cell",
    "ecgi": "cell", "beamwidth": "beam", "bearing": "azimuth", "lac": "tac", "site_id": "site",
    "site_name": "site", "enodeb": "site",
}  # fmt: skip
"""What others call the columns -> what we do: for hints."""


@dataclass(frozen=True, slots=True)
class TableFile:
    """One file as read. `lines`: cell -> its line, from 1; `rows`: the lines themselves."""

    path: str
    rows: tuple[str, ...]
    cells: tuple[Cell, ...]
    unplaced: tuple[str, ...]
    lines: Mapping[str, int]
    problems: tuple[Problem, ...]

    def problem(self, cell: str, code: str, said: str, hint: str, severity: Severity) -> Problem:
        """Make a problem of a cell, at its row."""
        line = self.lines[cell]
        source = self.rows[line - 1]
        col = source.find(cell) + 1 or 1
        return Problem(self.path, line, col, col + len(cell), code, said, hint, severity, source)


class _Bad(Exception):
    """A value that is not what its column holds."""

    def __init__(self, column: str, wanted: str, was: str, hint: str = "") -> None:
        super().__init__(wanted)
        self.column, self.wanted, self.was, self.hint = column, wanted, was, hint


def is_table(name: str, text: str) -> bool:
    """Tell whether a CSV file (its path below catalog/) is one of the cells table.

    An empty `cells.csv` is one, so that it is told as empty; any other empty file may be a place's list.
    """
    if NAME.fullmatch(name) is None:
        return False
    if _is_blank(text):
        return name == TABLE
    head, separator = _head(text)
    columns = {column.strip().strip('"').lower() for column in head.split(separator)}
    return any(_OTHER_NAMES.get(column, column) in TELLING for column in columns)


@lru_cache(maxsize=4)
def read_file(path: str, text: str) -> TableFile:
    """Read one file. Never raises: what is wrong is in `problems`. Cached: the table seldom changes."""
    return _Reader(path, text.removeprefix("\ufeff")).read()


def join(files: list[TableFile]) -> tuple[CellTable, list[Problem]]:
    """Put files together; of a cell that two of them have, the first counts."""
    cells: dict[str, Cell] = {}
    unplaced: dict[str, None] = {}
    problems: list[Problem] = []
    where: dict[str, str] = {}
    for file in files:
        entries: dict[str, Cell | None] = {cell.cell: cell for cell in file.cells}
        entries.update(dict.fromkeys(file.unplaced))
        twice = [name for name in entries if name in where]
        for name in twice[:SHOWN]:
            said = f"`{name}` is given twice; first in `{where[name]}`"
            same: Severity = "warning" if cells.get(name) == entries[name] else "error"
            problems.append(file.problem(name, "R701", said, "delete one of them", same))
        if len(twice) > SHOWN:
            said = f"and {len(twice) - SHOWN:,} more cells that are given twice"
            problems.append(Problem(file.path, 1, 1, 1, "R701", said, "", "error"))
        for name, cell in entries.items():
            if where.setdefault(name, file.path) != file.path:
                continue
            if cell is None:
                unplaced[name] = None
            else:
                cells[name] = cell
    return CellTable(cells.values(), unplaced), problems


def load_cells(path: Path) -> CellTable:
    """Load a table for whoever asks for positions only: one file, or all of a folder `catalog`.

    Raises `InputError` with the first thing that is wrong, or if there is no table.
    """
    table, problems = look_at_cells(path)
    if table is None:
        problem = next(each for each in problems if each.severity == "error")
        where = f"{problem.path}:{problem.line}:{problem.col}"
        raise InputError(where, "a row of a cells table", problem.message)
    return table


def look_at_cells(path: Path) -> tuple[CellTable | None, list[Problem]]:
    """Load a table as `load_cells`; return it, None if there is an error, and all problems of its files."""
    kind = kind_of(path)
    files = [path] if kind == FILE else sorted(path.glob("cells*.csv")) if kind == FOLDER else []
    read = []
    for file in files:
        try:
            text = file.read_bytes().decode()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(str(file), "a cells table in UTF-8", type(error).__name__) from None
        if kind == FILE or is_table(file.name, text):
            read.append(read_file(str(file), text))
    if not read:
        raise InputError(str(path), f"a cells table: a CSV file with {', '.join(NEEDED)}", "none")
    table, twice = join(read)
    problems = [*(one for file in read for one in file.problems), *twice]
    return None if any(each.severity == "error" for each in problems) else table, problems


def _is_blank(text: str) -> bool:
    return not text.removeprefix("\ufeff").strip()


def _head(text: str) -> tuple[str, str]:
    """Return the first line and what separates its columns."""
    head = re.split(r"\r\n|[\r\n]", text.removeprefix("\ufeff"), maxsplit=1)[0]
    return head, max(",;\t", key=head.count)


class _Reader:
    """Reads one file row by row."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.rows = tuple(self.text.split("\n"))
        head, self.separator = _head(text)
        self.problems: list[Problem] = []
        self.untold: dict[Severity, int] = {"error": 0, "warning": 0}
        self.cells: dict[str, Cell] = {}
        self.unplaced: dict[str, None] = {}
        self.lines: dict[str, int] = {}
        self.columns = [column.lower() for column in self._split(1, head)]
        self.at = {name: at for at, name in reversed(list(enumerate(self.columns)))}

    def read(self) -> TableFile:
        if self._check_columns():
            for number, row in self._rows():
                self._take(number, row)
            if not self.lines and not self.problems:
                self._add(1, 1, "this table has no cells", "a line for each cell below the first")
            for severity, count in self.untold.items():
                if count:
                    said = f"and {count:,} more rows that are not right"
                    self.problems.append(Problem(self.path, 1, 1, 1, "R701", said, "", severity))
        return TableFile(
            self.path,
            self.rows,
            tuple(self.cells.values()),
            tuple(self.unplaced),
            self.lines,
            tuple(self.problems),
        )

    def _check_columns(self) -> bool:
        if _is_blank(self.text):
            self._add(1, 1, "this table is empty", _COLUMNS)
            return False
        if not self.columns:
            return False  # told: its quotes are not right
        missing = [name for name in NEEDED if name not in self.at]
        hints = {}
        for column in self.columns:
            if column in NEEDED or column in OPTIONAL:
                continue
            meant = _OTHER_NAMES.get(column) or (closest(column, (*NEEDED, *OPTIONAL)) if column else None)
            if meant is not None and meant not in self.at and meant not in hints:
                hints[meant] = column
        for name in missing:
            hint = f"rename the column `{hints[name]}`" if name in hints else ""
            self._add(1, 1, f"this table has no column `{name}`", hint or _COLUMNS)
        for name in OPTIONAL:
            if name in hints:
                said = f"the column `{hints[name]}` is not read"
                self._add(1, 1, said, f"did you mean `{name}`?", "warning")
        twice = {name for name in (*NEEDED, *OPTIONAL) if self.columns.count(name) > 1}
        for name in sorted(twice):
            self._add(1, 1, f"this table has two columns `{name}`")
        return not missing and not twice

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows below the first, each with its line."""
        for number, line in enumerate(self.rows[1:], 2):
            row = self._split(number, line)
            if any(row):
                yield number, row

    def _split(self, number: int, line: str) -> list[str]:
        """Return the values of a line; none, and tell it, if its quotes are not right."""
        try:
            return split_line(line, self.separator)
        except ValueError:
            said = "here a quote is not closed, or text stands behind one"
            self._add(number, 1, said, 'a value with quotes is written `"one ""two"" three"`')
            return []

    def _take(self, number: int, row: list[str]) -> None:
        name = self._value(row, "cell")
        try:
            if CELL.fullmatch(name) is None:
                raise _Bad("cell", "a cell such as `460-00-4301-101`", name)
            cell = self._cell(name, row)
        except _Bad as bad:
            col = self._column_of(number, bad.column)
            was = f"`{bad.was}`" if bad.was else "nothing"
            said = f"{bad.column}: expected {bad.wanted}, was {was}"
            self._add(number, col, said, bad.hint, "error", col + len(bad.was))
            return
        if name in self.lines:
            same = self.cells.get(name) == cell and (cell is not None or name in self.unplaced)
            said = f"`{name}` is given twice; first at line {self.lines[name]}"
            hint = "delete one of them" if same else "delete the one that is not right"
            self._add(number, self._column_of(number, "cell"), said, hint, "warning" if same else "error")
            return
        self.lines[name] = number
        if cell is None:
            self.unplaced[name] = None
        else:
            self.cells[name] = cell

    def _cell(self, name: str, row: list[str]) -> Cell | None:
        lat, lon = self._value(row, "lat"), self._value(row, "lon")
        if not lat and not lon:
            return None
        north, east = self._number("lat", lat, -90, 90), self._number("lon", lon, -180, 180)
        if north == 0 and east == 0:
            hint = "leave `lat` and `lon` empty where the position is not known"
            raise _Bad("lat", "the position of the site", f"{lat}{self.separator}{lon}", hint)
        reach = self._number("range_m", self._value(row, "range_m"), 0, FARTHEST)
        if reach == 0:
            raise _Bad("range_m", "more than 0 m", "0")
        azimuth, beam = self._value(row, "azimuth"), self._value(row, "beam")
        direction = self._number("azimuth", azimuth, 0, 360) % 360 if azimuth else None
        width = self._number("beam", beam, 0, 360) if beam else BEAM
        if width == 0:
            raise _Bad("beam", "more than 0 degrees", "0")
        if direction is None or width == 360:
            direction, width = None, 360.0
        rat, tac, site = (self._value(row, column) for column in ("rat", "tac", "site"))
        return Cell(name, north, east, reach, direction, width, rat, tac, site)

    def _number(self, column: str, text: str, low: float, high: float) -> float:
        wanted = f"a number from {low:g} to {high:,.0f}"
        try:
            value = float(text)
        except ValueError:
            hint = "write decimals with a point" if re.fullmatch(r"-?[0-9]+,[0-9]+", text) else ""
            raise _Bad(column, wanted, text, hint) from None
        if not low <= value <= high or "_" in text:  # no number is not between two
            hint = "are `lat` and `lon` swapped?" if column == "lat" and abs(value) <= 180 else ""
            raise _Bad(column, wanted, text, hint)
        return value

    def _value(self, row: list[str], column: str) -> str:
        at = self.at.get(column)
        return row[at] if at is not None and at < len(row) else ""

    def _column_of(self, number: int, column: str) -> int:
        """Return where in its line (from 1) the value of a column begins."""
        source = self.rows[number - 1]
        parts = source.split(self.separator)
        at = self.at[column]
        if '"' in source or at >= len(parts):
            return 1
        before = sum(len(part) + 1 for part in parts[:at])
        return before + len(parts[at]) - len(parts[at].lstrip()) + 1

    def _add(
        self, line: int, col: int, said: str, hint: str = "", severity: Severity = "error", end: int = 0
    ) -> None:
        told = sum(problem.severity == severity for problem in self.problems)
        if told >= SHOWN:
            self.untold[severity] += 1
            return
        source = self.rows[line - 1]
        self.problems.append(Problem(self.path, line, col, end or col, "R701", said, hint, severity, source))
