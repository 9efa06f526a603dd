"""How true the simulated city is to the measured figures of facts/signals.md: a seeded city, measured.

`python -m tests.score.fidelity` writes the table of docs/simulator.md.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from math import hypot
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Final

from connectors.city import UNTHINNED, WITHOUT_FAULTS, City, CityOptions
from connectors.city import figures as given
from connectors.city.geography import Site, distance
from connectors.city.planner import Planner
from engine.language.model import Catalog
from tests.score.day import HOUR, MIDNIGHT
from tests.score.world import build

SEED: Final = 11
PEOPLE: Final = 700
CROWD: Final = 4 * PEOPLE
"""For figures that chance would blur: shares of hours, rates of what is seldom."""
_MINUTE: Final = HOUR // 60
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. `low`, `high`: what the city must yield; `given`: what was measured in the world."""

    name: str
    given: str
    values: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    unit: str = ""
    digits: int = 1

    @property
    def is_true(self) -> bool:
        """Whether all values are within their bounds."""
        return all(
            low <= value <= high for value, low, high in zip(self.values, self.low, self.high, strict=True)
        )

    @property
    def row(self) -> str:
        """Write it as a row of the table."""
        values = " / ".join(f"{value:,.{self.digits}f}" for value in self.values)
        return f"| {self.name} | {self.given} | {values}{self.unit} |"


HEAD: Final = "| figure | given | the city |\n|---|---|---|\n"


@cache
def measure() -> tuple[Figure, ...]:
    """Measure a day of some cities: clean and unthinned, the use of many people, all faults."""
    with TemporaryDirectory() as folder:
        catalog = build(Path(folder)).catalog
    clean = replace(WITHOUT_FAULTS, sights=UNTHINNED)
    city = City(SEED, PEOPLE, catalog, start=MIDNIGHT, options=clean)
    day = list(city.events(24))
    used = replace(clean, sights=0.0, updates=0.0, handovers=0.0)
    usage = list(City(SEED, CROWD, catalog, start=MIDNIGHT, options=used).events(24))
    return (
        *_of_space(city, day),
        *_of_time(usage),
        *_of_busy_hour(day),
        *_of_kinds(usage),
        *_of_handsets(catalog),
        *_of_faults(City(SEED, PEOPLE, catalog, start=MIDNIGHT, options=CityOptions())),
    )


def table() -> str:
    """Return the table as Markdown."""
    return HEAD + "".join(f"{figure.row}\n" for figure in measure())


def _of_space(city: City, day: Sequence[Record]) -> Iterable[Figure]:
    town, rng = city.town, Random(SEED)
    ways = []
    for _ in range(4_000):
        mast = town.grid[int(rng.random() * len(town.grid))]
        x, y = town.point_at(mast, rng)
        ways.append(hypot(x - mast.x, y - mast.y) * 1000)
    near = _quantiles(ways, 0.1, 0.5, 0.9)
    yield Figure(
        "way to the nearest cell, p10/50/90",
        "111 / 492 / 1,529 m",
        near,
        (100, 450, 1400),
        (122, 535, 1660),
        " m",
        0,
    )
    site_of = {cell: site for site in (*town.grid, *town.places.values()) for cell in site.cells}
    counts, steps, stays = [], [], []
    changes = 0
    for seen in _sightings(day).values():
        sites = [site_of[cell] for _, cell in seen]
        counts.append(float(len({site.key for site in sites})))
        for one, other in pairwise(sites):
            if one is not other:
                changes += 1
                steps.append(distance(one, other))
        stays += [(end - start) / _MINUTE for start, end in _runs(seen)]
    yield Figure("changes of site, per user and day", "3.5", (changes / PEOPLE,), (3.2,), (3.8,))
    yield Figure(
        "sites per user and day, p50/90", "2 / 6", _quantiles(counts, 0.5, 0.9), (2, 5), (2, 6), "", 0
    )
    yield Figure(
        "steps between sites, p25/50/75/90", "1.2 / 2.5 / 6 / 15 km", _quantiles(steps, 0.25, 0.5, 0.75, 0.9),
        (1.0, 2.1, 5.0, 13.0), (1.5, 2.9, 7.2, 17.0), " km",
    )  # fmt: skip
    yield Figure(
        "stays at one cell, p25/50/75/90", "3 / 12 / 46 / 150 min", _quantiles(stays, 0.25, 0.5, 0.75, 0.9),
        (2, 10, 41, 125), (4, 15, 56, 180), " min", 0,
    )  # fmt: skip
    errands = _errands(city)
    yield Figure(
        "stays on errands, p25/50/75/90", "3 / 12 / 46 / 150 min", _quantiles(errands, 0.25, 0.5, 0.75, 0.9),
        (2, 10, 37, 120), (4, 15, 55, 180), " min", 0,
    )  # fmt: skip


def _of_time(day: Sequence[Record]) -> Iterable[Figure]:
    hours = Counter(
        (_begin(r) - MIDNIGHT) // HOUR
        for r in day
        if r["kind"].startswith("data.") and r.get("phase") not in ("start", "update")
    )
    whole = sum(hours.values())
    shares = [100 * hours[hour] / whole for hour in range(24)]
    night, office = shares[1:6], shares[9:20]
    yield Figure(
        "data per hour, 1 to 5 h, least/most",
        "1.6 to 2.2 %",
        (min(night), max(night)),
        (1.5, 2.0),
        (1.8, 2.4),
        " %",
    )
    yield Figure("data at 7 h", "6 %", (shares[7],), (5.4,), (6.6,), " %")
    yield Figure(
        "data per hour, 9 to 19 h, mean", "5.2 %", (sum(office) / len(office),), (4.9,), (5.5,), " %"
    )
    yield Figure("data at 22 h", "3.7 %", (shares[22],), (3.4,), (4.0,), " %")
    for name, kinds, shape in (
        ("calls", ("call.out", "call.in"), given.CALLS_WEEKDAY),
        ("SMS", ("sms.out", "sms.in"), given.TEXTS_WEEKDAY),
    ):
        found = Counter((_begin(r) - MIDNIGHT) // HOUR for r in _whole(day, *kinds))
        total = sum(found.values())
        apart = sum(abs(found[hour] / total - share / sum(shape)) for hour, share in enumerate(shape)) / 2
        yield Figure(
            f"{name} by hour: share in another hour than `data/diurnal` has it",
            "0 %",
            (100 * apart,),
            (0.0,),
            (5.0,),
            " %",
        )


def _of_busy_hour(day: Sequence[Record]) -> Iterable[Figure]:
    busy = Counter(r["kind"] for r in day if MIDNIGHT + 7 * HOUR <= r["t"] < MIDNIGHT + 8 * HOUR)
    for name, kind, low, high in (
        ("TAU", "loc.update", 2, 5),
        ("service requests", "loc.sight", 10, 25),
        ("handovers", "loc.handover", 3, 8),
        ("sessions", "data.session", 2, 6),
    ):
        yield Figure(f"{name} per busy hour", f"{low} to {high}", (busy[kind] / PEOPLE,), (low,), (high,))


def _of_kinds(day: Sequence[Record]) -> Iterable[Figure]:
    yield Figure(
        "calls per day", "1.7", (len(_whole(day, "call.out", "call.in")) / CROWD,), (1.55,), (1.85,), "", 2
    )
    yield Figure(
        "SMS per day", "1.3 to 1.7", (len(_whole(day, "sms.out", "sms.in")) / CROWD,), (1.3,), (1.7,), "", 2
    )
    yield Figure(
        "MMS per day", "0.14", (len(_whole(day, "mms.out", "mms.in")) / CROWD,), (0.12,), (0.17,), "", 2
    )


def _of_handsets(catalog: Catalog) -> Iterable[Figure]:
    people = 15_000
    city = City(SEED, people, catalog, start=MIDNIGHT, options=CityOptions(lively=False))
    changes = sum(row["what"] == "handset" for row in city.truth(24))
    yield Figure(
        "handset changes per day", "0.08 to 0.13 %", (100 * changes / people,), (0.04,), (0.17,), " %", 2
    )


def _of_faults(city: City) -> Iterable[Figure]:
    done: Counter[str] = Counter()
    flips: Counter[bool] = Counter()
    people = [city.person(number) for number in range(PEOPLE)]
    edge = {person.imsi for person in people if person.flip_site is not None}

    def note(row: Record) -> None:
        if row["what"] == "record":
            done.update(row["done"])
            flips[row["imsi"] in edge] += "flip" in row["done"]

    day = list(city.events(24, note))
    crowd = City(SEED, CROWD, city.catalog, start=MIDNIGHT + 9 * HOUR, options=city.options)
    hours = list(crowd.events(4))
    lags = [(a["t"] - b["t"]) / 1e6 for a, b in pairwise(hours) if b["t"] < a["t"]]
    wrong = 100 * len(lags) / len(hours)
    yield Figure("neighbours in the wrong order", "21.9 %", (wrong,), (20.4,), (23.4,), " %")
    yield Figure(
        "their lag, p50/90/99",
        "8.8 s / 280 s / 54 min",
        _quantiles(lags, 0.5, 0.9, 0.99),
        (7, 230, 2600),
        (10.6, 330, 3900),
        " s",
        0,
    )
    network = [r for r in day if "imsi" in r]
    located = [r for r in network if not r["kind"].startswith(("roam", "sim"))]
    for name, share, said, low, high in (
        ("bad IMEI", done["bad-imei"] / len(network), "0.38 %", 0.3, 0.46),
        ("no cell", done["no-cell"] / len(located), "3.9 %", 3.6, 4.2),
        ("no MSISDN", done["no-msisdn"] / len(network), "5 %", 4.7, 5.3),
        ("copies", done["copied"] / len(day), "0.5 %", 0.42, 0.58),
    ):
        yield Figure(f"records: {name}", said, (100 * share,), (low,), (high,), " %", 2)
    for name, wanted, at_edge, low, high in (
        ("A-B-A around a location record", "3 %", False, 2.7, 3.3),
        ("the same, living within 300 m of an edge, day and night", "20 to 40 %", True, 18.0, 40.0),
    ):
        mine = [r for r in located if (r["imsi"] in edge) == at_edge and r["kind"].startswith("loc.")]
        flipped = flips[at_edge] // 2
        share = 100 * flipped / max(len(mine) - 2 * flipped, 1)
        yield Figure(name, wanted, (share,), (low,), (high,), " %")


def _errands(city: City) -> list[float]:
    """Return how long people are truly at sites that are neither home nor work, minutes."""
    planner = Planner(city.town, SEED, city.options, MIDNIGHT)
    found = []
    for number in range(PEOPLE):
        person = city.person(number)
        planner.plan(person, planner.first)
        moves: list[tuple[int, Site]] = [(t, what) for t, _, do, what in person.steps if do == "move"]
        for (start, site), (end, _) in pairwise(sorted(moves, key=lambda move: move[0])):
            if site is not person.home and site is not person.work and site.cells:
                found.append((end - start) / _MINUTE)
    return found


def _sightings(day: Iterable[Record]) -> dict[str, list[tuple[int, str]]]:
    seen: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for record in day:
        if "cell" in record:
            seen[record["imsi"]].append((_begin(record), record["cell"]))
    for sightings in seen.values():
        sightings.sort()
    return seen


def _runs(seen: Sequence[tuple[int, str]]) -> Iterable[tuple[int, int]]:
    """Yield the first and the last sighting of each time at one cell."""
    start, cell = seen[0]
    last = start
    for t, now in seen[1:]:
        if now != cell:
            yield start, last
            start, cell = t, now
        last = t
    yield start, last


def _begin(record: Record) -> int:
    begin: int = record["t_start"] if "t_start" in record else record["t"]
    return begin


def _whole(day: Iterable[Record], *kinds: str) -> list[Record]:
    return [r for r in day if r["kind"] in kinds and r.get("phase") not in ("start", "update")]


def _quantiles(values: Iterable[float], *shares: float) -> tuple[float, ...]:
    found = sorted(values)
    return tuple(found[min(int(share * len(found)), len(found) - 1)] for share in shares)


if __name__ == "__main__":
    tell: Callable[[str], None] = print
    tell(table())
