"""From what happens to what a collector is handed: intake records, with the faults of real feeds."""

from __future__ import annotations

from hashlib import blake2b
from random import Random
from typing import Any, Final

from .figures import LAG_SECONDS, SECOND, spread
from .geography import Site
from .options import CityOptions
from .people import Person

Row = tuple[int, int, int, dict[str, Any]]
"""(arrival, subscriber's index, number within the subscriber, record): sorts into the order of the feed."""

_SOURCES: Final = {
    "loc": "city/s1mme", "power": "city/s1mme", "call": "city/cs", "sms": "city/cs", "mms": "city/cs",
    "data": "city/s11", "handset": "city/s1mme", "sim": "city/bss", "roam": "city/s6a",
}  # fmt: skip
_BUSINESS: Final = "city/bss"
_BAD_IMEI: Final = ("00000000000000", "35", "12345678901234", "99999999999999")
_LAGS: Final = tuple(int(lag * SECOND) for lag in spread(LAG_SECONDS))


class Feed:
    """Collects the rows of a time slice. `rng` is the stream of the subscriber at work."""

    def __init__(self, rng: Random, options: CityOptions, finished: float) -> None:
        """`finished`: the expected share of data records (0 to 1): those lag first, for they are written at
        their end; other records only as far as the wanted share of inversions needs it."""
        self.rng = rng
        self.rows: list[Row] = []
        late = options.late
        self._late_finished = min(0.9, late / finished) if finished > 0.0 else 0.0
        rest = late - finished * self._late_finished
        self._late_other = max(0.0, rest / (1.0 - finished)) if finished < 1.0 else 0.0
        # One draw decides the fault of a record: ranges laid end to end.
        self._to_msisdn = options.no_msisdn
        self._to_cell = self._to_msisdn + options.missing_cell
        self._to_imei = self._to_cell + options.bad_imei
        self._to_copy = self._to_imei + options.duplicates

    def sign(self, person: Person, kind: str, t: int, fields: dict[str, Any], site: Site | None) -> None:
        """Put a network record; `site`: where it was made, None where the feed names no cell."""
        source = _SOURCES[kind[: kind.index(".")]]
        record = {"id": _identify(source, person.imsi, kind, t), "source": source, "kind": kind, "t": t}
        record.update(person.signs)
        if site is not None and site.cells:
            record.update(site.spots[person.rat][person.cell])
        record.update(fields)
        finished = source == "city/s11" and "up" in fields
        self._put(person, record, self._late_finished if finished else self._late_other)

    def business(self, person: Person, kind: str, t: int, fields: dict[str, Any]) -> None:
        """Put a record of the business systems: they know the customer by number only, and no cell."""
        number = person.msisdn
        record = {"id": _identify(_BUSINESS, number, kind, t), "source": _BUSINESS, "kind": kind, "t": t}
        record["msisdn"] = number
        record.update(fields)
        self._put(person, record, self._late_other)

    def _put(self, person: Person, record: dict[str, Any], late: float) -> None:
        random = self.rng.random
        arrival: int = record["t"]
        if random() < late:
            arrival += _LAGS[int(random() * len(_LAGS))]
        person.count += 1
        u = random()
        if u < self._to_copy:
            if u < self._to_msisdn:
                if "imsi" in record:
                    del record["msisdn"]
            elif u < self._to_cell:
                for name in ("cell", "lac", "tac"):
                    record.pop(name, None)
            elif u < self._to_imei:
                if "imei" in record:
                    record["imei"] = _BAD_IMEI[int(random() * len(_BAD_IMEI))]
            else:
                again = arrival + int(self.rng.expovariate(1 / 20.0) * SECOND)
                self.rows.append((again, person.index, person.count, dict(record)))
                person.count += 1
        self.rows.append((arrival, person.index, person.count, record))


def _identify(source: str, who: str, kind: str, t: int) -> str:
    """Hash the natural key to 16 hex digits: nobody does the same thing twice in one microsecond."""
    return blake2b(f"{source}|{who}|{kind}|{t}".encode(), digest_size=8).hexdigest()
