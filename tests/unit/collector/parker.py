"""A step that parks, for the tests of the collector: some events wait a while, or for their subscriber."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from engine.event import Event
from engine.options import Duration, Options, option
from engine.treatments.chain import Chain
from engine.treatments.lot import EVENTS, Lot
from engine.treatments.registry import TREATMENTS, Treatment

SECOND = 1_000_000


class Parker:
    """Keeps back events whose id ends in one of `digits`, for `seconds` or until their subscriber's next."""

    def __init__(self, digits: str = "3", seconds: float = 30, name: str = "parker") -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self._digits = digits
        self._length = round(seconds * SECOND)
        self._lot = Lot()

    @property
    def parked(self) -> int:
        return len(self._lot)

    @property
    def oldest(self) -> int | None:
        return self._lot.oldest

    def take(self, event: Event) -> Sequence[Event]:
        if (event.id or "").endswith(tuple(self._digits)):
            self.counts["parked"] += 1
            self._lot.park(event, event.t + self._length)
            return ()
        freed = self._lot.of(event.key)
        self.counts["found"] += len(freed)
        return [*freed, event]

    def pass_time(self, watermark: int) -> Sequence[Event]:
        freed = self._lot.due(watermark)
        self.counts["released"] += len(freed)
        return freed

    def let_go(self, keep: int = 0) -> Sequence[Event]:
        return self._lot.let_go(keep)

    def pack(self) -> Any:
        events = self._lot.pack()
        return None if events is None else {EVENTS: events}

    def restore(self, packed: Any) -> None:
        self._lot.restore((packed or {}).get(EVENTS))


class Dropper:
    """Drops every event of some kinds."""

    name = "dropper"

    def __init__(self, *kinds: str) -> None:
        self.counts: Counter[str] = Counter()
        self._kinds = kinds

    def take(self, event: Event) -> Sequence[Event]:
        if event.kind in self._kinds:
            self.counts["dropped"] += 1
            return ()
        return (event,)

    def pass_time(self, watermark: int) -> Sequence[Event]:
        return ()

    def pack(self) -> Any:
        return None

    def restore(self, packed: Any) -> None:
        """Nothing is kept."""


def parking(digits: str = "3", seconds: float = 30) -> Chain:
    return Chain([Parker(digits, seconds)])


class ParkerOptions(Options):
    """Of the step above, where a feeds file of a test asks for it."""

    digits: str = option("3", "digits", "Last digits of ids of events that are kept back.")
    wait: Duration = option(30 * SECOND, "a length of time", "How long they are kept back.")


def register() -> None:
    """Have feeds files of this process know the step, as `parker`."""
    TREATMENTS["parker"] = Treatment(  # type: ignore[index]
        "Keeps some back.", ParkerOptions, lambda o, around: Parker(o.digits, o.wait / SECOND)
    )
