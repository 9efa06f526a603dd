"""Whose record it is: the subscriber key and the TAC out of the fields that name a person.

IMSI wins over MSISDN wins over a feed's opaque id, also where the IMSI or MSISDN stands in `subscriber`.
All functions raise `Bad`; none repeats a value in its message.
"""

from __future__ import annotations

from typing import Any

from engine.identity import Identity, is_imsi
from engine.refusals import Bad, describe

_EXPECTED = {
    "imsi": "15 digits in imsi",
    "msisdn": "+ and E.164 digits in msisdn",
    "subscriber": "an IMSI, + and E.164 digits or an id of 1 to 256 characters in subscriber",
}
_IMEIS_AT_MOST = 200_000


def key_of(identity: Identity, imsi: Any, msisdn: Any, subscriber: Any) -> str:
    """Return the subscriber key of a record; None and empty text mean "not given".

    What a better identity makes needless is not looked at.
    """
    if _given("imsi", imsi):
        return _known(identity.of_imsi(imsi), "imsi", imsi)
    if _given("subscriber", subscriber) and (is_imsi(subscriber) or not _given("msisdn", msisdn)):
        return _known(identity.of_subscriber(subscriber), "subscriber", subscriber)
    if _given("msisdn", msisdn):
        return _known(identity.of_msisdn(msisdn), "msisdn", msisdn)
    raise Bad("imsi, msisdn or subscriber", "none of them", "identity")


def profile_key_of(identity: Identity, imsi: Any, msisdn: Any, subscriber: Any, t: int) -> str:
    """Return the key of a profile of time `t` (µs) and bind its MSISDN to its IMSI.

    The `msisdn` of a profile says where to send, so here `subscriber` wins over it, also an opaque one.
    """
    owner = imsi if _given("imsi", imsi) else subscriber
    if not _given("subscriber", owner):
        return key_of(identity, None, msisdn, None)
    key = key_of(identity, imsi, None, subscriber)
    if is_imsi(owner) and _given("msisdn", msisdn):
        identity.bind(owner, own_number(identity, msisdn), t)
    return key


def own_number(identity: Identity, msisdn: Any) -> str:
    """Return a subscriber's own number as `+` and E.164 digits."""
    return _known(identity.e164(_text("msisdn", msisdn)), "msisdn", msisdn)


class Tacs:
    """TAC of IMEIs, cached. A handset is compared by its TAC, never by its IMEI (facts/signals.md)."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def keep(self, fields: dict[str, Any], imei: Any) -> None:
        """Put the TAC of an IMEI or IMEISV into a record; flag one that can't be true as `bad_imei`."""
        found = self._known.get(imei) if imei.__class__ is str else None
        if found is None:
            _text("imei", imei)
            if len(self._known) >= _IMEIS_AT_MOST:
                self._known.clear()
            found = self._known[imei] = imei[:8] if is_imei(imei) else ""
        if found:
            fields["tac8"] = found
            return
        fields.pop("tac8", None)
        quality = fields.get("quality", [])
        if "bad_imei" not in quality:
            fields["quality"] = [*quality, "bad_imei"]


def is_imei(text: str) -> bool:
    """Say whether `text` can be a true IMEI (14 digits, or 15 with a check or spare digit) or IMEISV (16)."""
    if not (14 <= len(text) <= 16 and text.isascii() and text.isdecimal()):
        return False
    if len(set(text[:14])) == 1 or text.startswith("00000000"):
        return False
    # The 15th digit is sent as 0 (3GPP TS 23.003, 6.2.1); feeds that fill it in use Luhn's.
    return len(text) != 15 or text[14] == "0" or _luhn(text)


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(map(int, digits[::-2])) + sum(d - 9 if d > 9 else d for d in doubled)) % 10 == 0


def _given(name: str, value: Any) -> bool:
    return value is not None and _text(name, value) != ""


def _text(name: str, value: Any) -> str:
    if value.__class__ is not str:
        raise Bad(f"text in {name}", describe(value))
    return str(value)


def _known(found: str | None, name: str, given: str) -> str:
    if found is None:
        raise Bad(_EXPECTED[name], f"{len(given)} characters", "identity")
    return found
