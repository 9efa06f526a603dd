"""Short messages: the other party's number and the length, out of TPDUs (3GPP TS 23.040, 9.2.2)."""

from __future__ import annotations

from typing import Any, Final

_DELIVER, _SUBMIT = 0, 1
_ALPHANUMERIC, _INTERNATIONAL = 5, 1
_DIGITS: Final = "0123456789*#abc"
_VALIDITY: Final = (0, 7, 1, 7)
"""Bytes of the validity period by its format."""


def read_tpdu(data: bytes, *, submit: bool) -> dict[str, Any] | None:
    """Return `number` and `length` of a message submitted or delivered; None for a report, or a broken one.

    Length: characters, as the header of user data counts them for the 7-bit alphabet (a header of its own
    included); of UCS2 two bytes are one. A sender with letters has no number.
    """
    try:
        if data[0] & 3 != (_SUBMIT if submit else _DELIVER):
            return None
        at = 2 if submit else 1
        digits, kind = data[at], data[at + 1] >> 4 & 7
        end = at + 2 + (digits + 1) // 2
        number = "" if kind == _ALPHANUMERIC else bcd(data[at + 2 : end])[:digits]
        scheme = data[end + 1]
        length = data[end + 2 + (_VALIDITY[data[0] >> 3 & 3] if submit else 7)]
    except IndexError:
        return None
    found: dict[str, Any] = {"length": length // 2 if _is_ucs2(scheme) else length}
    if number:
        found["number"] = f"+{number}" if kind == _INTERNATIONAL else number
    return found


def read_rp(data: bytes, *, uplink: bool) -> dict[str, Any] | None:
    """Return the same of a CP-DATA message with RP-DATA in it (TS 24.011, 7.2.1 and 7.3.1); else None."""
    try:
        if data[0] & 15 != 9 or data[1] != 1:
            return None
        rp = data[3 : 3 + data[2]]
        if rp[0] & 7 != (0 if uplink else 1):
            return None
        at = 2 + 1 + rp[2]
        at += 1 + rp[at]
        return read_tpdu(rp[at + 1 : at + 1 + rp[at]], submit=uplink)
    except IndexError:
        return None


def bcd(data: bytes) -> str:
    """Return the digits of packed BCD, the low half of each byte first, up to a filler."""
    text = "".join(_DIGITS[half] if half < 15 else "f" for octet in data for half in (octet & 15, octet >> 4))
    return text.partition("f")[0]


def address(data: bytes) -> str:
    """Return the number of an address string of MAP, `+` before it if international (TS 29.002, 17.7.8)."""
    digits = bcd(data[1:])
    return f"+{digits}" if digits and data[0] >> 4 & 7 == _INTERNATIONAL else digits


def _is_ucs2(scheme: int) -> bool:
    """Say whether a data coding scheme is of UCS2 (TS 23.038, 4)."""
    return scheme >> 2 & 3 == 2 if scheme < 0x80 else scheme & 0xF0 == 0xE0
