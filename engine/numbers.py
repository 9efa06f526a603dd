"""Phone numbers: one way to write each, and a keyed hash instead of the long ones (semantics.md 7 t, u)."""

from __future__ import annotations

from hashlib import blake2b

OPEN_DIGITS = 8
"""Numbers of at most this many digits (hotlines, short codes) are kept as they are."""

SEPARATORS = str.maketrans("", "", " ().-/")
HASH_LENGTH = 32
E164_DIGITS = range(5, 16)
"""An E.164 number has at most 15 digits, country code included."""


def keyed_hash(key: bytes, text: str) -> str:
    """Return hex(BLAKE2b-128(key, UTF-8 of `text`)): 32 digits."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=key).hexdigest()


def normalise(text: str, home_cc: str) -> str:
    """Write a number in one way: no separators, no `+CC`/`00CC` of the home country.

    `+86 139-1234-5678` -> `13912345678`; `10086` and foreign numbers with their `+` or `00` stay.
    """
    bare = text.translate(SEPARATORS)
    for prefix in ("+", "00"):
        if bare.startswith(prefix + home_cc) and len(bare) > len(prefix) + len(home_cc):
            return bare[len(prefix) + len(home_cc) :]
    return bare


def is_open(normalised: str) -> bool:
    """Say whether a normalised number is short enough to be kept as it is."""
    return sum(map(str.isdecimal, normalised)) <= OPEN_DIGITS


def is_hash(text: str) -> bool:
    """Say whether `text` looks like a keyed hash: 32 lower-case hex digits."""
    return len(text) == HASH_LENGTH and not text.strip("0123456789abcdef")


def e164(text: str, home_cc: str) -> str | None:
    """Write a subscriber's own number as `+` and E.164 digits; None if it can't be one.

    Taken: `+8613…`, `008613…`, `8613…` (11 digits or more) and the national `13…` or `013…`.
    """
    bare = text.translate(SEPARATORS)
    if bare.startswith("+"):
        digits = bare[1:]
    elif bare.startswith("00"):
        digits = bare[2:]
    elif bare.startswith(home_cc) and len(bare) >= 11:
        digits = bare
    else:
        digits = home_cc + bare.removeprefix("0")
    if len(digits) in E164_DIGITS and digits.isascii() and digits.isdecimal():
        return "+" + digits
    return None
