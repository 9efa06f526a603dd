"""The door for delimited xDR files: rows become records by a column map (`connectors.column_map`).

Lines are split raw, quoting off: User-Agents hold stray quotes on which CSV readers fail, and rows are of
uneven length, on which strict readers do (facts/signals.md). A bad row is refused with file, line and reason
and never stops the file: `columns` (how many), `time`, `number`, `value` (not in the map's list), `utf8`, and
the reasons of intake.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.column_map import ColumnMap, load_map
from connectors.lines import read_lines
from connectors.xdr_rows import RowReader
from connectors.xdr_values import known_of
from engine.event import Event
from engine.intake import Intake
from engine.refusals import Bad, shown_name

__all__ = ["Rows", "load_map", "rows"]


def rows(path: Path, columns: ColumnMap, intake: Intake) -> Iterator[Event]:
    """Yield the events of a file in its order, with `FILE:LINE` as position and the map's `source`.

    Ids are keyed hashes of the map's source and the columns of its natural key, so the same row of another
    copy of the file is a duplicate. Raises InputError as `read_lines` does.
    """
    taker = Rows(columns, intake)
    name = shown_name(path.name, intake.identity.key)
    for number, line in read_lines(path, intake, source=columns.source, name=name):
        event = taker.take(number, line, f"{name}:{number}")
        if event is not None:
            yield event


class Rows:
    """Takes rows by a column map; what becomes no event and is not refused is counted in `Intake.passed`."""

    def __init__(self, columns: ColumnMap, intake: Intake) -> None:
        self.columns = columns
        self._intake = intake
        self._source = columns.source
        self._header_lines = columns.header_lines
        self._passed = intake.passed
        self.reader = RowReader(columns, intake.identity.key, intake.passed)
        sure = {name: known_of(ways) for name, ways in columns.fields.items()}
        self._unsure = {kind: intake.unsure(kind, sure) for kind in columns.kinds}

    @property
    def before(self) -> int | None:
        """The time that a row would have whose own can't be read: part of the place to go on from."""
        return self.reader.times.before

    @before.setter
    def before(self, t: int | None) -> None:
        self.reader.times.before = t

    def take(self, number: int, line: bytes, position: str) -> Event | None:
        """Return the event of row `number` (from 1); None for a header, a row to skip, or one refused."""
        if number <= self._header_lines:
            self._passed["headers"] += 1
            return None
        try:
            fields: dict[str, Any] | None = self.reader.read(line)
        except Bad as bad:
            detail = f"{bad.field}: expected {bad.expected}, was {bad.was or 'empty'}"
            self._intake.refuse(bad.reason, detail, self._source, position, line)
            return None
        if fields is None:
            self._passed["skipped"] += 1
            return None
        return self._intake.record(fields, self._source, position, self._unsure[fields["kind"]])
