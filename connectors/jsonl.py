"""The door for canonical JSON lines: one record, or an array of records, per line; plain or gzip."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from connectors.lines import read_lines
from engine.event import Event
from engine.intake import Intake
from engine.refusals import shown_name


def read_events(path: Path, intake: Intake, *, from_log: bool = False) -> Iterator[Event]:
    """Yield the events of a file in its order; what is wrong goes to `intake` with `FILE:LINE` and a reason.

    `from_log`: the file holds records of our own log (`subscriber_key`, no identity). The file's name serves
    as `source` of records without one. Raises InputError as `read_lines` does.
    """
    name = shown_name(path.name, intake.identity.key)
    read = intake.read_log if from_log else intake.read
    for number, line in read_lines(path, intake, source=name, name=name):
        yield from read(line, name, f"{name}:{number}")
