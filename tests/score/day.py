"""The scored day: a simulated city from midnight to midnight, and two hours after which all has arrived."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

import orjson

from connectors.city import City, CityOptions
from connectors.city.geography import Town
from connectors.city.xdr import COLUMNS, MAP, is_mangled, row_of
from connectors.column_map import load_map
from connectors.xdr_times import Times
from engine.language.model import Catalog
from engine.refusals import Bad

MIDNIGHT: Final = 1_788_710_400_000_000
"""2026-09-07 00:00 in Shanghai, a Monday, µs UTC."""
HOUR: Final = 3_600_000_000
END: Final = MIDNIGHT + 24 * HOUR
_HOURS: Final = 26.0


@dataclass(slots=True)
class Visit:
    """One true visit. `leave`: None if it goes on; `records`: made inside, lost ones included."""

    imsi: str
    place: str
    enter: int
    leave: int | None
    records: int = 0


@dataclass(slots=True)
class CityDay:
    """What reaches us, and what really happened."""

    seed: int
    town: Town
    records: list[bytes]
    profiles: list[bytes]
    visits: list[Visit]
    handsets: list[tuple[str, int, str]]
    """True changes of handset: IMSI, when, new TAC."""
    false_roaming: set[str] = field(default_factory=set)
    """Ids of records that say somebody went abroad who did not."""
    roaming: set[str] = field(default_factory=set)
    """Ids of records of people who did."""
    done: dict[str, int] = field(default_factory=dict)
    """What was done to records -> how many."""
    deeds: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Id of a record -> what was done to it."""
    people: list[str] = field(default_factory=list)
    """IMSIs of all."""


def _as_its_row(record: dict[str, Any], times: Times, seed: int, options: CityOptions) -> bool:
    """Leave of a record what its row in a file tells; False if its time can't be read.

    All but the files come as they would from a topic: rows whose time is mangled have that of the row before,
    or are refused.
    """
    if is_mangled(seed, record["id"], options):
        del record["t"]
    try:
        return not times.settle([b"?"] * COLUMNS, record)
    except Bad:
        return False


def live(seed: int, subscribers: int, catalog: Catalog, options: CityOptions | None = None) -> CityDay:
    """Simulate the day. `options`: default all faults at the rates of facts/signals.md."""
    options = replace(options or CityOptions(), handset_records=False)
    city = City(seed, subscribers, catalog, start=MIDNIGHT, options=options)
    visits: list[Visit] = []
    handsets: list[tuple[str, int, str]] = []
    for row in city.truth(_HOURS):
        if row["what"] == "visit" and row["enter"] < END:
            visits.append(Visit(row["imsi"], row["place"], row["enter"], row["leave"]))
        elif row["what"] == "handset" and row["at"] < END:
            handsets.append((row["imsi"], row["at"], row["to"]))
    people = [city.person(index).imsi for index in range(subscribers)]
    open_visits = {(visit.imsi, visit.place, visit.leave): visit for visit in visits}
    day = CityDay(seed, city.town, [], [], visits, handsets, people=people)

    def note(row: dict[str, Any]) -> None:
        if row["what"] == "seen":
            visit = open_visits.get((row["imsi"], row["place"], row["leave"]))
            if visit is not None:
                visit.records += row["records"]
            return
        if "id" in row:
            day.deeds[row["id"]] = tuple(row["done"])
        for deed in row["done"]:
            day.done[deed] = day.done.get(deed, 0) + 1
        if "false-roaming" in row["done"]:
            day.false_roaming.add(row["id"])

    times = Times(load_map(MAP))
    for record in map(dict, city.events(_HOURS, note)):
        if row_of(record) is not None and not _as_its_row(record, times, seed, options):
            note({"what": "row", "id": record["id"], "done": ["mangled-time"]})
            if "t" not in record:
                continue
        day.records.append(orjson.dumps(record))
        if record["kind"] == "roam.out":
            day.roaming.add(record["id"])
    day.roaming -= day.false_roaming
    consent = {"marketing": True, "profiling": True, "location": True}
    for line in city.profiles():
        day.profiles.append(orjson.dumps({**line, "consent": consent}))
    return day
