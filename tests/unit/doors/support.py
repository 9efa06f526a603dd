"""What the tests of the doors share: an intake that keeps its refusals, and records to break."""

from __future__ import annotations

from typing import Any

import orjson

from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import Refusal
from tests.testdata import CHECKOUT

FILES = CHECKOUT / "tests" / "data" / "doors"
KEY = b"key of the tests"
T = 1_788_740_000_000_000
"""A morning in September 2026, µs UTC."""
IMSI = "460001234567890"
MSISDN = "+8613912345678"
IMEI = "35925406123456"


class Desk:
    """An intake and what it refused."""

    def __init__(self) -> None:
        self.refusals: list[Refusal] = []
        self.intake = Intake(Identity(KEY), on_refused=self.refusals.append)

    def read(self, message: Any) -> list[Event]:
        """Read a message: bytes as they are, anything else as JSON."""
        raw = message if isinstance(message, bytes) else orjson.dumps(message)
        return self.intake.read(raw, "feed", "p:1")

    def one(self, message: Any) -> Event:
        """Read a message that holds exactly one good record."""
        events = self.read(message)
        assert self.refusals == []
        (event,) = events
        return event

    def refusal(self, message: Any) -> Refusal:
        """Read a message that is refused as a whole, once."""
        assert self.read(message) == []
        (refusal,) = self.refusals
        self.refusals.clear()
        return refusal


def sight(**fields: Any) -> dict[str, Any]:
    """Return a `loc.sight` record; None takes a field off."""
    record = {"kind": "loc.sight", "t": T, "imsi": IMSI, "cell": "460-00-1-1", **fields}
    return {name: value for name, value in record.items() if value is not None}
