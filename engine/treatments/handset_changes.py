"""The SIM is in another handset: `handset.change`, after enough has been seen of it.

1. Handsets are compared by TAC, never by IMEI: the two slots of a handset have two IMEIs of one TAC. All is
   per IMSI: a handset with two SIMs is two subscribers. Records without a TAC (`bad_imei`) are not looked at.
2. The first TAC seen of somebody is no change. One with another TAC is none yet: it may be mistyped, or a
   copy. It is one with the `sightings`-th record of the new TAC, each later than the one before, or once
   `alone` has passed since the first of them, by the watermark, and nobody has seen the old one since. An
   old one seen later than that takes it back.
3. Who goes back to the handset before within `flip_back` of the last change carries two: that is told of no
   more, nor is the way there again, until a day has passed without. A third handset is a change.
4. The record is of the time of the sighting that settled it (or of the first one + `alone`), behind it, with
   `from.tac` and `to.tac`, and `to.model` and `to.network` from the table `handsets`, if it is there and has
   the TAC. It has no cell, and keeps `no_trigger`, `late` and `synthetic` of the record that settled it.
5. A record not later than the last change is late and changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from engine.event import Event
from engine.treatments.derived import derived_of, flags_of
from engine.treatments.memory import Memories
from engine.treatments.who_options import HandsetOptions

WAITING_AT_MOST = 2_000
"""Candidates that wait for their time, 80 bytes each in the checkpoint; others need their second sighting."""


@dataclass(frozen=True, slots=True)
class Handset:
    """What the operator's table says about a TAC."""

    model: str
    network: str = ""
    """The best that it can: `2G` to `5G`; empty: not known."""


class HandsetChanges:
    """Step `handset_changes`.

    Value in memory: used, TAC, changed at, TAC before; candidate, seen first, seen last, times.
    """

    name: ClassVar[str] = "handset_changes"

    def __init__(
        self,
        memories: Memories,
        options: HandsetOptions,
        table: Mapping[str, Handset] | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        """`first`, `changed`, `flip_back`, `withdrawn` (candidates that were not seen again), `late`."""
        self._sightings: int = options.sightings
        self._alone: int = options.alone
        self._flip_back: int = options.flip_back
        self._table: Mapping[str, Handset] = table or {}
        self._memory = memories.memory("handsets", options.ttl, options.remembered)
        self._waiting: dict[str, tuple[int, str, list[str]]] = {}
        """Subscriber with a candidate -> when one sighting is enough, source, flags; of this source."""

    def take(self, event: Event) -> Sequence[Event]:
        """Look at a record's TAC; return it, and the change that it completes behind it."""
        tac = event.fields.get("tac8")
        if tac is None or not event.key:
            return (event,)
        now = event.t
        known = self._memory.get(event.key, now)
        if known is None:
            self._memory.put(event.key, (now, tac, now, "", "", 0, 0, 0))
            self.counts["first"] += 1
            return (event,)
        current = known[1]
        if tac == current and not known[4]:
            self._memory.use(event.key, known, now)
            return (event,)
        _, _, changed_at, before, candidate, first, last, times = known
        if tac == current:
            if now > first:  # back at the old one: the other was not theirs
                self._settle(event.key, now, current, changed_at, before)
                self.counts["withdrawn"] += 1
            else:
                self._memory.use(event.key, known, now)
            return (event,)
        if now <= changed_at:
            self.counts["late"] += 1
            return (event,)
        if tac != candidate:
            candidate, first, last, times = tac, now, now, 1
        elif now > last:
            last, times = now, times + 1
        if times >= self._sightings or self._stands(first, last):
            return (event, *self._change(event.key, event.source, flags_of(event), known, tac, last))
        self._memory.put(event.key, (now, current, changed_at, before, candidate, first, last, times))
        if self._alone and (len(self._waiting) < WAITING_AT_MOST or event.key in self._waiting):
            self._waiting[event.key] = (first + self._alone, event.source, flags_of(event))
        return (event,)

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Return the changes whose one sighting was contradicted by nobody for long enough."""
        if not self._waiting:
            return ()
        found: list[Event] = []
        due = [(at, key) for key, (at, _, _) in self._waiting.items() if at <= watermark]
        for at, key in sorted(due):
            _, source, flags = self._waiting.pop(key)
            known = self._memory.get(key, at)
            if known is not None and known[4] and known[5] + self._alone == at:
                found += self._change(key, source, flags, known, known[4], at)
        return found

    def forget(self, keys: Collection[str]) -> Sequence[Event]:
        """Wait for nobody of some subscribers."""
        for key in keys:
            self._waiting.pop(key, None)
        return ()

    def pack(self) -> Any:
        """Return who waits; what is known of them is in the memory."""
        return {"waiting": self._waiting} if self._waiting else None

    def restore(self, packed: Any) -> None:
        """Go on where `pack` was called."""
        waiting = (packed or {}).get("waiting", {})
        self._waiting = {key: (at, source, flags) for key, (at, source, flags) in waiting.items()}

    def _stands(self, first: int, last: int) -> bool:
        return 0 < self._alone <= last - first

    def _change(
        self, key: str, source: str, flags: list[str], known: tuple[Any, ...], tac: str, t: int
    ) -> Sequence[Event]:
        _, current, changed_at, before, *_ = known
        self._settle(key, t, tac, t, current)
        if tac == before and t - changed_at < self._flip_back:
            self.counts["flip_back"] += 1
            return ()
        self.counts["changed"] += 1
        fields: dict[str, Any] = {"from.tac": current, "to.tac": tac}
        handset = self._table.get(tac)
        if handset is not None:
            if handset.model:
                fields["to.model"] = handset.model
            if handset.network:
                fields["to.network"] = handset.network
        if flags:
            fields["quality"] = flags
        return (derived_of(key, source, "handset.change", t, f"{current} {tac}", fields),)

    def _settle(self, key: str, now: int, tac: str, changed_at: int, before: str) -> None:
        self._waiting.pop(key, None)
        self._memory.put(key, (now, tac, changed_at, before, "", 0, 0, 0))
