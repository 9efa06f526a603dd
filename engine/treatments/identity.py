"""Who a record is about: what is done while it still says so, at intake, and told to the log.

1. `normalise`: `number` and `msisdn` are written as E.164 first, whatever prefix of a carrier, 0 or country
   code stands in front of them. Short numbers (up to 8 digits), those of the table `numbers` and what is no
   number stay as they are. Rules then name a long number by its E.164 form, not with the trunk's 0.
2. `classes`: `number_class` holds the lists of the table `numbers` (the catalogue's `numbers.yaml`) that the
   number belongs to, by whole numbers and by beginnings, unless the feed has said some itself.
3. `strict_imei`: IMEIs of test equipment and of well-known copies are bad as well: flagged `bad_imei`, no
   `tac8`.
4. `home`: a record of somebody else's subscriber gets `home_plmn` by its IMSI, unless the feed has said it.
5. `correlate`: a record with only an MSISDN gets the subscriber key of the IMSI that the number belongs to,
   one with only an IMEI that of the IMSI seen last in the handset; else one with only an IMEI is refused.
6. Of two that say whose a number is, the one with the later time holds: records by their `t`, profiles by
   theirs; of one time the profile. So a record that is late does not take a number back after a change of
   SIM. That a binding still holds is noted once an hour, or in an eighth of `ttl` if that is less.
7. Who lost a number does not get it back within `settle`: of two SIMs with one number (a watch) one has it.
8. An IMEI seen with more than `imsis` IMSIs within `ttl` is a copy, a test set or a gateway of SIMs: flagged
   `bad_imei`, no `tac8`, and it tells nobody from anybody. Each IMSI counts until `ttl` after it was seen
   with it last: a handset that is handed on from one to the next is none.
9. `announce`: once a binding is learned or changes, a `profile.update` with the number goes in front of the
   record, unless a profile has said so already. It binds as a profile's line does, in the engine and, by
   the topic of profiles, in every collector.
10. `mark`: a record whose number is not known is flagged `no_msisdn`, one whose IMSI is not, `no_imsi`; one
    with only an IMEI as one with the IMSI seen last in the handset. `parking` lets these wait a little.
11. A record that the collector will refuse for its time teaches nothing; one that is refused for anything
    else may.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from typing import Any, ClassVar, Final

from engine.event import Event
from engine.identity import Identity, is_imsi
from engine.intake import YEAR_2000, YEAR_2100
from engine.number_classes import NumberClasses
from engine.plmn import home_of
from engine.subject import is_imei
from engine.treatments.correlation import Correlation
from engine.treatments.derived import derived_of
from engine.treatments.numbering import Numbering
from engine.treatments.who_options import IdentityOptions

TEST_TAC: Final = "00"
"""TACs of test equipment begin so (GSMA TS.06, reporting body 00)."""
COPIED: Final = frozenset({"01234567890123", "12345678901234", "13579024681122", "35824005111111"})
"""IMEIs, 14 digits, that many copied or emulated handsets share."""
BAD_IMEI, NO_IMSI, NO_MSISDN = "bad_imei", "no_imsi", "no_msisdn"
PENDING_AT_MOST: Final = 10_000
"""Records of which something was learned on their way from intake to the step; some are refused."""


class Edge:
    """Step `identity`, and the hook of its feed's intake (`Intake(edge=…)`). The first of a chain."""

    name: ClassVar[str] = "identity"

    def __init__(
        self,
        identity: Identity,
        options: IdentityOptions,
        *,
        correlation: Correlation | None = None,
        classes: NumberClasses | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._identity = identity
        self._correlation = correlation if options.correlate else None
        short: Container[str] = () if classes is None else classes
        numbering = Numbering(identity.home_cc, options.carriers, short, self.counts)
        self._write = numbering.write if options.normalise else None
        self._classes = classes if options.classes else None
        self._strict_imei = options.strict_imei
        self._mark_missing = options.mark
        self._announce = options.announce
        self._home = options.home
        self._homes: dict[str, str] = {}
        """First 6 digits of an IMSI -> home PLMN; empty: ours, or not known."""
        self._pending: dict[int, tuple[dict[str, Any], str]] = {}
        """By id of its fields: a record of which a binding was learned, and the number, until it comes by."""

    # -- at intake -------------------------------------------------------------------------------------------

    def __call__(self, fields: dict[str, Any]) -> str | None:
        """Do all that is asked for, in the record; return the key of its IMSI, if it names none itself.

        The record is as its door read it, with values of any type: what is not as expected here is left to
        the checks behind.
        """
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
        if self._home and imsi.__class__ is str and "home_plmn" not in fields:
            self._guest(fields, imsi)
        handset = imei[:14] if imei.__class__ is str and is_imei(imei) else ""
        if handset and self._strict_imei and (handset[:2] == TEST_TAC or handset in COPIED):
            handset = self._bad_imei(fields)
        t = fields.get("t")
        if self._correlation is None or t.__class__ is not int or not YEAR_2000 <= t < YEAR_2100:
            return None
        return self._correlate(fields, imsi, msisdn, handset, t, self._correlation)

    def _correlate(
        self, fields: dict[str, Any], imsi: Any, msisdn: Any, handset: str, t: int, correlation: Correlation
    ) -> str | None:
        number = self._identity.e164(msisdn) if msisdn.__class__ is str and msisdn else None
        counts = self.counts
        if imsi:
            key = self._identity.of_imsi(imsi) if imsi.__class__ is str else None
            if key is None:
                return None
            if number is not None:
                if correlation.learn(key, number, t, counts):
                    if len(self._pending) >= PENDING_AT_MOST:
                        del self._pending[next(iter(self._pending))]
                    self._pending[id(fields)] = (fields, number)
            elif self._mark_missing and not correlation.has_number(key, t):
                self._mark(fields, NO_MSISDN)
            if handset and not correlation.learn_imei(key, handset, t, counts):
                self._bad_imei(fields)
            return None
        if number is not None:
            key = correlation.of_number(number, t, counts)
            if key is None and self._mark_missing:
                self._mark(fields, NO_IMSI)
            return key
        key = correlation.of_imei(handset, t, counts) if handset and not msisdn else None
        if key is not None and self._mark_missing and not correlation.has_number(key, t):
            self._mark(fields, NO_MSISDN)
        return key

    def _guest(self, fields: dict[str, Any], imsi: str) -> None:
        home = self._homes.get(imsi[:6])
        if home is None:
            if not is_imsi(imsi):
                return
            ours = imsi[:5] in self._home or imsi[:6] in self._home
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

    # -- as a step -------------------------------------------------------------------------------------------

    def take(self, event: Event) -> Sequence[Event]:
        """Tell what was learned from the record, in front of it."""
        pending = self._pending.pop(id(event.fields), None) if self._pending else None
        if pending is None or self._correlation is None:
            return (event,)
        number = pending[1]
        self._correlation.tell(event.key, number)
        if not self._announce or self._identity.bound(number) == event.key:
            return (event,)
        self.counts["announced"] += 1
        profile = derived_of(event.key, event.source, "profile.update", event.t, number, {"msisdn": number})
        return (profile, event)

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Nothing waits."""
        return ()

    def pack(self) -> Any:
        """All is in the memory."""
        return None

    def restore(self, packed: Any) -> None:
        """Forget what was on its way: it comes again."""
        self._pending.clear()
