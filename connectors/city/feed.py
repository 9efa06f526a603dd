"""From what happens to what a collector is handed: intake records, with the faults of real feeds.

What befalls a record is read from the hash of its natural key, one piece of the hash per fault: switching one
fault on or off changes nothing that others do, and nothing of what people do.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from math import log
from struct import Struct
from typing import Any, Final

from .figures import LAG_SECONDS, MINUTE, SECOND, spread
from .geography import Site, Town, distance
from .options import CityOptions
from .people import Person
from .traits import HANDSETS

Row = tuple[int, int, int, dict[str, Any]]
"""(arrival, subscriber's index, number within the subscriber, record): sorts into the order of the feed."""
Mark = Callable[[dict[str, Any]], None]
"""Told of each record to which something was done, as a row of the truth."""

_SOURCES: Final = {
    "loc": "city/s1mme", "power": "city/s1mme", "call": "city/cs", "sms": "city/cs", "mms": "city/cs",
    "data": "city/s11", "handset": "city/s1mme", "sim": "city/bss", "roam": "city/s6a",
}  # fmt: skip
_BUSINESS: Final = "city/bss"
_BAD_IMEI: Final = ("00000000000000", "35", "12345678901234", "99999999999999")
_LAGS: Final = tuple(int(lag * SECOND) for lag in spread(LAG_SECONDS))
_LOCATION: Final = ("cell", "lac", "tac")

_PIECES: Final = Struct(">8s10I")
_WHOLE: Final = 1 << 32
FAR_KM: Final = 10.0
"""A cell named by mistake is at least so far away, if the city is large enough (facts/signals.md)."""
LATE: Final = 5 * MINUTE
"""The truth names lags from here on: a shorter one does no harm at the usual patience."""


class Feed:
    """Collects the rows of a time slice. `mark`: who is told what was done to which record."""

    def __init__(
        self, town: Town, seed: int, options: CityOptions, finished: float, mark: Mark | None = None
    ) -> None:
        """`finished`: the expected share of data records (0 to 1): those lag first, for they are written at
        their end; other records only as far as the wanted share of inversions needs it."""
        self.rows: list[Row] = []
        self.mark = mark
        self._town = town
        self._seed = f"{seed}".encode()
        late = options.late
        late_finished = min(0.9, late / finished) if finished > 0.0 else 0.0
        rest = late - finished * late_finished
        late_other = max(0.0, rest / (1.0 - finished)) if finished < 1.0 else 0.0
        self._late_finished, self._late_other = _of(late_finished), _of(late_other)
        self._msisdn = _of(options.no_msisdn)
        self._cell = _of(options.missing_cell)
        self._origin = _of(options.missing_cell * options.missing_origin)
        self._imei = _of(options.bad_imei)
        self._copy = _of(options.duplicates)
        self._swap = _of(options.swapped_cells)
        self._handset = _of(options.handset_flips)
        self._slot = _of(options.mixed_slots)
        self._startless = _of(options.late_xdr)

    def sign(
        self, person: Person, kind: str, t: int, fields: dict[str, Any], site: Site | None, done: str = ""
    ) -> None:
        """Put a network record.

        `site`: where it was made, None where the feed names no cell. `done`: what is wrong with it already.
        """
        source = _SOURCES[kind[: kind.index(".")]]
        pieces = self._pieces(source, person.imsi, kind, t)
        record = {"id": pieces[0].hex(), "source": source, "kind": kind, "t": t}
        record.update(person.signs)
        if site is not None and site.cells:
            record.update(site.spots[person.rat][person.cell])
            if site.place is not None and kind != "power.off":
                person.inside += 1
        record.update(fields)
        finished = source == "city/s11" and "up" in fields
        self._put(person, record, self._late_finished if finished else self._late_other, pieces, site, done)

    def business(self, person: Person, kind: str, t: int, fields: dict[str, Any]) -> None:
        """Put a record of the business systems: they know the customer by number only, and no cell."""
        number = person.msisdn
        pieces = self._pieces(_BUSINESS, number, kind, t)
        record = {"id": pieces[0].hex(), "source": _BUSINESS, "kind": kind, "t": t}
        record["msisdn"] = number
        record.update(fields)
        self._put(person, record, self._late_other, pieces, None, "")

    def lose(self, person: Person, kind: str, t: int) -> None:
        """Note a record that should have been, and was not."""
        if self.mark is not None:
            row = {"imsi": person.imsi, "what": "record", "kind": kind, "t": t, "done": ["lost"]}
            self.mark(row if person.site.place is None else {**row, "place": person.site.place})

    def left(self, person: Person, t: int | None) -> None:
        """Note how many records a visit has made that ends at t, or with the run."""
        if self.mark is not None and person.site.place is not None:
            row = {"imsi": person.imsi, "what": "seen", "place": person.site.place, "leave": t}
            self.mark({**row, "records": person.inside})
        person.inside = 0

    def _pieces(self, source: str, who: str, kind: str, t: int) -> tuple[Any, ...]:
        """Hash the natural key: the id, then one number per fault. Nobody does a thing twice in one µs."""
        text = f"{source}|{who}|{kind}|{t}".encode()
        return _PIECES.unpack(blake2b(text, digest_size=_PIECES.size, key=self._seed).digest())

    def _put(
        self,
        person: Person,
        record: dict[str, Any],
        late: int,
        pieces: tuple[Any, ...],
        site: Site | None,
        already: str,
    ) -> None:
        _, of_late, lag, msisdn, cell, imei, copy, swap, handset, slot, startless = pieces
        done = [already] if already else []
        truly = record.get("cell")
        arrival: int = record["t"]
        if of_late < late:
            lag = _LAGS[lag * len(_LAGS) // _WHOLE]
            arrival += lag
            if lag >= LATE:
                done.append("late")
        if "imsi" in record:
            if msisdn < self._msisdn:
                del record["msisdn"]
                done.append("no-msisdn")
            if truly is not None:
                if cell < self._cell:
                    for name in _LOCATION:
                        record.pop(name, None)
                    done.append("no-cell")
                    if cell < self._origin and record.pop("cell_prev", None) is not None:
                        done.append("no-origin")
                elif swap < self._swap and site is not None:
                    self._move(record, site, person.rat, swap)
                    done.append("wrong-cell")
            wrong = self._wrong_imei(person, imei, handset, slot)
            if wrong is not None:
                record["imei"], deed = wrong
                done.append(deed)
            if startless < self._startless and "up" in record and record.pop("t_start", None) is not None:
                done.append("no-start")
        person.count += 1
        if copy < self._copy:
            again = arrival - int(log((copy + 1) / (self._copy + 1)) * 20 * SECOND)
            self.rows.append((again, person.index, person.count, dict(record)))
            person.count += 1
            done.append("copied")
        self.rows.append((arrival, person.index, person.count, record))
        if done and self.mark is not None:
            row = {"imsi": person.imsi, "what": "record", "id": record["id"], "t": record["t"], "done": done}
            if record.get("cell") != truly:
                row["cell"] = truly
            self.mark(row)

    def _wrong_imei(self, person: Person, imei: int, handset: int, slot: int) -> tuple[str, str] | None:
        """Return the IMEI that a probe names in place of the true one, and what is wrong with it."""
        if imei < self._imei:
            return _BAD_IMEI[imei % len(_BAD_IMEI)], "bad-imei"
        if handset < self._handset:
            other = HANDSETS[handset % len(HANDSETS)]
            return None if other.tac == person.model.tac else (other.tac + person.imei[8:], "other-handset")
        if person.twin and slot < self._slot:
            return person.twin, "other-slot"
        return None

    def _move(self, record: dict[str, Any], site: Site, rat: str, draw: int) -> None:
        """Have a record name the cell of another site, far away."""
        others = (*self._town.grid, *self._town.places.values())
        other = site
        for turn in range(8):
            other = others[(draw * 7_919 + turn * 104_729) % len(others)]
            if distance(other, site) >= FAR_KM:
                break
        for name in _LOCATION:
            record.pop(name, None)
        record.update(other.spots[rat][draw % len(other.cells)])


def _of(share: float) -> int:
    """Return the number below which a piece of the hash falls with this probability."""
    return min(int(share * _WHOLE), _WHOLE)
