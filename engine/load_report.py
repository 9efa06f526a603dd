"""What a load would do: rows that are refused, by reason; fields, how filled and with what; samples.

Everything is bounded: distinct values, groups of refusals and positions are kept up to a number, then only
counted. Nothing that names a person is kept: texts are shown as `redact` lets them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.event import Event
from engine.language.model import FieldSpec
from engine.loading import Loaded
from engine.refusals import HIDDEN, Refusal, quote, redact

DISTINCT_AT_MOST = 20
"""Values of a field that are told apart; a field with more has many."""
GROUPS_AT_MOST = 50
POSITIONS = 3
SAMPLES = 3
FIELDS_AT_MOST = 2_000
"""Fields of profiles that are told apart: a JSON line may bring any."""
_LONG = 10**8
"""From here on a number may be somebody's: it is hidden, or written in another unit."""
OTHERS = "(others)"


@dataclass(slots=True)
class FieldSum:
    """What good rows held of a field."""

    filled: int = 0
    unknown: int = 0
    """Rows that make it unknown."""
    least: float | None = None
    most: float | None = None
    values: Counter[str] | None = field(default_factory=Counter)
    """Value as shown -> rows; None once there are too many."""

    def take(self, value: Any, type: str) -> None:
        """Count a value of a field of a type."""
        if value is None:
            self.unknown += 1
            return
        self.filled += 1
        if value.__class__ in (int, float):
            self.least = value if self.least is None else min(self.least, value)
            self.most = value if self.most is None else max(self.most, value)
        if self.values is None:
            return
        for item in value if value.__class__ is list else (value,):
            self.values[_shown(item, type)] += 1
        if len(self.values) > DISTINCT_AT_MOST:
            self.values = None


@dataclass(slots=True)
class Refused:
    """Refused rows of one reason and detail."""

    rows: int = 0
    positions: list[str] = field(default_factory=list)
    """Of the first ones."""


class LoadReport:
    """Adds up the rows of a dry run. `fields`: the catalogue's; a profile's others are told apart."""

    def __init__(self, fields: Mapping[str, FieldSpec] | None = None) -> None:
        self.good = 0
        self.refused: dict[tuple[str, str], Refused] = {}
        """By (reason, detail)."""
        self.fields: dict[str, FieldSum] = {}
        self.outside: dict[tuple[str, str], int] = {}
        """(field, text) in no closed list -> rows."""
        self.strange: Counter[str] = Counter()
        """Fields of profiles that the catalogue does not have -> rows."""
        self.samples: list[str] = []
        self._catalog = fields

    def take(self, loaded: Loaded) -> None:
        """Take what a good row becomes."""
        self.good += 1
        event = loaded.events[0]
        for name, value in _values(event).items():
            if name not in self.fields and len(self.fields) >= FIELDS_AT_MOST:
                name = OTHERS
            self.fields.setdefault(name, FieldSum()).take(value, self.type_of(name))
        profile = event.fields.get("profile")
        if self._catalog is not None and profile:
            self._check(profile, self._catalog)
        if len(self.samples) < SAMPLES:
            self.samples.append(sample(event, self.type_of))

    def refuse(self, refusal: Refusal) -> None:
        """Take a refused row."""
        group = (refusal.reason, redact(refusal.detail))
        if group not in self.refused and len(self.refused) >= GROUPS_AT_MOST:
            group = (refusal.reason, OTHERS)
        found = self.refused.setdefault(group, Refused())
        found.rows += 1
        if len(found.positions) < POSITIONS:
            found.positions.append(refusal.position)

    def _check(self, profile: Mapping[str, Any], catalog: Mapping[str, FieldSpec]) -> None:
        for name, value in profile.items():
            spec = catalog.get(name)
            if spec is None:
                if name in self.strange or len(self.strange) < DISTINCT_AT_MOST:
                    self.strange[name] += 1
                continue
            if spec.values:
                for item in value if value.__class__ is list else (value,):
                    if item is not None and item not in spec.values:
                        self.let_go(name, _shown(item))

    def type_of(self, name: str) -> str:
        """Return the type of a field of the catalogue, empty for others."""
        spec = None if self._catalog is None else self._catalog.get(name)
        return "" if spec is None else spec.type

    def let_go(self, name: str, text: str, rows: int = 1) -> None:
        """Take a text of a field that is in no closed list, shown as it may be."""
        key = (name, text)
        if key not in self.outside and len(self.outside) >= GROUPS_AT_MOST:
            key = (name, OTHERS)
        self.outside[key] = self.outside.get(key, 0) + rows


def figure(value: float, type: str) -> str:
    """Write a number of a field of a type; nine digits or more, which may be somebody's, are hidden."""
    if type == "bytes":
        for unit, worth in (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024)):
            if value >= worth:
                return (
                    f"{value / worth:,.4g} {unit}"
                    if value < 10_000 * worth
                    else f"{value / worth:,.0f} {unit}"
                )
    return f"{value:,}" if abs(value) < _LONG else HIDDEN


def sample(event: Event, type_of: Callable[[str], str]) -> str:
    """Return a record as the log would hold it, whose it is hidden. `type_of`: of a field."""
    hidden = ("subscriber_key", "source", "id", "t")
    shown = {name: value for name, value in event.fields.items() if name not in hidden}
    if "msisdn" in shown:
        shown["msisdn"] = HIDDEN
    if "profile" in shown:
        shown["profile"] = {
            name: figure(value, type_of(name))
            if value.__class__ in (int, float) and value >= _LONG
            else value
            for name, value in shown["profile"].items()
        }
    return redact(orjson.dumps(shown))


def _values(event: Event) -> dict[str, Any]:
    fields = event.fields
    found = dict(fields.get("profile", {}))
    for name in ("timezone", "about"):
        if name in fields:
            found[name] = fields[name]
    if "msisdn" in fields:
        found["msisdn"] = HIDDEN
    for purpose, value in (fields.get("consent") or {}).items():
        found[f"consent.{purpose}"] = value
    return found


def _shown(value: Any, type: str = "") -> str:
    if value is True or value is False:
        return "yes" if value else "no"
    return quote(value)[1:-1] if value.__class__ is str else figure(value, type)
