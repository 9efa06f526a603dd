"""Lines that came over TCP -> records: JSON, a record or an array of them per line, or rows by a column map.

A line is known by what stands in it: the same one sent again after a broken connection is applied once. One
that was refused has `NAME#CONNECTION:LINE` as its position; the connection is counted since the start.
"""

from __future__ import annotations

from hashlib import blake2b

from connectors.column_map import ColumnMap
from connectors.push.door import PushDoor
from connectors.push.remembered import MARK
from connectors.push.tcp_server import SHOWN, Block
from connectors.xdr_files import Rows
from engine.event import Event
from engine.intake import Intake


class LineTaker:
    """Takes blocks of lines. `columns`: how they are delimited; None: JSON."""

    def __init__(self, name: str, columns: ColumnMap | None, line_bytes: int) -> None:
        self._name = name
        self._columns = columns
        self._most = line_bytes
        self._intake: Intake
        self._door: PushDoor
        self._rows: Rows | None = None

    def open(self, intake: Intake, door: PushDoor) -> None:
        """Work with an intake from now on."""
        self._intake, self._door = intake, door
        self._rows = None if self._columns is None else Rows(self._columns, intake)
        self._hash = blake2b(b"lines\0", digest_size=MARK, key=intake.identity.key)

    def take(self, content: Block, events: list[Event]) -> bool:
        """Add the events of a block; its sender is told of its lines, refused ones too."""
        source = self._name if self._columns is None else self._columns.source
        number = content.first
        for raw in content.lines:
            line = raw[:-1] if raw.endswith(b"\r") else raw
            position = f"{self._name}#{content.connection}:{number}"
            if content.problem == "file":
                detail = f"expected a line end, was the end of the connection after {content.size} bytes"
                self._intake.refuse("file", detail, source, position, line[:SHOWN])
            elif content.problem or len(line) > self._most:
                detail = f"expected at most {self._most} bytes, was {content.size or len(line)}"
                if self._is_new(line):
                    self._intake.refuse("size", detail, source, position, line[:SHOWN])
            elif line and not line.isspace() and self._is_new(line):
                if self._rows is None:
                    events += self._intake.read(line, source, position)
                else:
                    # the first lines of a file have numbers, those of a connection may be any
                    event = self._rows.take(1 << 31, line, position)
                    if event is not None:
                        events.append(event)
            number += 1
        self._door.counts["lines"] += len(content.lines)
        return True

    def _is_new(self, line: bytes) -> bool:
        mark = self._hash.copy()
        mark.update(line)
        return self._door.is_new(mark.digest())
