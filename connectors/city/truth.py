"""What really happened, without the faults of the feed: to score what the engine concludes from it.

Rows, in the order of time per subscriber, each with `imsi` and `what`:
- `person`: `msisdn job data home work` (cells), `home_place work_place beside` (keys of places, if any;
  `beside`: they live at the edge of it without ever being in it for that), `guest` (home network of an
  inbound roamer);
- `visit`: `place enter leave` (µs UTC; `leave` null if still there at the end), `also`: other places that
  share cells with it;
- `power` (`at`, `on`), `roaming` (`at`, `country`, null: back home), `handset` (`at`, `from`, `to`: TACs):
  what was really lived;
- a planted behaviour (`hotline-then-hall`, `competitor-calls`, `mall-dwell`, …): `at` and what belongs to it.

Two more come from the feed itself (`City.events`), in the order in which it makes them:
- `seen`: `place leave records`: how many records a visit has made, those that were lost or changed included;
- `record`: `id t done`, and `cell` if the true one is not named: what was done to a record. `done`: `late`
  (by 5 minutes or more), `no-msisdn no-cell no-origin wrong-cell bad-imei other-handset other-slot
  no-start copied flip false-roaming`; `lost`: a `kind` that never came, instead of an id. Of delimited files,
  `row` (`mangled-time extra-columns`) and `file` (`lost`, `doubled`) are told as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from engine.language.model import Catalog

from .geography import Site
from .people import Person, Step
from .planner import Planner


def truth_of(person: Person, planner: Planner, start: int, end: int) -> Iterator[dict[str, Any]]:
    """Yield the rows of one person for `[start, end)`. The person must be new: planning changes it."""
    yield _who(person)
    rows: list[tuple[int, dict[str, Any]]] = []
    steps: list[Step] = []
    day = planner.calendar.day_of(start)
    while planner.calendar.midnight(day) < end:
        for fact in planner.plan(person, day):
            if start <= fact["at"] < end:
                rows.append((fact["at"], fact))
        for t, _, do, what in person.steps:
            lived = _LIVED.get(do)
            if lived is not None and start <= t < end:
                rows.append((t, lived(person, t, what)))
            if do == "handset":
                person.model = what
            elif do == "online":
                person.data = max(person.data, 0.5)
        steps += person.steps
        day += timedelta(days=1)
    rows += ((visit["enter"], visit) for visit in _visits(person, steps, start, end, planner.town.catalog))
    rows.sort(key=lambda row: row[0])
    for _, row in rows:
        yield {"imsi": person.imsi, **row}


_LIVED: Final[Mapping[str, Callable[[Person, int, Any], dict[str, Any]]]] = {
    "off": lambda _, t, __: {"what": "power", "at": t, "on": False},
    "on": lambda _, t, __: {"what": "power", "at": t, "on": True},
    "roam": lambda _, t, network: {"what": "roaming", "at": t, "country": network[1]},
    "country": lambda _, t, network: {"what": "roaming", "at": t, "country": network[1]},
    "back": lambda _, t, __: {"what": "roaming", "at": t, "country": None},
    "handset": lambda person, t, new: {"what": "handset", "at": t, "from": person.model.tac, "to": new.tac},
}
"""Step of a plan -> its row."""


def _who(person: Person) -> dict[str, Any]:
    return {
        "imsi": person.imsi,
        "what": "person",
        "msisdn": person.msisdn,
        "job": person.traits.job,
        "data": person.traits.data,
        "home": list(person.home.cells),
        "work": list(person.work.cells),
        "home_place": person.home.place,
        "work_place": person.work.place,
        "beside": person.flip_site.place if person.flip_site else None,
        "guest": person.guest or None,
    }


def _visits(
    person: Person, steps: list[Step], start: int, end: int, catalog: Catalog
) -> Iterator[dict[str, Any]]:
    """Yield the stays in places that touch `[start, end)`."""
    site, since = person.home, start
    within = [step for step in steps if step[0] < end]
    for t, _, do, what in [*within, (end, 0, "move", None)]:
        if do != "move" or what is site:
            continue
        if site.place is not None and t > start:
            leave = t if what is not None else None
            yield {
                "what": "visit",
                "place": site.place,
                "enter": since,
                "leave": leave,
                "also": _sharing(site, catalog.places),
            }
        if what is None:
            break
        site, since = what, t


def _sharing(site: Site, places: Mapping[str, Any]) -> list[str]:
    cells = set(site.cells)
    return [key for key, place in places.items() if key != site.place and not cells.isdisjoint(place.cells)]
