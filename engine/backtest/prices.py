"""What messages cost: a price for each part of an SMS and for each MMS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.language.model import Policy


@dataclass(frozen=True, slots=True)
class Prices:
    """In yuan; None: not known, and then nothing is added up for it."""

    sms_part: Decimal | None = None
    mms: Decimal | None = None

    @classmethod
    def of(cls, policy: Policy, sms_part: Decimal | None = None, mms: Decimal | None = None) -> Prices:
        """Return the prices given, else those of the policy."""
        house = {channel: Decimal(str(price)) for channel, price in policy.cost.items()}
        return cls(
            house.get("sms") if sms_part is None else sms_part, house.get("mms") if mms is None else mms
        )

    def cost(self, parts: int, mms: int) -> float | None:
        """Return what so many parts of SMS and so many MMS cost, yuan; None if one of the prices is missing.

        A price is not missing where nothing is counted by it.
        """
        total = Decimal(0)
        for count, price in ((parts, self.sms_part), (mms, self.mms)):
            if count and price is None:
                return None
            total += count * (price or 0)
        return float(total)

    def to_json(self) -> Mapping[str, float | None]:
        """Return the prices as plain numbers, yuan."""
        return {
            "sms_part": None if self.sms_part is None else float(self.sms_part),
            "mms": None if self.mms is None else float(self.mms),
        }

    @property
    def known(self) -> bool:
        """Some price was given."""
        return self.sms_part is not None or self.mms is not None
