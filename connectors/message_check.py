"""What a field map makes of a sample of messages, path by path, and what fails: for `touchpoint map check`.

Messages are JSON lines, as the topic has them. They go through the door itself (`FieldRecords.take`); this
only watches. Identities, phone numbers and all runs of nine digits or more that are no time are hidden unless
asked for: a sample is about customers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import orjson

from connectors.field_finders import Find, Pick, Roots, conditional, picker, value_finder
from connectors.field_map import FieldMap
from connectors.field_records import FieldRecords, shown
from connectors.lines import read_lines
from connectors.map_check import moment
from connectors.message_path import NOTHING, Path
from connectors.message_values import taker
from engine.event import Event
from engine.field_checks import PERSONAL
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import Bad, Refusal, redact, shown_name

_SHOWN = 60
"""Characters of what was found or made of it that are shown."""


@dataclass(frozen=True, slots=True)
class PathTold:
    """One way to one value: what stands at its path, and what was made of it."""

    field: str
    path: str
    """Empty for what comes from no path: templates, sums, constants, and what intake adds."""
    found: str
    value: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RecordTold:
    """What became of one record of a message."""

    position: str
    outcome: str
    """Its kind, `skipped`, or `refused`."""
    detail: str
    values: tuple[PathTold, ...]


@dataclass(slots=True)
class MessageCheck:
    """Reads a sample of messages by a field map. Order of calls: `read`, then the rest.

    `wanted`: records to be told path by path; `open`: hide nothing.
    """

    fields: FieldMap
    identity: Identity
    wanted: int = 5
    open: bool = False
    told: list[RecordTold] = field(default_factory=list)
    messages: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """Records by kind; `skipped` and `refused` among them."""
    refused: Counter[str] = field(default_factory=Counter)
    """Refusals by reason."""
    first: dict[str, Refusal] = field(default_factory=dict)
    """The first refusal of each reason, with its place."""
    filled: Counter[str] = field(default_factory=Counter)
    """Records with a field."""
    _looks: list[tuple[str, str, bool, Pick, Find]] = field(default_factory=list)
    _refusals: list[Refusal] = field(default_factory=list)

    def read(self, path: FilePath) -> None:
        """Read a file of JSON lines, plain or gzip. Raises InputError if it can't be read."""
        intake = Intake(self.identity, on_refused=self._refusals.append)
        records = FieldRecords(self.fields, intake)
        self._looks = list(self._looked_at())
        name = shown_name(path.name, self.identity.key)
        for number, line in read_lines(path, intake, source=self.fields.source, name=name):
            self.messages += 1
            self._take(records, intake, line, f"{name}:{number}")
            self._settle()

    def _take(self, records: FieldRecords, intake: Intake, line: bytes, position: str) -> None:
        try:
            message = orjson.loads(line)
        except orjson.JSONDecodeError:
            intake.read(line, self.fields.source, position)
            return
        events = {event.position: event for event in records.take(message, position, position)}
        refusals = {refusal.position: refusal for refusal in self._refusals}
        for number, (part, whole) in enumerate(records.parts(message), 1):
            place = f"{position}#{number}"
            # a message that is one record has no number
            event = events.get(place) or events.get(position)
            refusal = refusals.get(place) or refusals.get(position)
            outcome = event.kind if event is not None else "skipped" if refusal is None else "refused"
            self.kinds[outcome] += 1
            if event is not None:
                self.filled.update(event.fields.keys())
            if len(self.told) < self.wanted:
                detail = "" if refusal is None else f"{refusal.reason}: {refusal.detail}"
                roots = (part, whole, NOTHING.as_dict())
                values = () if isinstance(part, Bad) else tuple(self._values(roots, event))
                self.told.append(RecordTold(f"{position}#{number}", outcome, detail, values))

    def _settle(self) -> None:
        """Count what was refused of one message."""
        for refusal in self._refusals:
            self.refused[refusal.reason] += 1
            self.first.setdefault(refusal.reason, refusal)
        self._refusals.clear()

    # -- one record, told ------------------------------------------------------------------------------------

    def _looked_at(self) -> Iterator[tuple[str, str, bool, Pick, Find]]:
        for name, ways in self.fields.ways():
            for way in ways:
                if way.path is None:
                    continue
                path = Path(way.path)
                take = taker(name, way, self.fields.utc_offset, self.fields.filler)
                find = conditional(value_finder(name, path, take), way)
                yield name, way.path, way.type == "time", picker(path), find

    def _values(self, roots: Roots, event: Event | None) -> Iterator[PathTold]:
        read = set()
        for name, path, is_time, pick, find in self._looks:
            found = pick(roots)
            value, problem = None, ""
            try:
                value = find(roots, {})
            except Bad as bad:
                problem = f"{bad.reason}: expected {bad.expected}, was {bad.was or 'empty'}"
            read.add(name)
            yield PathTold(
                name,
                path,
                self._shown(name, found, plain=is_time and value is not None),
                moment(value) if is_time and value is not None else self._shown(name, value),
                problem,
            )
        for name, value in ({} if event is None else event.fields).items():
            if name not in read:
                yield PathTold(name, "", "", moment(value) if name == "t" else self._shown(name, value))

    def _shown(self, name: str, value: Any, *, plain: bool = False) -> str:
        if value is None:
            return ""
        text = value if isinstance(value, str) else shown(value).decode("utf-8", "replace")
        if name in ("cell", "cell_prev"):
            plain = plain or all(len(step) < 10 for step in text.split("-"))
        if self.open or plain:
            return text[:_SHOWN]
        if name in PERSONAL or name == "number":
            return f"<{len(text)} characters>" if text else ""
        return redact(text)[:_SHOWN]
