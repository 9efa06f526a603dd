"""Which number and which handset belong to which IMSI, learned from records that name several.

One for all feeds of a collector: one brings IMSI and MSISDN, another only the MSISDN. Only keyed hashes are
remembered. `engine.treatments.identity` says what holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

from engine.identity import Identity
from engine.numbers import keyed_hash
from engine.treatments.memory import USED_EVERY, Memories, Value

HOUR, DAY = 3_600_000_000, 86_400_000_000
IMEIS_REMEMBERED = 200_000
Time = tuple[int, str]
"""When an IMEI was seen with a key, µs, and the key."""


@dataclass(frozen=True, slots=True)
class CorrelationOptions:
    """What is believed, and for how long."""

    ttl: int = 30 * DAY
    """µs after it was last of use, or up to an eighth less, that a binding is forgotten."""
    settle: int = HOUR
    """µs within which a number does not go back to whoever just lost it."""
    imsis: int = 4
    """IMSIs that one IMEI may be seen with within `ttl`; with more it is a copy, a test set or a gateway."""
    at_most: int = 1_000_000
    """Numbers remembered, and as many IMEIs: about 700 bytes per subscriber together."""


USUAL = CorrelationOptions()


class Correlation:
    """What is known. `counts` of a method: of the feed that asks, by the names of the treatment."""

    def __init__(
        self,
        identity: Identity,
        memories: Memories,
        options: CorrelationOptions = USUAL,
        *,
        latest: Callable[[], int] | None = None,
    ) -> None:
        """`latest`: the latest time that the collector takes now, µs; None: it takes any."""
        self.identity = identity
        self.options = options
        self.wanted: dict[str, list[Callable[[str, str], None]]] = {}
        """Key -> those who wait to hear of its IMSI or its number (`engine.treatments.parking`)."""
        self._numbers = memories.memory("numbers", options.ttl, options.at_most)
        """A number's own key -> used, said at, key, key before, since."""
        self._owners = memories.memory("owners", options.ttl, options.at_most)
        """Key of an IMSI -> used, its number's own key."""
        self._imeis = memories.memory("imeis", options.ttl, options.at_most)
        """Hash of an IMEI -> when it was seen with a key, the key, and so on, latest first: `_times`."""
        self._noted = options.ttl // USED_EVERY
        """µs after which a use is noted again."""
        self._hashes: dict[str, str] = {}
        self._bound = {key for _, key, _ in identity.bindings()}
        """Keys that a profile has given a number."""
        self._latest = latest
        identity.watcher = self

    def learn(self, key: str, number: str, t: int, counts: Counter[str]) -> bool:
        """Take in that a record of time `t` (µs) names the IMSI of `key` and a number (`+` and E.164).

        True if that is new: then `tell` is to be called once all that came before that record was told.
        """
        own = self.identity.of_number(number)
        known = self._numbers.get(own, t)
        if known is not None and known[2] == key:
            if t - known[1] > min(HOUR, self._noted):  # that it still holds is not noted for every record
                self._numbers.put(own, (max(t, known[0]), t, key, *known[3:]))
                self._owners.put(key, (t, own))
            return False
        if self._is_ahead(t, counts):
            return False
        profile = self.identity.binding(number)
        if profile is not None and profile[1] != key and profile[0] >= t:
            counts["profile_holds"] += 1
            return False
        before = ""
        if known is not None:
            before = known[2]
            if t <= known[1]:
                counts["late"] += 1
                return False
            if key == known[3] and t - known[4] < self.options.settle:
                counts["contested"] += 1
                return False
            if (owned := self._owners.get(before, t)) is not None and owned[1] == own:
                self._owners.forget(before)
        counts["moved" if known is not None else "learned"] += 1
        self._numbers.put(own, (t, t, key, before, t))
        self._owners.put(key, (t, own))
        return True

    def learn_imei(self, key: str, imei: str, t: int, counts: Counter[str]) -> bool:
        """Take in that an IMSI was in a handset (14 digits); False if it is one with too many."""
        hashed = self._hash(imei)
        known = self._imeis.get(hashed, t)
        if known is not None and len(known) == 2 and known[1] == key and t - known[0] <= self._noted:
            return True  # nearly all: one IMSI, seen just now
        times = [] if known is None else self._lately(known, t)
        if self._says_more(times, key, t) and not self._is_ahead(t, counts):
            times = [each for each in times if each[1] != key]
            times.append((t, key))
            times.sort(key=lambda each: each[0], reverse=True)
            del times[self.options.imsis + 1 :]
            self._imeis.put(hashed, _value(times))
        if len(times) > self.options.imsis:
            counts["shared_imei"] += 1
            return False
        return True

    def _says_more(self, times: list[Time], key: str, t: int) -> bool:
        """Say whether it is to be noted that a key was seen with an IMEI at `t`: not for every record."""
        if not times:
            return True
        newest, oldest = times[0][0], times[-1][0]
        is_shared = len(times) > self.options.imsis
        for at, other in times:
            if other == key:
                return t - at > self._noted or (not is_shared and t > newest)
        # one more, unless it is too late to say so; if there are enough, for the one seen longest ago
        return t - oldest > self._noted if is_shared else newest - t <= self.options.ttl

    def _lately(self, known: Value, t: int) -> list[Time]:
        """Return the keys seen with an IMEI within `ttl` of its last record, or of `t`; latest first."""
        since = max(t, known[0]) - self.options.ttl
        return [each for each in _times(known) if each[0] >= since]

    def of_number(self, number: str, t: int, counts: Counter[str]) -> str | None:
        """Return the key of the IMSI that a number belongs to at `t`; None: not known."""
        own = self.identity.of_number(number)
        known = self._numbers.get(own, t)
        profile = self.identity.binding(number)
        if profile is not None and (known is None or profile[0] >= known[1]):
            return profile[1]
        if known is None:
            return None
        self._numbers.use(own, known, t)
        counts["by_msisdn"] += 1
        return str(known[2])

    def of_imei(self, imei: str, t: int, counts: Counter[str]) -> str | None:
        """Return the key of the IMSI last seen in a handset (14 digits); None: not known, or too many."""
        known = self._imeis.get(self._hash(imei), t)
        times = [] if known is None else self._lately(known, t)
        if not times or len(times) > self.options.imsis:
            return None
        counts["by_imei"] += 1
        return times[0][1]

    def has_number(self, key: str, t: int) -> bool:
        """Say whether the number of an IMSI is known."""
        return key in self._bound or self._owners.get(key, t) is not None

    def _is_ahead(self, t: int, counts: Counter[str]) -> bool:
        if self._latest is None or t <= self._latest():
            return False
        counts["ahead"] += 1
        return True

    def _hash(self, imei: str) -> str:
        found = self._hashes.get(imei)
        if found is None:
            if len(self._hashes) >= IMEIS_REMEMBERED:
                self._hashes.clear()
            found = self._hashes[imei] = keyed_hash(self.identity.key, "imei:" + imei)
        return found

    def bound(self, number: str, key: str) -> None:
        """Take in that a profile binds a number."""
        self._bound.add(key)
        self.tell(key, number)

    def forgotten(self, keys: Collection[str]) -> Collection[str]:
        """Forget subscribers who asked for it; return the own keys of their numbers."""
        taken = frozenset(keys)
        self._bound = {key for _, key, _ in self.identity.bindings()}
        for key in taken:
            self._owners.forget(key)
        theirs = set[str]()
        numbers = self._numbers.items()
        for own, value in [(o, v) for o, v in numbers if v[2] in taken or v[3] in taken or o in taken]:
            used, said_at, key, _, since = value
            if key in taken or own in taken:
                theirs.add(own)
                self._numbers.forget(own)
                if (owned := self._owners.get(key, 0)) is not None and owned[1] == own:
                    self._owners.forget(key)
            else:  # it was theirs before
                self._numbers.put(own, (used, said_at, key, "", since))
        for hashed, value in [each for each in self._imeis.items() if not taken.isdisjoint(each[1])]:
            others = [each for each in _times(value) if each[1] not in taken]
            if others:
                self._imeis.put(hashed, _value(others))
            else:
                self._imeis.forget(hashed)
        return theirs

    def tell(self, key: str, number: str) -> None:
        """Tell those who wait that a number and the IMSI of a key are now known to be one's."""
        if self.wanted:
            for each in (self.identity.of_number(number), key):
                for tell in self.wanted.pop(each, ()):
                    tell(each, key)


def _times(value: Value) -> list[Time]:
    """Read what is remembered of an IMEI.

    A shelf of an earlier version has (used, when the latest of the keys came, keys, latest first). Of the
    others it is only known that they were seen by then: so they count from there, and no longer than `ttl`.
    """
    if value[1].__class__ is int:
        return [(value[0], value[2]), *[(value[1], key) for key in value[3:]]]
    return list(zip(value[::2], value[1::2], strict=True))


def _value(times: list[Time]) -> Value:
    return tuple([each for time in times for each in time])
