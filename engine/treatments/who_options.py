"""Settings of the steps that know who it is: identity, waiting records, handsets, roaming.

They stand beside the steps, not in them: pydantic reads annotations that compiled modules do not keep.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import ValidationInfo, field_validator

from engine.options import REQUIRED, Duration, Options, YesNo, option
from engine.plmn import is_plmn
from engine.treatments.correlation import CorrelationOptions
from engine.treatments.numbering import CARRIERS

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
REMEMBERED: Any = option(
    1_000_000,
    "a whole number from 1 to 50,000,000",
    "subscribers remembered; those longest without a record are forgotten first",
    ge=1,
    le=50_000_000,
)
"""Declares the setting that steps with a memory have."""


class IdentityOptions(Options):
    """Settings of `identity`."""

    normalise: YesNo = option(False, "yes or no", "write numbers as E.164")
    carriers: tuple[str, ...] = option(
        CARRIERS, "a list of prefixes", "dialled in front of numbers to choose a carrier or tariff; taken off"
    )
    classes: YesNo = option(
        False, "yes or no", "put the classes of numbers into records; needs the table `numbers`"
    )
    strict_imei: YesNo = option(
        False, "yes or no", "IMEIs of test equipment and of known copies are bad, too"
    )
    home: frozenset[str] = option(
        frozenset(),
        "a list of PLMNs, such as 46000",
        "our networks; given: records of guests get `home_plmn`",
    )
    correlate: YesNo = option(
        False,
        "yes or no",
        "hold IMSI, MSISDN and IMEI together; the first feed that does "
        "so says how (`ttl`, `settle`, `imsis`, `remembered`)",
    )
    announce: YesNo = option(False, "yes or no", "write a number that was learned as a `profile.update`")
    mark: YesNo = option(
        True, "yes or no", "flag records whose number or IMSI is not known; with `correlate`"
    )
    ttl: Duration = option(
        30 * DAY,
        "a length of time from 1h to 400d",
        "after its last use, or up to an eighth of it earlier, a binding is forgotten",
        ge=HOUR,
        le=400 * DAY,
    )
    settle: Duration = option(
        HOUR,
        "a length of time from 0s to 7d",
        "a number does not go back to whoever just lost it",
        ge=0,
        le=7 * DAY,
    )
    imsis: int = option(
        4, "a whole number from 1 to 100", "IMSIs that one IMEI may be seen with", ge=1, le=100
    )
    remembered: int = REMEMBERED

    @field_validator("home")
    @classmethod
    def _networks(cls, value: frozenset[str]) -> frozenset[str]:
        for each in sorted(value):
            if not is_plmn(each):
                raise ValueError(f"expected a PLMN such as 46000, was {each}")
        return value

    @property
    def correlation(self) -> CorrelationOptions:
        """The part of these that all feeds share."""
        return CorrelationOptions(self.ttl, self.settle, self.imsis, self.remembered)


class ParkingOptions(Options):
    """Settings of `parking`."""

    wait: Duration = option(
        30 * SECOND,
        "a length of time from 0s to 30s",
        "how long a record waits at most",
        ge=0,
        le=30 * SECOND,
    )
    at_most: int = option(
        1_000,
        "a whole number from 1 to 100,000",
        "records that wait at once, about 250 bytes each in every checkpoint",
        ge=1,
        le=100_000,
    )
    again: Duration = option(
        DAY,
        "a length of time from 1m to 30d",
        "who was given up may wait again after so long without a record",
        ge=60 * SECOND,
        le=30 * DAY,
    )
    remembered: int = REMEMBERED


class HandsetOptions(Options):
    """Settings of `handset_changes`."""

    sightings: int = option(
        2, "a whole number from 1 to 10", "records of the new TAC that make a change", ge=1, le=10
    )
    alone: Duration = option(
        10 * MINUTE,
        "a length of time from 0s to 24h",
        "one is enough, if the old TAC was not seen for so long; 0s: never",
        ge=0,
        le=DAY,
    )
    flip_back: Duration = option(
        DAY,
        "a length of time from 0s to 30d",
        "a return to the handset before is no change",
        ge=0,
        le=30 * DAY,
    )
    ttl: Duration = option(
        90 * DAY,
        "a length of time from 1d to 400d",
        "after their last record somebody's handset is forgotten",
        ge=DAY,
        le=400 * DAY,
    )
    remembered: int = REMEMBERED


class RoamingOptions(Options):
    """Settings of `roaming`."""

    home: frozenset[str] = option(
        REQUIRED,
        "a list of PLMNs, such as [46000, 46002]",
        "our networks",
        min_length=1,
        stand_in=["00101"],
    )
    neighbours: frozenset[str] | None = option(
        None,
        "a list of PLMNs, or of MCCs for all of a country",
        "networks that are heard across our borders; none given: all may be",
    )
    updates: int = option(
        2, "a whole number from 1 to 10", "records that have to name such a network", ge=1, le=10
    )
    apart: Duration = option(
        30 * SECOND,
        "a length of time from 0s to 1h",
        "each of them is so much later than the one before",
        ge=0,
        le=3_600 * SECOND,
    )
    hold: Duration = option(
        0,
        "a length of time from 0s to 1h",
        "what the feed itself says of leaving for such a network is kept back for so long; 0s: not at all",
        ge=0,
        le=3_600 * SECOND,
    )
    guest_gone: Duration = option(
        DAY,
        "a length of time from 1h to 30d",
        "after their last record a guest's next one is an arrival again",
        ge=3_600 * SECOND,
        le=30 * DAY,
    )
    ttl: Duration = option(
        60 * DAY,
        "a length of time from 1d to 400d",
        "after their last record it is forgotten where somebody was",
        ge=DAY,
        le=400 * DAY,
    )
    remembered: int = REMEMBERED

    @field_validator("home", "neighbours")
    @classmethod
    def _networks(cls, value: frozenset[str] | None, info: ValidationInfo) -> frozenset[str] | None:
        for each in sorted(value or ()):
            mcc = info.field_name == "neighbours" and len(each) == 3
            if not is_plmn(each + "00" if mcc else each):
                raise ValueError(f"expected a PLMN such as 46000, was {each}")
        return value
