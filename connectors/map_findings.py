"""Counts over a whole sample of xDR rows: what became of them, what is filled, what comes twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from connectors.column_map import ColumnMap
from engine.event import Event

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
class Findings:
    """What a map made of a sample. `now`: µs, of the wall clock."""

    columns: ColumnMap
    now: int
    lines: int = 0
    blank: int = 0
    cut: str = ""
    """Why the sample could not be read to its end."""
    rows: Counter[str] = field(default_factory=Counter)
    """`headers`, `skipped`, `damaged.NAME`: as `Rows.counts`."""
    refused: dict[str, Refused] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)
    """Records with a field."""
    widths: Counter[int] = field(default_factory=Counter)
    unread: Counter[int] = field(default_factory=Counter)
    """Column -> rows with text in it, of those the map does not look at."""
    identities: Counter[str] = field(default_factory=Counter)
    """Records by what names their subscriber: `imsi`, `msisdn`, `imsi msisdn`, ..."""
    earliest: int = 0
    latest: int = 0
    ahead: int = 0
    copies: int = 0
    """Rows that came before, byte for byte."""
    clashes: int = 0
    """Other rows with the id of one before: the natural key does not tell them apart."""
    first_clash: tuple[int, int] = (0, 0)
    _ids: dict[str, tuple[int, int]] = field(default_factory=dict)
    _subscribers: set[str] = field(default_factory=set)
    _used: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        """Know which columns are looked at."""
        self._used = frozenset((*self.columns.used, *self.columns.id))

    def width(self, cells: list[bytes]) -> None:
        """Count how many columns a row has, and which of them nobody reads."""
        self.widths[len(cells)] += 1
        for column, cell in enumerate(cells, 1):
            if cell and column not in self._used and column <= self.columns.columns.at_least:
                self.unread[column] += 1

    def applied(self, number: int, line: bytes, event: Event, identity: frozenset[str]) -> None:
        """Count a row that became a record."""
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
                self._ids[event.id or ""] = (number, hash(line))
        elif seen[1] == hash(line):
            self.copies += 1
        else:
            self.clashes += 1
            if self.clashes == 1:
                self.first_clash = (seen[0], number)

    @property
    def records(self) -> int:
        """Rows that became records."""
        return self.kinds.total()

    @property
    def refusals(self) -> int:
        """Rows that were refused."""
        return sum(each.count for each in self.refused.values())

    @property
    def never_filled(self) -> list[str]:
        """Fields of the map that no record has; of handsets what the log keeps instead counts."""
        instead = {"imei": ("tac8", "quality"), "imeisv": ("tac8", "quality")}
        return [
            name
            for name in self.columns.fields
            if not any(self.filled[each] for each in (name, *instead.get(name, ())))
        ]

    @property
    def problems(self) -> list[str]:
        """What has to be seen to before a feed is read by this map, in sentences."""
        found = []
        rows = self.records + self.refusals
        if not self.records:
            found.append("expected at least one row that becomes a record, was none")
        elif self.refusals > REFUSED_AT_MOST * rows:
            share = f"{self.refusals / rows:.1%} of {rows:,} rows"
            found.append(f"expected at most {REFUSED_AT_MOST:.0%} of the rows refused, was {share}")
        if self.clashes:
            first, other = self.first_clash
            found.append(
                f"expected the columns of id to tell rows apart, was {_rows(self.clashes)} with the id of"
                f" another one: first in lines {first} and {other}"
            )
        if self.ahead:
            found.append(
                f"expected times at most 1 h ahead of the clock, was {_rows(self.ahead)} later:"
                " is utc_offset right?"
            )
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain JSON."""
        records = self.records
        layout = self.columns.layout
        return {
            "lines": self.lines,
            "headers": self.rows["headers"],
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
                for name in self.columns.fields
                if records
            ],
            "never_filled": self.never_filled if records else [],
            "widths": {str(width): count for width, count in self.widths.most_common(10)},
            "unused_columns": [
                {"column": column, "named": layout.get(column, ""), "rows": count}
                for column, count in sorted(self.unread.items())
            ],
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

    def _filled(self, name: str) -> int:
        if name in ("imei", "imeisv"):
            return max(self.filled["tac8"], self.filled[name])
        return self.filled[name]


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"
