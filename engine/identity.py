"""Who a record is about: one keyed subscriber key from an IMSI, an MSISDN or a feed's opaque id.

Key = hex(BLAKE2b-128(key = TOUCHPOINT_KEY, 15 IMSI digits | `+` and E.164 | the feed's id as given)).
A profile binds an IMSI and an MSISDN: from then on a record that only has the MSISDN gets the key of the IMSI
(semantics.md 6, 7 u).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from engine.errors import SettingsError
from engine.numbers import e164, is_open, keyed_hash, normalise

KEY_BYTES = range(1, 65)
"""BLAKE2b takes keys of up to 64 bytes."""

REMEMBERED = 200_000
"""Entries per cache, about 250 bytes each. A full cache is emptied: 1 µs per subscriber to fill again."""

OPAQUE_AT_MOST = 256
"""Characters of a feed's own id."""


class Watcher(Protocol):
    """Who is told of bindings that profiles bring: `engine.treatments.correlation`."""

    def bound(self, number: str, key: str) -> None:
        """Take in that a number (`+` and E.164 digits) is now bound to a key."""
        ...

    def forgotten(self, keys: Collection[str]) -> Collection[str]:
        """Take in that the subscribers of some keys asked to be forgotten; return the own keys of numbers
        that are known to be theirs.
        """
        ...


class Identity:
    """Turns identities into subscriber keys and phone numbers into what the log may hold.

    `key`: the secret TOUCHPOINT_KEY, 1 to 64 bytes. `home_cc`: country code of the home country, digits.
    Raises SettingsError if either is not so. Results are cached by the text as given.
    """

    __slots__ = (
        "_bound",
        "_forgotten",
        "_msisdns",
        "_numbers",
        "_opaque",
        "_remembered",
        "_since",
        "home_cc",
        "key",
        "keys",
        "watcher",
    )

    def __init__(self, key: bytes, home_cc: str = "86", *, remembered: int = REMEMBERED) -> None:
        if len(key) not in KEY_BYTES:
            raise SettingsError([f"TOUCHPOINT_KEY: expected 1 to 64 bytes, was {len(key)} bytes"])
        if not (home_cc.isascii() and home_cc.isdecimal() and len(home_cc) <= 3):
            raise SettingsError([f"TOUCHPOINT_HOME_CC: expected 1 to 3 digits, was {home_cc!r}"])
        self.key = key
        self.home_cc = home_cc
        self._remembered = remembered
        self.keys: dict[str, str] = {}
        """IMSI -> subscriber key, of IMSIs seen lately: intake looks here first, without a call."""
        self._msisdns: dict[str, str] = {}
        """MSISDN as given -> E.164."""
        self._opaque: dict[str, str] = {}
        """E.164 or opaque id -> key of that very text."""
        self._bound: dict[str, str] = {}
        """E.164 -> key of the IMSI a profile bound to it. Never forgotten: one entry per profile."""
        self._since: dict[str, int] = {}
        """E.164 -> `t` (µs) of the record that bound it."""
        self._numbers: dict[str, str] = {}
        self._forgotten: set[str] = set()
        self.watcher: Watcher | None = None

    def of_imsi(self, imsi: str) -> str | None:
        """Return the key of an IMSI; None if it is not 15 digits."""
        found = self.keys.get(imsi)
        if found is not None:
            return found
        if not is_imsi(imsi):
            return None
        return self._remember(self.keys, imsi, keyed_hash(self.key, imsi))

    def of_msisdn(self, msisdn: str) -> str | None:
        """Return the key of the IMSI bound to an MSISDN, else the MSISDN's own; None if it is no number."""
        number = self.e164(msisdn)
        if number is None:
            return None
        bound = self._bound.get(number)
        if bound is not None:
            return bound
        return self._of_text(number)

    def of_subscriber(self, subscriber: str) -> str | None:
        """Return the key of a `subscriber` field: 15 IMSI digits, `+`MSISDN, or a feed's opaque id."""
        found = self.keys.get(subscriber)
        if found is not None:
            return found
        if subscriber.startswith("+"):
            return self.of_msisdn(subscriber)
        if is_imsi(subscriber):
            return self.of_imsi(subscriber)
        if not 1 <= len(subscriber) <= OPAQUE_AT_MOST:
            return None
        return self._of_text(subscriber)

    def bind(self, imsi: str, msisdn: str, at: int = 0) -> str | None:
        """Bind an MSISDN to an IMSI by a record of time `at` (µs): of those read one after the other the last
        holds. Returns the key; None if one is malformed.
        """
        key = self.of_imsi(imsi)
        number = self.e164(msisdn)
        if key is None or number is None:
            return None
        self._bind(number, key, at)
        return key

    def bind_key(self, number: str, key: str, at: int) -> None:
        """Bind a number (`+` and E.164 digits) to a subscriber key, as a record of time `at` did elsewhere.

        Profiles are told in no order among each other, and again whenever anything in them changes, so the
        latest binding holds whichever comes first; of two of one time it is the same one for whoever reads.
        A number's own key says nothing about an IMSI and takes no binding away.
        """
        if key == self._of_text(number):
            return
        known = self._bound.get(number)
        if known is None or (at, key) >= (self._since.get(number, 0), known):
            self._bind(number, key, at)

    def _bind(self, number: str, key: str, at: int) -> None:
        self._bound[number], self._since[number] = key, at
        if self.watcher is not None:
            self.watcher.bound(number, key)

    def bound(self, number: str) -> str | None:
        """Return the key that a number (`+` and E.164 digits) is bound to; None if it is not."""
        return self._bound.get(number)

    def bindings(self) -> Iterable[tuple[str, str, int]]:
        """All that are bound: number, key, since when (µs)."""
        return ((number, key, self._since.get(number, 0)) for number, key in self._bound.items())

    def binding(self, number: str) -> tuple[int, str] | None:
        """Return since when (µs) a number is bound, and to which key; None if it is not."""
        key = self._bound.get(number)
        return None if key is None else (self._since.get(number, 0), key)

    def of_number(self, number: str) -> str:
        """Return a number's own key (`+` and E.164 digits), whatever it is bound to."""
        return self._of_text(number)

    def forget_keys(self, keys: Collection[str]) -> None:
        """Take back the bindings to some keys: their subscribers asked to be forgotten (`take_forgotten`)."""
        self._forgotten.update(keys)
        for number in [number for number, key in self._bound.items() if key in keys]:
            del self._bound[number]
            self._since.pop(number, None)
            self._forgotten.add(self._of_text(number))

    def take_forgotten(self) -> list[str]:
        """Return the keys forgotten since the last call, and those of their numbers: for who remembers more.

        The watcher is told now: once, however many were forgotten, for it looks through all that it knows.
        """
        keys, self._forgotten = self._forgotten, set()
        if keys and self.watcher is not None:
            keys.update(self.watcher.forgotten(keys))
        return sorted(keys)

    def e164(self, msisdn: str) -> str | None:
        """Return an MSISDN as `+` and E.164 digits, or None."""
        found = self._msisdns.get(msisdn)
        if found is not None:
            return found
        number = e164(msisdn, self.home_cc)
        return number and self._remember(self._msisdns, msisdn, number)

    def number(self, text: str) -> str:
        """Return the other party's number as the log holds it: up to 8 digits as they are, else hashed.

        Literals and lists in rules are put through the same function when they are compiled.
        """
        found = self._numbers.get(text)
        if found is not None:
            return found
        normalised = normalise(text, self.home_cc)
        kept = normalised if is_open(normalised) else self.hash_number(normalised)
        return self._remember(self._numbers, text, kept)

    def hash_number(self, normalised: str) -> str:
        """Return the keyed hash of a normalised number: 32 hex digits."""
        return keyed_hash(self.key, normalised)

    def _of_text(self, text: str) -> str:
        found = self._opaque.get(text)
        if found is not None:
            return found
        return self._remember(self._opaque, text, keyed_hash(self.key, text))

    def _remember(self, cache: dict[str, str], text: str, result: str) -> str:
        if len(cache) >= self._remembered:
            cache.clear()
        cache[text] = result
        return result


def is_imsi(text: str) -> bool:
    """Say whether `text` is 15 decimal digits."""
    return len(text) == 15 and text.isascii() and text.isdecimal()
