"""Phone numbers of a feed as E.164, whatever the exchange put in front of them (ITU-T E.164; phonenumbers).

Only where a feed asks for it: what comes out goes through `engine.numbers` as any number does (semantics.md
7 t). So rules and lists name a long number by its E.164 form, `+86 10 6234 5678`, not with the trunk's 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from engine.numbers import OPEN_DIGITS, SEPARATORS

REMEMBERED: Final = 200_000
"""Numbers as they came whose written form is kept: to find it costs 30 µs."""
LONGEST: Final = 40
"""Characters; what is longer is no number."""
AFTER_PREFIX: Final = 7
"""Digits that follow a carrier's prefix at least, short codes aside."""


CARRIERS: Final = ("17951", "17950", "17911", "17910", "17909", "17908", "17901", "17900", "12593")
"""Prefixes by which a carrier or tariff was chosen for a call: taken off."""


class Numbering:
    """Writes numbers in one way. `home_cc`: country code of the home country; `short`: numbers that stay."""

    def __init__(
        self,
        home_cc: str,
        carriers: Sequence[str] = CARRIERS,
        short: Container[str] = (),
        counts: Counter[str] | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter() if counts is None else counts
        """By number met anew: `numbers_written`, `carriers_taken_off`, `extensions_cut_off`, `numbers_unread`
        (no number that is known: stays as it is)."""
        self._home_cc = home_cc
        self._region = phonenumbers.region_code_for_country_code(int(home_cc))
        self._carriers = carriers
        self._short = short
        self._known: dict[str, str] = {}

    def write(self, text: str) -> str:
        """Return a number as `+` and E.164 digits; short codes, and what can't be read, as it came."""
        found = self._known.get(text)
        if found is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            found = self._known[text] = self._write(text)
        return found

    def _write(self, text: str) -> str:
        bare = text.translate(SEPARATORS)
        if len(text) <= LONGEST:
            bare = self._without_carrier(bare)
            if self._is_short(bare):
                return bare
            try:
                parsed = phonenumbers.parse(bare, self._region)
            except NumberParseException:
                parsed = None
            if parsed is not None and phonenumbers.is_possible_number(parsed):
                if parsed.extension:
                    parsed.extension = None
                    self.counts["extensions_cut_off"] += 1
                self.counts["numbers_written"] += 1
                return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
        self.counts["numbers_unread"] += 1
        return text

    def _without_carrier(self, bare: str) -> str:
        """Take off a carrier's prefix, or the home country's code in front of a short code."""
        for prefix in self._carriers:
            if bare.startswith(prefix):
                rest = bare[len(prefix) :]
                if len(rest) >= AFTER_PREFIX or rest in self._short:
                    self.counts["carriers_taken_off"] += 1
                    return rest
        rest = bare.removeprefix(self._home_cc)
        return rest if rest in self._short else bare

    def _is_short(self, bare: str) -> bool:
        if bare in self._short:
            return True
        return bare.isascii() and bare.isdecimal() and len(bare) <= OPEN_DIGITS and not bare.startswith("0")
