"""What a field map makes of a sample of messages: each path of some records, and counts over all of them.

Messages are JSON lines, as the topic has them. They go through the door itself (`FieldRecords.take`); this
only watches. Identities, phone numbers and all runs of nine digits or more that are no time are hidden unless
asked for: a sample is about customers. The sibling of `connectors.map_check`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, ClassVar

import orjson

from connectors.field_finders import Find, Pick, Roots, conditional, picker, value_finder
from connectors.field_map import FieldMap, kind_paths
from connectors.field_records import FieldRecords, shown
from connectors.lines import Lines
from connectors.map_findings import MessageFindings
from connectors.map_model import IDENTITY
from connectors.message_leaves import Unread
from connectors.message_path import Envelope, Path
from connectors.message_values import taker
from connectors.sample_shown import moment, shown_text, shown_value, tried, why
from engine.errors import InputError
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import Bad, Refusal, shown_name


@dataclass(frozen=True, slots=True)
class PathTold:
    """One way to one value: what stands at its path, and what was made of it."""

    path: str
    """Empty for what comes from no path: templates, sums, constants, and what intake adds."""
    text: str
    field: str
    value: str
    problem: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return it as a line of a table, see `MessageCheck.HEAD`."""
        return self.path, self.text, self.field, self.problem or self.value


@dataclass(frozen=True, slots=True)
class RecordTold:
    """What became of one record of a message."""

    line: int
    record: int
    """Which one of the message, from 1; 0: there was none to be found."""
    outcome: str
    """Its kind, `skipped`, or `refused`."""
    detail: str
    values: tuple[PathTold, ...]

    @property
    def place(self) -> str:
        """Where it stands in the sample."""
        return f"line {self.line}" + (f", record {self.record}" if self.record else "")

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        values = [
            {
                "path": told.path or None,
                "text": told.text,
                "field": told.field,
                "value": told.value,
                "problem": told.problem,
            }
            for told in self.values
        ]
        return {
            "line": self.line,
            "record": self.record,
            "outcome": self.outcome,
            "detail": self.detail,
            "values": values,
        }


@dataclass(frozen=True, slots=True)
class _Look:
    """One path that a map looks at, and for which field or helper."""

    path: str
    field: str
    is_time: bool
    pick: Pick
    find: Find | None
    """None: it says the kind."""


@dataclass(slots=True)
class MessageCheck:
    """Reads a sample of messages by a field map. Order of calls: `read`, then `rows` and `findings`.

    `wanted`: records to be told path by path; `now`: µs, to tell times that are ahead, and for `@timestamp`,
    which a sample does not have; `open`: hide nothing.
    """

    HEAD: ClassVar = ("path", "text", "field", "value")

    fields: FieldMap
    identity: Identity
    wanted: int
    now: int
    open: bool = False
    rows: list[RecordTold] = field(default_factory=list)
    findings: MessageFindings = field(init=False)
    _looks: list[_Look] = field(default_factory=list)
    _refusals: list[Refusal] = field(default_factory=list)
    _unread: Unread = field(init=False)
    _envelope: Envelope = field(init=False)

    def __post_init__(self) -> None:
        """Prepare to look at the paths one by one."""
        fields = self.fields
        self.findings = MessageFindings(fields, self.now)
        self._looks += [
            _Look(path, "kind", is_time=False, pick=picker(Path(path)), find=None)
            for path in dict.fromkeys(() if isinstance(fields.kind, str) else kind_paths(fields.kind))
        ]
        looked = [look.path for look in self._looks]
        for name, ways in fields.ways():
            for way in ways:
                looked += [] if way.when is None else [way.when.path]
                if way.path is None:
                    continue
                path = Path(way.path)
                take = taker(name, way, fields.utc_offset, fields.filler)
                find = conditional(value_finder(name, path, take), way)
                self._looks.append(_Look(way.path, name, way.type == "time", picker(path), find))
                looked.append(way.path)
        looked += fields.id
        self._unread = Unread(fields.each, looked, self.findings.unread)
        self.findings.outside = sorted({path for path in looked if path.startswith("@")})

    def read(self, path: FilePath) -> None:
        """Read JSON lines, plain or gzip. Raises InputError if there is nothing in them that can be read."""
        intake = Intake(self.identity, on_refused=self._refusals.append)
        records = FieldRecords(self.fields, intake)
        name = shown_name(path.name, self.identity.key)
        self._envelope = Envelope(timestamp=self.now // 1_000, topic=name)
        lines = Lines(path, intake, source=self.fields.source, name=name)
        try:
            for number, line in lines:
                self._settle(f"{name}:")
                self.findings.messages += 1
                self._take(records, intake, number, line, f"{name}:{number}")
                self._settle(f"{name}:")
        except InputError as error:
            if not lines.number:
                raise
            self.findings.cut = f"expected {error.expected} after line {lines.number}, was {error.was}"
        self._settle(f"{name}:")
        self.findings.lines, self.findings.blank = lines.number, lines.blank
        self.findings.rows.update(intake.passed)

    def _take(self, records: FieldRecords, intake: Intake, number: int, line: bytes, position: str) -> None:
        try:
            message = orjson.loads(line)
        except orjson.JSONDecodeError:
            intake.read(line, self.fields.source, position)
            self._tell(RecordTold(number, 0, "refused", why(self._refusals[0]), ()))
            return
        events = {
            event.position: event for event in records.take(message, position, position, self._envelope)
        }
        refusals = {refusal.position: refusal for refusal in self._refusals}
        whole = refusals.get(position)
        if whole is not None and whole.reason == "size":
            self._tell(RecordTold(number, 0, "refused", why(whole), ()))
            return
        self._unread.message(message)
        any_part = False
        for which, (part, around) in enumerate(records.parts(message), 1):
            any_part = True
            place = f"{position}#{which}"
            # a message that is one record has no number
            event = events.get(place) or events.get(position)
            refusal = refusals.get(place) or whole
            if not isinstance(part, Bad):
                self._unread.part(part)
            roots = (part, around, self._envelope.as_dict())
            if event is not None:
                self.findings.applied(number, shown(part), event, self._identity_of(roots))
            if len(self.rows) < self.wanted:
                values = () if isinstance(part, Bad) else tuple(self._values(roots, event))
                outcome = event.kind if event is not None else "refused" if refusal else "skipped"
                self._tell(RecordTold(number, which, outcome, why(refusal), values))
        self.findings.empty += not any_part

    def _tell(self, told: RecordTold) -> None:
        if len(self.rows) < self.wanted:
            self.rows.append(told)

    def _settle(self, name: str) -> None:
        """Count what was refused of one line; before it, of lines too long to be handed out."""
        for refusal in self._refusals:
            line = int(refusal.position.removeprefix(name).partition("#")[0])
            self.findings.refuse(line, refusal)
        self._refusals.clear()

    def _identity_of(self, roots: Roots) -> frozenset[str]:
        """Name the fields of identity that a record has."""
        looks = [look for look in self._looks if look.field in IDENTITY]
        return frozenset(look.field for look in looks if _value(look, roots)[0] is not None)

    # -- one record, told ------------------------------------------------------------------------------------

    def _values(self, roots: Roots, event: Event | None) -> Iterator[PathTold]:
        fields: dict[str, Any] = {} if event is None else event.fields
        read = set()
        for look in self._looks:
            found = look.pick(roots)
            value, problem = _value(look, roots)
            if look.find is None:
                value = None if found is None else fields.get("kind")
            read.add(look.field)
            plain = look.is_time and value is not None
            yield PathTold(
                look.path,
                self._text(look.field, found, plain=plain),
                look.field,
                self._value(look, value),
                problem,
            )
        for name, value in fields.items():
            if name not in read:
                yield PathTold("", "", name, shown_value(name, value, self.identity, open=self.open))

    def _value(self, look: _Look, value: Any) -> str:
        if value is None:
            return ""
        if look.is_time:
            return moment(value)
        return shown_value(look.field, value, self.identity, open=self.open)

    def _text(self, name: str, found: Any, *, plain: bool) -> str:
        if found is None:
            return ""
        text = found if isinstance(found, str) else shown(found).decode("utf-8", "replace")
        return shown_text(name, text, open=self.open, plain=plain)


def _value(look: _Look, roots: Roots) -> tuple[Any, str]:
    """Return what a path gives, and what is wrong with it."""
    if look.find is None:
        return None, ""
    find = look.find
    return tried(lambda: find(roots, {}))
