"""Parquet as rows: one row group after the other, a few thousand rows at a time, the map's columns only.

Needs the extra `parquet` (pyarrow).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from connectors.loads.load_map import FileMap
from connectors.loads.rows import Row, place_of
from connectors.loads.values import NO_TIME
from engine.errors import InputError

AT_A_TIME = 2_000
"""Rows turned into Python objects at a time."""
MAGIC = b"PAR1"


class Parquet:
    """The rows of a Parquet file. Raises InputError if it can't be read or lacks a column of the map."""

    def __init__(self, path: Path, file_map: FileMap, *, source: str) -> None:
        self._path = path
        self._map = file_map
        self._source = source
        self._number = 0
        self.head: tuple[int, bytes] | None = None
        """Nothing: columns have their names in the file."""

    def __iter__(self) -> Iterator[tuple[int, Row]]:
        """Yield (row number from 1, row)."""
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError:
            raise InputError(
                str(self._path), "pyarrow, the extra touchpoint[parquet]", "not installed"
            ) from None
        try:
            with parquet.ParquetFile(self._path) as file:
                yield from self._rows(file)
        except (pyarrow.ArrowException, OSError) as error:
            said = str(error).partition("\n")[0]
            raise InputError(f"{self._path}:{self._number + 1}", "Parquet to its end", said) from None

    def place(self) -> bytes:
        """Return the number of the last row given."""
        return orjson.dumps({"number": self._number})

    def go_on(self, place: bytes) -> int:
        """Go on from a place; return the number of the last row before it."""
        self._number = int(place_of(place, "number")["number"])
        return self._number

    def end(self) -> bytes:
        """Keep nothing: the file is done, and may be loaded again."""
        return b""

    def _rows(self, file: Any) -> Iterator[tuple[int, Row]]:
        columns = list(self._map.columns)
        known = tuple(file.schema_arrow.names)
        for name in columns:
            if name not in known:
                raise self._map.no_column(name, known)
        before = 0
        for group in range(file.metadata.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if before + rows > self._number:
                skip = self._number - before
                for batch in file.iter_batches(AT_A_TIME, row_groups=[group], columns=columns):
                    if skip >= batch.num_rows:
                        skip -= batch.num_rows
                        continue
                    cells = [_values(batch.column(name).slice(skip)) for name in columns]
                    skip = 0
                    for row in zip(*cells, strict=True):
                        self._number += 1
                        yield self._number, row
            before += rows


def _values(column: Any) -> list[Any]:
    """Return the cells of a column; one that Python can't hold costs its own row only."""
    try:
        return list(column.to_pylist())
    except (OverflowError, ValueError):
        return [_value(cell) for cell in column]


def _value(cell: Any) -> Any:
    try:
        return cell.as_py()
    except UnicodeDecodeError as error:
        return error.object
    except (OverflowError, ValueError):
        return NO_TIME
