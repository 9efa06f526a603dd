"""Duplicates by another way: two probes see one procedure, and each writes a record of its own.

    1. A signaling record is a copy of an earlier one of the same subscriber if their times `t` are at most
       `within` apart and kind, cell, phase, outcome and what else its kind has (the other party, length,
       traffic, host) are the same. How long it took (`duration`, `t_start`) is not compared: two probes
       measure it differently.
    2. A copy is dropped, whichever source it names; the first to come stays. It is held against the last
       such record that went on, so that a procedure which is repeated again and again is not lost.
    3. A record with the id of the one before is not touched: the engine knows it by its id and counts it
       (semantics.md 1.6). Business records are not looked at: two recharges of one amount may be two.
    4. Two records that agree in all this and are two nonetheless, such as two SMS of the same length to the
       same number within `within`, become one: keep it short, and choose `kinds`.

Both probes have to come in by the same feed. At most 8 records of a subscriber are remembered at a time,
until the watermark has passed them by more than `within`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar, Final

from engine.event import Event
from engine.treatments.flags import SIGNALING
from engine.treatments.recent import Recent
from engine.treatments.where_options import DuplicatesOptions

_ALWAYS: Final = ("phase", "result", "cause")
_MORE: Final[Mapping[str, tuple[str, ...]]] = {
    "call": ("number",),
    "sms": ("number", "length"),
    "mms": ("number", "length"),
    "data": ("up", "down", "apn", "host", "app"),
    "power": ("switch_off", "implicit"),
    "handset": ("to.tac",),
    "sim": ("to.tac",),
    "roam": ("country", "plmn"),
}
COMPARED: Final = {kind: (*_ALWAYS, *_MORE.get(kind.partition(".")[0], ())) for kind in SIGNALING}
"""Kind -> fields that have to be the same, besides kind and cell."""
OF_ONE: Final = 8
"""Records remembered of a subscriber."""

_Same = tuple[Any, ...]
"""What is compared."""
_Seen = list[tuple[_Same, int, str | None]]
"""What is compared, `t` and id of the last such record that went on; the longest remembered first."""


class Duplicates:
    """Step `duplicates`."""

    name: ClassVar[str] = "duplicates"

    def __init__(self, options: DuplicatesOptions) -> None:
        self.counts: Counter[str] = Counter()
        """`dropped`."""
        self._within = options.within
        self._kinds = options.kinds & SIGNALING if options.kinds else SIGNALING
        self._watermark = -1
        self._recent: Recent[_Seen] = Recent(
            options.subscribers,
            pack_value=lambda seen: [[t, id, *same] for same, t, id in seen],
            restore_value=lambda packed: [(tuple(same), t, id) for t, id, *same in packed],
            packed=options.checkpointed,
        )

    def take(self, event: Event) -> Sequence[Event]:
        """Take one event of the source and return it; nothing, if it is a copy."""
        kind, t, fields = event.kind, event.t, event.fields
        if kind not in self._kinds:
            return (event,)
        same = (kind, event.cell, *[fields.get(name) for name in COMPARED[kind]])
        recent = self._recent.get(event.key)
        if recent is None:
            self._recent.put(event.key, [(same, t, event.id)])
            return (event,)
        for place, (other, seen, id) in enumerate(recent):
            if other != same:
                continue
            if seen >= self._watermark - self._within and -self._within <= t - seen <= self._within:
                if id is not None and id == event.id:
                    return (event,)
                self.counts["dropped"] += 1
                return ()
            if t < seen:
                return (event,)
            del recent[place]
            break
        else:
            if len(recent) >= OF_ONE:
                del recent[0]
        recent.append((same, t, event.id))
        return (event,)

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Forget what is over."""
        self._watermark = watermark
        self._recent.forget_while(self._is_over)
        return ()

    def forget(self, keys: Collection[str]) -> Sequence[Event]:
        """Forget some subscribers."""
        for key in keys:
            self._recent.drop(key)
        return ()

    def pack(self) -> Mapping[str, Any]:
        """Return the records remembered of the subscribers seen last."""
        return {"recent": self._recent.pack(), "watermark": self._watermark}

    def restore(self, packed: Mapping[str, Any] | None) -> None:
        """Go on where `pack` was called."""
        packed = packed or {}
        self._recent.restore(packed.get("recent"))
        self._watermark = packed.get("watermark", -1)

    def _is_over(self, recent: _Seen) -> bool:
        over = self._watermark - self._within
        return all(t < over for _, t, _ in recent)
