"""`correlation`: which number and which handset belong to which IMSI, learned from records that name several.

One for all sources of a collector: one feed brings IMSI and MSISDN, another only the MSISDN. Only keyed
hashes are remembered. What holds:

- Of two that say whose a number is, the one with the later time: records by their `t`, profiles by theirs
  (of one time the profile). So a record that is late does not take a number back after a change of SIM.
- Who lost a number does not get it back within `settle`: of two SIMs with one number (a watch) one has it,
  and it does not go to and fro.
- A record that the collector will refuse for its time, being ahead of the clock (7 r), teaches nothing.

The step tells what the hook at intake has learned (`engine.treatments.edge`): with `announce` it writes a
`profile.update` with the number, once, which binds as a profile's line does, in the engine and, by the topic
of profiles, in every collector.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from engine.event import Event
from engine.identity import Identity
from engine.numbers import keyed_hash
from engine.treatments.derived import derived_of
from engine.treatments.memory import Memories, Value

HOUR, DAY = 3_600_000_000, 86_400_000_000
PENDING_AT_MOST = 10_000
"""Records of which something was learned on their way from intake to the step; some are refused."""
IMEIS_REMEMBERED = 200_000


@dataclass(frozen=True, slots=True)
class CorrelationOptions:
    """Settings of the step."""

    announce: bool = False
    """Write a `profile.update` with the number when a binding is learned or changes."""
    ttl: int = 30 * DAY
    """µs after it was last of use that a binding is forgotten."""
    settle: int = HOUR
    """µs within which a number does not go back to whoever just lost it."""
    imsis: int = 4
    """IMSIs that one IMEI may be seen with; with more it is a copy, a test set or a gateway of SIMs."""
    at_most: int = 1_000_000
    """Numbers remembered, and as many IMEIs: about 700 bytes per subscriber together."""


class Correlation:
    """What is known, and the step that tells of it. Order of calls: `learn` at intake, then `take`."""

    name = "correlation"

    def __init__(
        self,
        identity: Identity,
        memories: Memories,
        options: CorrelationOptions = CorrelationOptions(),
        *,
        latest: Callable[[], int] | None = None,
    ) -> None:
        """`latest`: the latest time that the collector takes now, µs; None: it takes any."""
        self.counts: Counter[str] = Counter()
        """`learned`, `moved` (to another SIM), `late`, `contested`, `ahead`, `profile_holds`, `announced`,
        `by_msisdn` and `by_imei` (records that got the key of their IMSI), `shared_imei` (records)."""
        self.identity = identity
        self.options = options
        self.wanted: dict[str, list[Callable[[str, str], None]]] = {}
        """Key -> those who wait to hear of its IMSI or its number (`engine.treatments.awaiting`)."""
        self._memories = memories
        self._numbers = memories.memory("numbers", options.ttl, options.at_most)
        """A number's own key -> used, said at, key, key before, since."""
        self._owners = memories.memory("owners", options.ttl, options.at_most)
        """Key of an IMSI -> used, its number's own key."""
        self._imeis = memories.memory("imeis", options.ttl, options.at_most)
        """Hash of an IMEI -> used, said at, keys, latest first."""
        self._hashes: dict[str, str] = {}
        self._pending: dict[int, tuple[dict[str, Any], str]] = {}
        """By id of its fields: a record of which a binding was learned, and the number, until it comes by."""
        self._bound = {key for _, key, _ in identity.bindings()}
        """Keys that a profile has given a number."""
        self._latest = latest
        identity.watcher = self

    # -- at intake -------------------------------------------------------------------------------------------

    def learn(self, key: str, number: str, t: int, fields: dict[str, Any]) -> None:
        """Take in that a record of time `t` (µs) names the IMSI of `key` and a number (`+` and E.164).

        `fields`: the record, by which the step knows it again.
        """
        own = self.identity.of_number(number)
        known = self._numbers.get(own, t)
        if known is not None and known[2] == key:
            if t - known[1] > HOUR:  # that it still holds is noted once an hour
                self._numbers.put(own, (max(t, known[0]), t, key, *known[3:]))
                self._owners.put(key, (t, own))
            return
        if self._is_ahead(t):
            return
        profile = self.identity.binding(number)
        if profile is not None and profile[1] != key and profile[0] >= t:
            self.counts["profile_holds"] += 1
            return
        before = ""
        if known is not None:
            before = known[2]
            if t <= known[1]:
                self.counts["late"] += 1
                return
            if key == known[3] and t - known[4] < self.options.settle:
                self.counts["contested"] += 1
                return
            if (owned := self._owners.get(before, t)) is not None and owned[1] == own:
                self._owners.forget(before)
        self.counts["moved" if known is not None else "learned"] += 1
        self._numbers.put(own, (t, t, key, before, t))
        self._owners.put(key, (t, own))
        if len(self._pending) >= PENDING_AT_MOST:
            del self._pending[next(iter(self._pending))]
        self._pending[id(fields)] = (fields, number)

    def learn_imei(self, key: str, imei: str, t: int) -> bool:
        """Take in that an IMSI was in a handset (14 digits); False if it is one with too many."""
        hashed = self._hash(imei)
        known = self._imeis.get(hashed, t)
        if known is None:
            if not self._is_ahead(t):
                self._imeis.put(hashed, (t, t, key))
            return True
        if known[2] == key:
            self._imeis.use(hashed, known, t)
        elif len(known) - 2 <= self.options.imsis and not self._is_ahead(t):
            others = [other for other in known[2:] if other != key]
            if t > known[1]:
                known = (max(t, known[0]), t, key, *others)
                self._imeis.put(hashed, known)
            elif key not in known[2:]:
                known = (*known[:2], *others, key)
                self._imeis.put(hashed, known)
        if len(known) - 2 > self.options.imsis:
            self.counts["shared_imei"] += 1
            return False
        return True

    def of_number(self, number: str, t: int) -> str | None:
        """Return the key of the IMSI that a number belongs to at `t`; None: not known."""
        own = self.identity.of_number(number)
        known = self._numbers.get(own, t)
        profile = self.identity.binding(number)
        if profile is not None and (known is None or profile[0] >= known[1]):
            return profile[1]
        if known is None:
            return None
        self._numbers.use(own, known, t)
        self.counts["by_msisdn"] += 1
        return str(known[2])

    def of_imei(self, imei: str, t: int) -> str | None:
        """Return the key of the IMSI last seen in a handset (14 digits); None: not known, or too many."""
        known = self._imeis.get(self._hash(imei), t)
        if known is None or len(known) - 2 > self.options.imsis:
            return None
        self.counts["by_imei"] += 1
        return str(known[2])

    def has_number(self, key: str, t: int) -> bool:
        """Say whether the number of an IMSI is known."""
        return key in self._bound or self._owners.get(key, t) is not None

    def _is_ahead(self, t: int) -> bool:
        if self._latest is None or t <= self._latest():
            return False
        self.counts["ahead"] += 1
        return True

    def _hash(self, imei: str) -> str:
        found = self._hashes.get(imei)
        if found is None:
            if len(self._hashes) >= IMEIS_REMEMBERED:
                self._hashes.clear()
            found = self._hashes[imei] = keyed_hash(self.identity.key, "imei:" + imei)
        return found

    # -- as a step -------------------------------------------------------------------------------------------

    def take(self, event: Event) -> Sequence[Event]:
        """Tell what was learned of the record's subscriber, before the record."""
        pending = self._pending.pop(id(event.fields), None) if self._pending else None
        if pending is None:
            return (event,)
        number = pending[1]
        self._tell(event.key, self.identity.of_number(number))
        if not self.options.announce or self.identity.bound(number) == event.key:
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
        """Go on where `pack` was called."""
        self._pending.clear()

    # -- what profiles say -----------------------------------------------------------------------------------

    def bound(self, number: str, key: str) -> None:
        """Take in that a profile binds a number."""
        self._bound.add(key)
        self._tell(key, self.identity.of_number(number))

    def forgotten(self, keys: Collection[str]) -> None:
        """Forget subscribers who asked for it, in all memories."""
        taken = frozenset(keys)
        self._bound -= taken
        for key in taken:
            owned = self._owners.get(key, 0)
            if owned is not None:
                self._numbers.forget(owned[1])
        for hashed, value in [entry for entry in self._imeis.items() if not taken.isdisjoint(entry[1][2:])]:
            self._forget_in(hashed, value, taken)
        self._memories.forget(taken)

    def _forget_in(self, hashed: str, value: Value, keys: Collection[str]) -> None:
        others = tuple(key for key in value[2:] if key not in keys)
        if others:
            self._imeis.put(hashed, (*value[:2], *others))
        else:
            self._imeis.forget(hashed)

    def _tell(self, key: str, own: str) -> None:
        if self.wanted:
            for each in (own, key):
                for tell in self.wanted.pop(each, ()):
                    tell(each, key)
