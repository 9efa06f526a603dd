"""A case's lines as records: the subscriber's profile, and what happens to them, in the order of time.

Records are plain dicts in intake shape (facts/signals.md) and go through the real intake. Times are µs UTC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from engine.language.model import Catalog
from engine.language.testing import Case, Step
from engine.localtime import is_timezone

IMSI: Final = "460000000000001"
"""The one subscriber of a test: a number that no network gives out."""
MSISDN: Final = "+8613800000000"


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that happens: a record, a tick too, or a restart of the engine (then `record` is None)."""

    t: int
    line: int
    """Line of the test file that says so."""
    record: dict[str, Any] | None


class Map:
    """Cells to be seen at: inside a place, and outside of all."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._taken: dict[str, int] = {}
        """Cell -> in how many places it lies."""
        for place in catalog.places.values():
            for cell in set(place.cells):
                self._taken[cell] = self._taken.get(cell, 0) + 1

    def inside(self, place: str) -> str | None:
        """Return the place's cell that lies in the fewest other places, None if it has no cells."""
        return min(self._catalog.places[place].cells, key=self._taken.__getitem__, default=None)

    @property
    def outside(self) -> str:
        """A cell of no place."""
        cell = "area:outside"
        while cell in self._taken:
            cell += "-"
        return cell


def profile(case: Case) -> dict[str, Any]:
    """Write the `profile.update` record of a case's subscriber; what is unknown is left out."""
    fields = {name: value for name, value in case.given.items() if value is not None and name != "timezone"}
    record: dict[str, Any] = {
        "kind": "profile.update",
        "t": case.starts,
        "imsi": IMSI,
        "msisdn": MSISDN,
        "profile": {name: list(v) if isinstance(v, list) else v for name, v in fields.items()},
        "consent": {purpose: given for purpose, given in case.consent.items() if given is not None},
    }
    if case.given.get("timezone") is not None:
        record["timezone"] = case.given["timezone"]
    return record


def unusable(case: Case, catalog: Catalog) -> str | None:
    """Say what of a case no record can carry, or None."""
    zone = case.given.get("timezone")
    if isinstance(zone, str) and not is_timezone(zone):
        return f"timezone: expected an IANA name such as `Asia/Shanghai`, was `{zone}`"
    for step in case.events:
        if step.place and not catalog.places[step.place].cells:
            return f"line {step.line}: expected a place with cells, was `{step.place}`, which has none"
    return None


def deeds(case: Case, catalog: Catalog) -> list[Deed]:
    """Write out everything that happens, in the order of time; of equal times the line written first."""
    place = Map(catalog)
    written: Counter[int] = Counter()
    found: list[Deed] = []
    for step in case.events:
        if step.verb == "feeds_down":
            found += _ticks(step, case)
            continue
        found += _repeat(step, case.starts, place, written[step.line])
        written[step.line] += step.times
    return sorted(found, key=lambda deed: deed.t)


def _ticks(step: Step, case: Case) -> Iterator[Deed]:
    """Write the ticks at which feeds go down and are up again; each names all that are down from then on."""
    for at in (step.at, *((step.at + step.lasts,) if step.lasts else ())):
        down = {
            kind
            for other in case.events
            if other.at <= at and not (other.lasts and other.at + other.lasts <= at)
            for kind in other.feeds
        }
        t = case.starts + at
        yield Deed(t, step.line, {"kind": "tick", "t": t, "down": sorted(down)})


def _repeat(step: Step, starts: int, place: Map, before: int) -> Iterator[Deed]:
    """`before`: how many records the line has already, so that no two are copies of each other."""
    for number in range(step.times):
        t = starts + step.at + number * step.every
        record = None if step.verb == "restart" else _record(step, t, before + number, place)
        yield Deed(t, step.line, record)


def _record(step: Step, t: int, number: int, place: Map) -> dict[str, Any]:
    record: dict[str, Any] = {"kind": "loc.update", "t": t, "imsi": IMSI, "id": f"{step.line}.{number}"}
    if step.verb == "happens":
        record["kind"] = step.event
        record.update(
            (name, list(value) if isinstance(value, list) else value)
            for name, value in step.fields.items()
            if value is not None
        )
        if step.place:
            record["cell"] = place.inside(step.place)
    else:
        record["cell"] = place.outside if step.verb == "leaves" else place.inside(step.place)
    return record
