"""What every treatment offers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, Protocol, runtime_checkable

from engine.event import Event


class Step(Protocol):
    """One treatment of one source. Order of calls: `restore` perhaps, then `take` and `pass_time` as often as
    wanted, `pack` at any time between them.

    Events belong to the step that has them: it may change `event.fields` in place (a flag in `quality`), pass
    them on, keep them back, drop them (counted), or give others of its own besides. What it returns is in the
    order in which it goes into the log. The same calls give the same events, whatever the machine.
    """

    counts: Counter[str]
    """What was done, by name of the deed: `flagged`, `dropped`, `parked`, `released`, ..."""

    @property
    def name(self) -> str:
        """Its name in settings, metrics and `docs/signals.md`: `impossible_moves`."""
        ...

    def take(self, event: Event) -> Sequence[Event]:
        """Take one event of the source and return what goes on."""
        ...

    def pass_time(self, watermark: int) -> Sequence[Event]:
        """Take in that the source's watermark (µs) has come so far; return what waits no longer."""
        ...

    def pack(self) -> Any:
        """Return what must not be lost in a crash (events kept back), for orjson to write; None: nothing."""
        ...

    def restore(self, packed: Any) -> None:
        """Go on where `pack` was called, by what its JSON says; None: from the beginning."""
        ...


@runtime_checkable
class Parks(Protocol):
    """What a step has besides if it keeps events back; see `engine.treatments.lot`, which offers it."""

    parked: int
    """Events kept back now."""
    oldest: int | None
    """Least `t` (µs) of them, None without any: time of the log does not run ahead of it."""

    def let_go(self, keep: int = 0) -> Sequence[Event]:
        """Return all that is kept back, oldest first, as if its time were up; all but the newest `keep`."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """What a step has besides if it remembers subscribers, or keeps events of them back."""

    def forget(self, keys: Collection[str]) -> Sequence[Event]:
        """Forget some subscribers, so that no pack holds anything of them; return what was kept back of them,
        in its order, as if its time were up. What `Memories` hold is forgotten there.
        """
        ...
