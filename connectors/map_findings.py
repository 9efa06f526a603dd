"""Counts over a whole sample by a map: what became of its records, what is filled, what comes twice.

Of rows by a column map, and of messages by a field map: both are told alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, ClassVar

from connectors.column_map import ColumnMap
from connectors.field_map import FieldMap
from engine.event import Event
from engine.refusals import Refusal

KEPT_AT_MOST = 1_000_000
"""Ids and subscribers that are kept to be compared, about 150 bytes each."""
REFUSED_AT_MOST = 0.05
"""Share of refused rows above which the map is taken for wrong: of the real rows 2.1 % have mangled times."""
AHEAD = 3_600_000_000
"""µs ahead of the clock beyond which a collector refuses a record (semantics.md 7 r)."""


@dataclass(slots=True)
class Refused:
    """Rows refused for one reason."""

    first_line: int
    detail: str
    """Of the first."""
    count: int = 0


@dataclass(slots=True)
class Findings(ABC):
    """What a map made of a sample. `now`: µs, of the wall clock."""

    UNIT: ClassVar[str]
    """What is counted: "row"."""
    WHOLE: ClassVar[str]
    """What records are made of: "row"."""
    KEY: ClassVar[str]
    """What the natural key is made of: "columns"."""

    names: Collection[str]
    """Fields of the map."""
    now: int
    lines: int = 0
    blank: int = 0
    cut: str = ""
    """Why the sample could not be read to its end."""
    rows: Counter[str] = field(default_factory=Counter)
    """`headers`, `skipped`, `damaged.NAME`: as `Intake.passed`."""
    refused: dict[str, Refused] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)
    """Records with a field."""
    identities: Counter[str] = field(default_factory=Counter)
    """Records by what names their subscriber: `imsi`, `msisdn`, `imsi msisdn`, ..."""
    earliest: int = 0
    latest: int = 0
    ahead: int = 0
    copies: int = 0
    """Records that came before, byte for byte."""
    clashes: int = 0
    """Other records with the id of one before: the natural key does not tell them apart."""
    first_clash: tuple[int, int] = (0, 0)
    _ids: dict[str, tuple[int, int]] = field(default_factory=dict)
    _subscribers: set[str] = field(default_factory=set)

    def refuse(self, line: int, refusal: Refusal) -> None:
        """Count what was refused; of each reason the first is told."""
        self.refused.setdefault(refusal.reason, Refused(line, refusal.detail)).count += 1

    def applied(self, number: int, raw: bytes, event: Event, identity: frozenset[str]) -> None:
        """Count what became a record. `number`: of its line; `raw`: what it was made of."""
        self.kinds[event.kind] += 1
        self.filled.update(event.fields.keys())
        self.filled.update(identity)
        self.identities[" ".join(sorted(identity))] += 1
        if event.t > self.now + AHEAD:
            self.ahead += 1
        self.earliest = min(self.earliest or event.t, event.t)
        self.latest = max(self.latest, event.t)
        if len(self._subscribers) < KEPT_AT_MOST:
            self._subscribers.add(event.key)
        seen = self._ids.get(event.id or "")
        if seen is None:
            if len(self._ids) < KEPT_AT_MOST:
                self._ids[event.id or ""] = (number, hash(raw))
        elif seen[1] == hash(raw):
            self.copies += 1
        else:
            self.clashes += 1
            if self.clashes == 1:
                self.first_clash = (seen[0], number)

    @property
    def records(self) -> int:
        """How many became records."""
        return self.kinds.total()

    @property
    def refusals(self) -> int:
        """How many were refused."""
        return sum(each.count for each in self.refused.values())

    @property
    def never_filled(self) -> list[str]:
        """Fields of the map that no record has; of handsets what the log keeps instead counts."""
        instead = {"imei": ("tac8", "quality"), "imeisv": ("tac8", "quality")}
        return [
            name
            for name in self.names
            if not any(self.filled[each] for each in (name, *instead.get(name, ())))
        ]

    @property
    def problems(self) -> list[str]:
        """What has to be seen to before a feed is read by this map, in sentences."""
        found = []
        rows = self.records + self.refusals
        if not self.records:
            found.append(f"expected at least one {self.WHOLE} that becomes a record, was none")
        elif self.refusals > REFUSED_AT_MOST * rows:
            share = f"{self.refusals / rows:.1%} of {rows:,} {self.UNIT}s"
            found.append(f"expected at most {REFUSED_AT_MOST:.0%} of the {self.UNIT}s refused, was {share}")
        if self.clashes:
            first, other = self.first_clash
            found.append(
                f"expected the {self.KEY} of id to tell {self.UNIT}s apart, was {self._units(self.clashes)}"
                f" with the id of another one: first in lines {first} and {other}"
            )
        if self.ahead:
            found.append(
                f"expected times at most 1 h ahead of the clock, was {self._units(self.ahead)} later:"
                " is utc_offset right?"
            )
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain JSON."""
        records = self.records
        return {
            "lines": self.lines,
            **self.parts(),
            "blank": self.blank,
            "skipped": self.rows["skipped"],
            "applied": records,
            "refused": self.refusals,
            "cut": self.cut or None,
            "reasons": [
                {"reason": reason, "rows": each.count, "first_line": each.first_line, "detail": each.detail}
                for reason, each in sorted(self.refused.items(), key=lambda item: -item[1].count)
            ],
            "damaged": {
                name.partition(".")[2]: count
                for name, count in self.rows.items()
                if name.startswith("damaged.")
            },
            "kinds": [
                {"kind": kind, "rows": count, "share": round(count / records, 4)}
                for kind, count in self.kinds.most_common()
            ],
            "fields": [
                {"field": name, "rows": self._filled(name), "share": round(self._filled(name) / records, 4)}
                for name in self.names
                if records
            ],
            "never_filled": self.never_filled if records else [],
            **self.shape(),
            "times": {"earliest": self.earliest, "latest": self.latest, "ahead": self.ahead}
            if records
            else None,
            "ids": {"copies": self.copies, "clashes": self.clashes},
            "subscribers": len(self._subscribers),
            "identity": [
                {"given": given.split(), "rows": count, "share": round(count / records, 4)}
                for given, count in self.identities.most_common()
            ],
            "problems": self.problems,
        }

    @abstractmethod
    def parts(self) -> dict[str, Any]:
        """Return what else the lines were."""

    @abstractmethod
    def shape(self) -> dict[str, Any]:
        """Return what was in the sample beside that which the map reads."""

    def _filled(self, name: str) -> int:
        if name in ("imei", "imeisv"):
            return max(self.filled["tac8"], self.filled[name])
        return self.filled[name]

    def _units(self, count: int) -> str:
        return f"{count:,} {self.UNIT}{'' if count == 1 else 's'}"


class RowFindings(Findings):
    """Of rows by a column map."""

    __slots__ = ("_columns", "_used", "unread", "widths")
    UNIT = WHOLE = "row"
    KEY = "columns"

    def __init__(self, columns: ColumnMap, now: int) -> None:
        Findings.__init__(self, columns.fields, now)
        self.widths: Counter[int] = Counter()
        self.unread: Counter[int] = Counter()
        """Column -> rows with text in it, of those the map does not look at."""
        self._columns = columns
        self._used = frozenset((*columns.used, *columns.id))

    def width(self, cells: list[bytes]) -> None:
        """Count how many columns a row has, and which of them nobody reads."""
        self.widths[len(cells)] += 1
        for column, cell in enumerate(cells, 1):
            if cell and column not in self._used and column <= self._columns.columns.at_least:
                self.unread[column] += 1

    def parts(self) -> dict[str, Any]:
        """Return how many lines were headers."""
        return {"headers": self.rows["headers"]}

    def shape(self) -> dict[str, Any]:
        """Return how wide rows are, and the columns that nobody reads."""
        layout = self._columns.layout
        return {
            "widths": {str(width): count for width, count in self.widths.most_common(10)},
            "unused_columns": [
                {"column": column, "named": layout.get(column, ""), "rows": count}
                for column, count in sorted(self.unread.items())
            ],
        }


class MessageFindings(Findings):
    """Of messages by a field map: one may hold many records, so these are counted."""

    __slots__ = ("empty", "messages", "outside", "unread")
    UNIT = "record"
    WHOLE = "message"
    KEY = "paths"

    def __init__(self, fields: FieldMap, now: int) -> None:
        Findings.__init__(self, fields.fields, now)
        self.messages = 0
        """Lines that are messages, whatever became of them."""
        self.empty = 0
        """Messages without any record in them: an empty array."""
        self.unread: Counter[str] = Counter()
        """Path -> how often a value was there, of those the map does not look at."""
        self.outside: list[str] = []
        """Paths of the map to what stands around a message, which a sample does not have."""

    @property
    def problems(self) -> list[str]:
        """What has to be seen to; a sample whose messages take many lines each is known."""
        # not super(): a class with slots is made anew
        found: list[str] = Findings.problems.fget(self)  # type: ignore[attr-defined]
        broken = self.refused.get("json")
        if not self.records and broken is not None:
            said = f"expected a JSON message on each line, was none on {broken.count:,} lines"
            found.append(f"{said}: `jq -c .` writes each on one")
        return found

    def parts(self) -> dict[str, Any]:
        """Return how many messages the lines held, and how many records they."""
        records = self.records + self.refusals + self.rows["skipped"]
        return {"messages": self.messages, "empty": self.empty, "records": records}

    def shape(self) -> dict[str, Any]:
        """Return the paths that nobody reads, and those that no sample can have."""
        return {
            "unused_paths": [{"path": path, "values": count} for path, count in sorted(self.unread.items())],
            "not_in_a_sample": self.outside,
        }
