"""Take a record in: known kind, time in range, identity to subscriber key, numbers.

Sentence numbers are those of the semantics page.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from .values import HOUR, SECOND, TWO_DAYS

# 1.2
SIGNALING = frozenset(
    {
        *("loc.update", "loc.handover", "loc.sight", "power.on", "power.off", "call.out", "call.in"),
        *("sms.out", "sms.in", "mms.out", "mms.in", "data.session", "data.http", "handset.change"),
        *("sim.change", "roam.out", "roam.in", "roam.home", "roam.country"),
    }
)
BUSINESS = frozenset({"product.bought", "sms.reply", "complaint", "recharge", "bill"})
CONTROL = frozenset(
    {"profile.update", "consent.change", "send.request", "offer.receipt", "rules.switch", "tick"}
)
NOBODYS = frozenset({"tick", "rules.switch"})  # for every subscriber: they carry no identity
PHASED = ("call.", "sms.", "mms.", "data.")  # 1.4: calls, messages and sessions

EARLIEST = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) * SECOND  # 7(r)
LATEST = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) * SECOND
SEPARATORS = " ().-/"  # 7(t)
HOME = "86"


def keyed_hash(key: str, *parts: str) -> bytes:
    """BLAKE2b-128 of the parts joined by NUL, all UTF-8 (7(u))."""
    return hashlib.blake2b("\0".join(parts).encode(), key=key.encode(), digest_size=16).digest()


def normal_number(value: object, key: str) -> str:
    """Normalise a number; longer than 8 digits: only its keyed hash (7(t))."""
    text = "".join(sign for sign in str(value) if sign not in SEPARATORS)
    for prefix in ("+" + HOME, "00" + HOME):
        if text.startswith(prefix):
            text = text[len(prefix) :]
            break
    if sum(sign.isdigit() for sign in text) > 8:
        return keyed_hash(key, text).hex()
    return text


def drop_limit(kind: str) -> int:
    """How late a record may be at most, and how far back its copies are known (1.5, 1.6)."""
    return TWO_DAYS if kind in BUSINESS else HOUR


class Identities:
    """Who a record is about. IMSI wins over MSISDN wins over opaque; profiles bind MSISDN to IMSI."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.imsi_of: dict[str, str] = {}

    def names(self, record: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
        """Give (imsi, msisdn, opaque id) as far as the record names them."""
        imsi = msisdn = opaque = None
        subscriber = str(record.get("subscriber") or "")
        if _is_imsi(subscriber):
            imsi = subscriber
        elif subscriber.startswith("+"):
            msisdn = _e164(subscriber)
        elif subscriber:
            opaque = subscriber
        if record.get("msisdn"):
            msisdn = _e164(str(record["msisdn"]))
        if _is_imsi(str(record.get("imsi") or "")):
            imsi = str(record["imsi"])
        return imsi, msisdn, opaque

    def bind(self, record: dict[str, Any]) -> None:
        """A profile binds IMSI and MSISDN (6): the MSISDN alone then means that IMSI."""
        imsi, msisdn, _ = self.names(record)
        if imsi and msisdn:
            self.imsi_of[msisdn] = imsi

    def subscriber_key(self, record: dict[str, Any]) -> str | None:
        """Give the subscriber key, None if nothing names the subscriber (7(u))."""
        imsi, msisdn, opaque = self.names(record)
        text = imsi or (self.imsi_of.get(msisdn, msisdn) if msisdn else opaque)
        return keyed_hash(self.key, text).hex() if text else None


def refusal(record: dict[str, Any], identities: Identities) -> str | None:
    """Say why a record is refused at the door, None if it is not."""
    kind, t = record.get("kind"), record.get("t")
    if kind not in SIGNALING and kind not in BUSINESS and kind not in CONTROL:
        return "kind"
    if not isinstance(t, int) or not EARLIEST <= t < LATEST:
        return "time"
    if kind not in NOBODYS and identities.subscriber_key(record) is None:
        return "identity"
    return None


def _is_imsi(text: str) -> bool:
    return len(text) == 15 and text.isascii() and text.isdigit()


def _e164(text: str) -> str:
    bare = "".join(sign for sign in text if sign not in SEPARATORS)
    if bare.startswith("00"):
        bare = "+" + bare[2:]
    return bare if bare.startswith("+") else "+" + bare
