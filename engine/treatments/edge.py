"""The hook at intake: what is done with a record while it still says whose it is. One per feed.

    1. `number` and `msisdn` are written in one way          4. IMSI, MSISDN and IMEI are held together
    2. the classes of `number` go into `number_class`         5. who is a guest gets `home_plmn`
    3. an IMEI that can't be true is taken off, flagged `bad_imei`

Each part is there or not, as the feed asks for it. The record is as its door read it, with values of any
type: what is not as expected here is left to the checks behind.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from engine.identity import Identity, is_imsi
from engine.intake import YEAR_2000, YEAR_2100
from engine.number_classes import NumberClasses
from engine.plmn import home_of
from engine.subject import is_imei
from engine.treatments.correlation import Correlation
from engine.treatments.numbering import Numbering
from engine.treatments.awaiting import NO_IMSI, NO_MSISDN

TEST_TAC: Final = "00"
"""TACs of test equipment begin so (GSMA TS.06, reporting body 00)."""
COPIED: Final = frozenset({"01234567890123", "12345678901234", "13579024681122", "35824005111111"})
"""IMEIs, 14 digits, that many copied or emulated handsets share."""
BAD_IMEI: Final = "bad_imei"


@dataclass(frozen=True, slots=True)
class EdgeOptions:
    """Settings of the hook, beside the parts that it is given."""

    strict_imei: bool = False
    """Take IMEIs of test equipment and of well-known copies for bad, too."""
    mark_missing: bool = False
    """Flag records whose IMSI (`no_imsi`) or number (`no_msisdn`) is not known; they can then be parked."""
    home: frozenset[str] = frozenset()
    """Our PLMNs; given: a record of somebody else's subscriber gets `home_plmn` by its IMSI."""


class Edge:
    """The hook, for `Intake(edge=...)`."""

    def __init__(
        self,
        identity: Identity,
        options: EdgeOptions = EdgeOptions(),
        *,
        correlation: Correlation | None = None,
        numbering: Numbering | None = None,
        classes: NumberClasses | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        """Records: `bad_imei` (beyond what the intake flags itself), `guests`, `no_imsi`, `no_msisdn`."""
        self._identity = identity
        self._options = options
        self._correlation = correlation
        self._write = None if numbering is None else numbering.write
        self._classes = classes
        self._homes: dict[str, str] = {}
        """First 6 digits of an IMSI -> home PLMN; empty: ours, or not known."""

    def __call__(self, fields: dict[str, Any]) -> str | None:
        """Do all that is asked for, in the record; return the key of its IMSI, if it names none itself."""
        if self._write is not None:
            for name in ("number", "msisdn"):
                text = fields.get(name)
                if text.__class__ is str and text:
                    fields[name] = self._write(text)
        if self._classes is not None:
            self._classes.put(fields)
        imsi, msisdn, imei = (
            fields.get("imsi"),
            fields.get("msisdn"),
            fields.get("imeisv") or fields.get("imei"),
        )
        subscriber = fields.get("subscriber")
        if subscriber.__class__ is str and subscriber:
            if not imsi and is_imsi(subscriber):
                imsi = subscriber
            elif not msisdn and subscriber[0] == "+":
                msisdn = subscriber
            elif not imsi and not msisdn:
                return None  # the feed's own id: nothing is known of it
        if self._options.home and imsi.__class__ is str and "home_plmn" not in fields:
            self._guest(fields, imsi)
        handset = imei[:14] if imei.__class__ is str and is_imei(imei) else ""
        if handset and self._options.strict_imei and (handset[:2] == TEST_TAC or handset in COPIED):
            handset = self._bad_imei(fields)
        t = fields.get("t")
        if self._correlation is None or t.__class__ is not int or not YEAR_2000 <= t < YEAR_2100:
            return None
        return self._correlate(fields, imsi, msisdn, handset, t, self._correlation)

    def _correlate(
        self, fields: dict[str, Any], imsi: Any, msisdn: Any, handset: str, t: int, correlation: Correlation
    ) -> str | None:
        number = self._identity.e164(msisdn) if msisdn.__class__ is str and msisdn else None
        if imsi:
            key = self._identity.of_imsi(imsi) if imsi.__class__ is str else None
            if key is None:
                return None
            if number is not None:
                correlation.learn(key, number, t, fields)
            elif self._options.mark_missing and not correlation.has_number(key, t):
                self._mark(fields, NO_MSISDN)
            if handset and not correlation.learn_imei(key, handset, t):
                self._bad_imei(fields)
            return None
        if number is not None:
            key = correlation.of_number(number, t)
            if key is None and self._options.mark_missing:
                self._mark(fields, NO_IMSI)
            return key
        return correlation.of_imei(handset, t) if handset and not msisdn else None

    def _guest(self, fields: dict[str, Any], imsi: str) -> None:
        home = self._homes.get(imsi[:6])
        if home is None:
            if not is_imsi(imsi):
                return
            ours = imsi[:5] in self._options.home or imsi[:6] in self._options.home
            home = self._homes[imsi[:6]] = "" if ours else home_of(imsi) or ""
        if home:
            fields["home_plmn"] = home
            self.counts["guests"] += 1

    def _bad_imei(self, fields: dict[str, Any]) -> str:
        for name in ("imei", "imeisv", "tac8"):
            fields.pop(name, None)
        self._mark(fields, BAD_IMEI)
        return ""

    def _mark(self, fields: dict[str, Any], flag: str) -> None:
        quality = fields.get("quality", [])
        if quality.__class__ is list and flag not in quality:
            fields["quality"] = [*quality, flag]
            self.counts[flag] += 1
