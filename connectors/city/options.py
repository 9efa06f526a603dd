"""What a city may be told: rates, faults, how lively it is."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import isfinite, sqrt
from zoneinfo import ZoneInfo

from engine.errors import InputError

_RATES = frozenset({"sights", "updates", "handovers", "sessions", "pages", "calls", "texts", "pictures"})


@dataclass(frozen=True, slots=True)
class CityOptions:
    """Rates per subscriber and shares of faults; the defaults are the measured or assumed ones of the facts.

    Paging and service requests are thinned at the collector: of the 10 to 25 service requests of a busy hour
    the city lets `sights` through, so that all kinds together come to 6 to 8 records per subscriber and hour
    over a day. Set `sights` to 15 for an unthinned feed.
    """

    timezone: str = "Asia/Shanghai"
    """Whose clock the people live by."""
    lively: bool = False
    """Plant many behaviours into the first 50 minutes: for a demonstration, not for measuring rates."""
    lively_share: float = 0.55
    """Share of subscribers that get one behaviour planted in a lively city."""
    sites: int = 20
    """Ordinary sites along one side of the city: a square of them, a kilometre apart, three cells each."""

    # Records per subscriber in the busy hour.
    sights: float = 1.0
    updates: float = 2.1
    """Beside them come those of moves and the periodic ones of idle phones: 2 to 5 in all."""
    handovers: float = 3.0
    sessions: float = 2.4
    pages: float = 0.6
    """`data.http` records."""

    # Records per subscriber and day.
    calls: float = 1.7
    texts: float = 1.5
    pictures: float = 0.14
    handset_changes: float = 0.001
    sim_changes: float = 0.0003

    # Habits (assumed shares).
    night_off: float = 0.03
    unseen_off: float = 0.3
    """Share of switch-offs that leave no detach behind."""
    inbound: float = 0.005
    outbound: float = 0.003

    # Faults (shares of records).
    duplicates: float = 0.005
    inverted: float = 0.219
    """Share of neighbouring records in the wrong order. 0 to 0.5."""
    bad_imei: float = 0.0038
    missing_cell: float = 0.039
    flips: float = 0.03
    """Share of location records around which the phone flips to a neighbour cell and back (A-B-A): on top of
    the 3.5 to 4 changes of site a day that people really make."""
    border_flips: float = 0.3
    """The same for people who live at the edge of a place."""
    no_msisdn: float = 0.05

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, float):
                continue
            limit = 1000.0 if field.name in _RATES else 0.5 if field.name == "inverted" else 1.0
            if not (isfinite(value) and 0.0 <= value <= limit):
                raise InputError(f"city option {field.name}", f"a number from 0 to {limit:g}", value)
        if self.duplicates + self.bad_imei + self.missing_cell + self.no_msisdn > 1.0:
            raise InputError("city options", "shares of faults that sum to at most 1", "more")
        if not 3 <= self.sites <= 60:
            raise InputError("city option sites", "a number from 3 to 60", self.sites)
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError, OSError):
            raise InputError("city option timezone", "a name such as Asia/Shanghai", self.timezone) from None

    @property
    def late(self) -> float:
        """Share q of records that must lag for `inverted` pairs: a late one after one in time, or half of the
        pairs of two late ones, is inverted: q (1 - q) + q² / 2."""
        return 1.0 - sqrt(1.0 - 2.0 * self.inverted)


WITHOUT_FAULTS = CityOptions(
    duplicates=0.0, inverted=0.0, bad_imei=0.0, missing_cell=0.0, flips=0.0, border_flips=0.0, no_msisdn=0.0
)
"""The clean feed: what really happened, in the order of time."""
