"""What a column map makes of a sample of its files: each column of some rows, and counts over all of them.

Rows go through the door itself (`Rows.take`); this only watches. Identities, phone numbers and all runs of
nine digits or more that are no time are hidden unless asked for: a sample is a file of customers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from connectors.column_map import IDENTITY, ColumnMap, name_and_meaning
from connectors.column_spec import KindSpec
from connectors.lines import Lines
from connectors.map_findings import RowFindings
from connectors.sample_shown import shown_text, shown_value, tried, why
from connectors.xdr_files import Rows
from connectors.xdr_values import Read, stripped
from engine.errors import InputError
from engine.event import Event
from engine.identity import Identity
from engine.intake import YEAR_2000, YEAR_2100, Intake
from engine.refusals import Refusal, shown_name
from engine.treatments.flags import GUESSED_TIME


@dataclass(frozen=True, slots=True)
class Told:
    """One value of one row: the column it stands in, and what was made of it."""

    column: int
    """From 1; 0 for what comes from no column: templates, sums, constants, and what intake adds."""
    named: str
    """The column's name in the map's `layout`."""
    text: str
    field: str
    value: str
    problem: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return it as a line of a table, see `MapCheck.HEAD`."""
        column, name = str(self.column) if self.column else "", name_and_meaning(self.named)[0]
        return column, name, self.text, self.field, self.problem or self.value


@dataclass(frozen=True, slots=True)
class RowTold:
    """What became of one row."""

    line: int
    outcome: str
    """Its kind, `skipped`, or `refused`."""
    detail: str
    values: tuple[Told, ...]

    @property
    def place(self) -> str:
        """Where it stands in the sample."""
        return f"line {self.line}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        values = [
            {
                "column": told.column or None,
                "named": told.named,
                "text": told.text,
                "field": told.field,
                "value": told.value,
                "problem": told.problem,
            }
            for told in self.values
        ]
        return {"line": self.line, "outcome": self.outcome, "detail": self.detail, "values": values}


@dataclass(slots=True)
class _Look:
    """One column that a map looks at, and for which field or helper."""

    column: int
    field: str
    read: Read
    is_time: bool
    when: tuple[int, frozenset[bytes]] | None = None

    def applies(self, cells: list[bytes]) -> bool:
        """Say whether it is looked at in a row."""
        return self.when is None or (
            self.when[0] <= len(cells) and cells[self.when[0] - 1].strip() in self.when[1]
        )


@dataclass(slots=True)
class MapCheck:
    """Reads a sample by a map. Order of calls: `read`, then `rows` and `findings`.

    `shown`: rows to be told column by column; `now`: µs, to tell times that are ahead; `open`: hide nothing.
    """

    HEAD: ClassVar = ("column", "named", "text", "field", "value")

    columns: ColumnMap
    identity: Identity
    shown: int
    now: int
    open: bool = False
    rows: list[RowTold] = field(default_factory=list)
    findings: RowFindings = field(init=False)
    _refused: list[Refusal] = field(default_factory=list)
    _looks: list[_Look] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Prepare to read the columns one by one."""
        columns = self.columns
        self.findings = RowFindings(columns, self.now)
        if isinstance(columns.kind, KindSpec):
            self._looks += [
                _Look(column, "kind", bytes.decode, is_time=False)
                for column in dict.fromkeys(columns.kind.columns())
            ]
        for name, ways in columns.ways():
            for way in ways:
                if way.column is None:
                    continue
                look = _Look(
                    way.column,
                    name,
                    stripped(name, way, columns.utc_offset, columns.filler),
                    way.type == "time",
                )
                if way.when is not None:
                    look.when = way.when.column, frozenset(text.encode() for text in way.when.texts)
                self._looks.append(look)
        self._looks.sort(key=lambda look: look.column)

    def read(self, path: Path) -> None:
        """Read a sample, plain or gzip. Raises InputError if there is nothing in it that can be read."""
        intake = Intake(self.identity, on_refused=self._refused.append)
        taker = Rows(self.columns, intake)
        name = shown_name(path.name, self.identity.key)
        lines = Lines(path, intake, source=self.columns.source, name=name)
        try:
            for number, line in lines:
                event = taker.take(number, line, f"{name}:{number}")
                self._take(number, line, event, header=number <= self.columns.header_lines)
        except InputError as error:
            if not lines.number:
                raise
            self.findings.cut = f"expected {error.expected} after line {lines.number}, was {error.was}"
        self._settle_refusals(0)
        self.findings.lines, self.findings.blank = lines.number, lines.blank
        self.findings.rows.update(intake.passed)

    def _take(self, number: int, line: bytes, event: Event | None, *, header: bool) -> None:
        refusal = self._settle_refusals(number)
        if header:
            return
        cells = line.split(self.columns.separator.encode())
        findings = self.findings
        findings.width(cells)
        if event is not None:
            findings.applied(number, line, event, self._identity_of(cells))
        if len(self.rows) < self.shown:
            self.rows.append(self._told(number, cells, event, refusal))

    def _settle_refusals(self, number: int) -> Refusal | None:
        """Count what was refused since the row before; return the refusal of this row."""
        own = None
        for refusal in self._refused:
            line = int(refusal.position.rpartition(":")[2])
            self.findings.refuse(line, refusal)
            if line == number:
                own = refusal
        self._refused.clear()
        return own

    def _identity_of(self, cells: list[bytes]) -> frozenset[str]:
        """Name the fields of identity that a row has."""
        return frozenset(
            look.field
            for look in self._looks
            if look.field in IDENTITY and look.applies(cells) and _value(look, cells)[0] is not None
        )

    # -- one row, told ---------------------------------------------------------------------------------------

    def _told(self, number: int, cells: list[bytes], event: Event | None, refusal: Refusal | None) -> RowTold:
        fields: dict[str, Any] = {} if event is None else event.fields
        values = list(self._columns_of(cells, fields))
        read = {told.field for told in values if told.column}
        for name, value in fields.items():
            if name not in read:
                values.append(Told(0, "", "", name, shown_value(name, value, self.identity, open=self.open)))
        if refusal is not None:
            return RowTold(number, "refused", why(refusal), tuple(values))
        return RowTold(number, "skipped" if event is None else event.kind, "", tuple(values))

    def _columns_of(self, cells: list[bytes], fields: dict[str, Any]) -> Iterator[Told]:
        for look in self._looks:
            if not look.applies(cells):
                continue
            named = self.columns.layout.get(look.column, "")
            value, problem = _value(look, cells)
            text = cells[look.column - 1] if look.column <= len(cells) else b""
            if look.field == "kind":
                value = fields.get("kind", "")
            elif look.field in ("t", "t_start") and GUESSED_TIME in fields.get("quality", ()):
                value = fields.get(look.field)  # of the row before, which its `quality` says; no start
            shown = "" if value is None else shown_value(look.field, value, self.identity, open=self.open)
            plain = look.is_time and value is not None and YEAR_2000 <= value < YEAR_2100
            said = shown_text(
                look.field, text.decode("utf-8", "backslashreplace"), open=self.open, plain=plain
            )
            yield Told(look.column, named, said, look.field, shown, problem)


def _value(look: _Look, cells: list[bytes]) -> tuple[Any, str]:
    """Return what a column gives, and what is wrong with it."""
    if look.column > len(cells):
        return None, "expected the column, was none"
    if look.field == "kind":
        return None, ""
    return tried(lambda: look.read(cells[look.column - 1]))
