"""What a city may be told: rates, faults, how lively it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from math import isfinite, sqrt
from typing import Any, Final
from zoneinfo import ZoneInfo

from engine.errors import InputError

UNTHINNED: Final = 15.0
"""`sights` of a feed from which no service request was taken: 10 to 25 of them in the busy hour."""
_RATES = frozenset({"sights", "updates", "handovers", "sessions", "pages", "calls", "texts", "pictures"})


@dataclass(frozen=True, slots=True)
class CityOptions:
    """Rates per subscriber and shares of faults; the defaults are the measured or assumed ones of the facts.

    Paging and service requests are thinned at the collector: of the 10 to 25 service requests of a busy hour
    the city lets `sights` through, so that all kinds together come to some 6 records per subscriber and hour
    over a day. Set `sights` to 15 for an unthinned feed.
    """

    timezone: str = "Asia/Shanghai"
    """Whose clock the people live by."""
    lively: bool = False
    """Plant many behaviours into the first 50 minutes: for a demonstration, not for measuring rates."""
    lively_share: float = 0.55
    """Share of subscribers that get one behaviour planted in a lively city."""
    sites: int = 20
    """Its square is the number of ordinary sites, of three cells each: dense in the middle (see `layout`)."""

    # Records per subscriber in the busy hour.
    sights: float = 1.0
    updates: float = 2.1
    """Beside them come those of moves and the periodic ones of idle phones: 2 to 5 in all."""
    handovers: float = 3.3
    """Within a site; the busy hour has most of them (`figures.ABOUT`). 3 to 8 in all are measured."""
    sessions: float = 2.4
    pages: float = 0.6
    """`data.http` records."""

    # Records per subscriber and day.
    calls: float = 1.7
    texts: float = 1.5
    pictures: float = 0.12
    handset_changes: float = 0.001
    sim_changes: float = 0.0003

    # Habits (assumed shares).
    night_off: float = 0.03
    inbound: float = 0.005
    outbound: float = 0.003
    dual_sims: float = 0.03
    """Share of subscribers whose SIM is the second one in the phone of the subscriber before."""
    handset_records: bool = True
    """The feed has `handset.change` records; else they are to be derived from the IMEI."""

    # Faults: shares of records, where nothing else is said. What facts/signals.md doesn't name is assumed.
    duplicates: float = 0.005
    inverted: float = 0.219
    """Share of neighbouring records in the wrong order. 0 to 0.5."""
    bad_imei: float = 0.0038
    missing_cell: float = 0.039
    missing_origin: float = 0.0
    """Of handovers without a cell: the one that they left is not named, either."""
    flips: float = 0.033
    """Share of location records of ordinary use around which the phone flips to a neighbour cell and back
    (A-B-A): 3 % of all, on top of the 3.5 changes of site a day that people really make."""
    border_flips: float = 0.3
    """The same at home for people who live within 300 m of a place's edge: each 2/3 to 4/3 of it."""
    no_msisdn: float = 0.05
    unseen_off: float = 0.3
    """Share of switch-offs that leave no detach behind."""
    swapped_cells: float = 0.0005
    """The probe names the cell of another site, at least 10 km away: an impossible move and back."""
    false_roaming: float = 0.005
    """Share of people who live where a foreign network reaches: at times it registers them, for minutes."""
    cloned_imeis: float = 0.001
    """Share of people whose handset bears one of three IMEIs that many others bear."""
    handset_flips: float = 0.0002
    """The probe gives a record the handset of somebody else."""
    mixed_slots: float = 0.02
    """Of records of second SIMs: the IMEI is that of the first slot (same TAC, other serial)."""
    late_xdr: float = 0.02
    """Of finished sessions: the xDR, written at the end, names the cell of the start without saying so."""
    extra_columns: float = 0.055
    """Delimited output only."""
    mangled_times: float = 0.021
    """Delimited output only."""
    lost_files: float = 0.002
    """Share of delimited files that never come: a gap in the sequence."""
    doubled_files: float = 0.005
    """Share of delimited files that come twice."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, float):
                continue
            limit = 1000.0 if field.name in _RATES else 0.5 if field.name == "inverted" else 1.0
            if not (isfinite(value) and 0.0 <= value <= limit):
                raise InputError(f"city option {field.name}", f"a number from 0 to {limit:g}", value)
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


FAULTS: Final = (
    "duplicates", "inverted", "bad_imei", "missing_cell", "missing_origin", "flips", "border_flips",
    "no_msisdn", "unseen_off",
    "swapped_cells", "false_roaming", "cloned_imeis", "handset_flips", "mixed_slots", "late_xdr",
    "extra_columns", "mangled_times", "lost_files", "doubled_files",
)  # fmt: skip
"""Options that are faults of the feed: each at 0 leaves all others as they are."""
HABITS: Final = ("night_off", "inbound", "outbound", "dual_sims", "handset_changes", "sim_changes")
"""Options that are things people do, as shares."""


def with_faults(options: CityOptions, rates: Mapping[str, float], *, none_else: bool = False) -> CityOptions:
    """Return options with other rates of faults and habits; `none_else`: without those that are not named.

    Raises InputError for a name or a rate that can't be.
    """
    known = (*FAULTS, *HABITS)
    for name in rates:
        if name not in known:
            raise InputError("fault", f"one of {', '.join(sorted(known))}", name)
    changed: dict[str, Any] = {**(dict.fromkeys(FAULTS, 0.0) if none_else else {}), **rates}
    return replace(options, **changed)


WITHOUT_FAULTS: Final = with_faults(CityOptions(), {}, none_else=True)
"""The clean feed: what really happened, in the order of time."""
