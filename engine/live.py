"""What the collector is given: live sources, how fast, and what outlives a step beside the log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from engine.event import Event
from engine.identity import Identity
from engine.intake import Edge, Intake
from engine.sources import SourceTime
from engine.ticks import SECOND
from engine.treatments.chain import Chain


class Source(Protocol):
    """Where records come from: a landing directory, somebody else's topic. Keeps nothing of its own."""

    @property
    def name(self) -> str:
        """Its name in the checkpoint; stays the same over restarts."""
        ...

    @property
    def position(self) -> Mapping[str, Any]:
        """How far it was read, as plain JSON: what `open` goes on from."""
        ...

    @property
    def origin(self) -> Mapping[str, str]:
        """Where the record just read came from: `file`, or `topic`; for dead letters."""
        ...

    async def open(self, position: Mapping[str, Any] | None, intake: Intake) -> None:
        """Go on from a position, or from the beginning; after a failure, too: forget what was read since."""
        ...

    async def read(self, limit: int) -> list[Event] | None:
        """Return the events of up to `limit` rows that are there now; None if there are none. Never wait."""
        ...

    async def committed(self) -> None:
        """Take in that everything read so far is durable."""
        ...

    async def close(self) -> None:
        """Let go of files and connections."""
        ...


class Shut:
    """A source that is not open. `position`: where it is to go on, None: from its beginning."""

    __slots__ = ("again_at", "position", "trouble")

    def __init__(self, position: Any) -> None:
        self.position = position
        self.again_at = float("-inf")
        """By `clock`: when it is tried again."""
        self.trouble = ""


class Bindings(Protocol):
    """Numbers bound to subscriber keys by profiles that others wrote."""

    async def load(self, identity: Identity) -> None:
        """Bind all that are known by now."""
        ...

    async def poll(self) -> None:
        """Bind those that have come since, without waiting."""
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...


class Shared(Protocol):
    """What treatments of all sources remember together, beside what each has in the checkpoint."""

    def pack(self) -> Any:
        """Return, once for each checkpoint, what it has to say about it, as plain JSON."""
        ...

    def restore(self, packed: Any) -> None:
        """Be as at that checkpoint; None: from the beginning."""
        ...

    def forget(self, keys: Iterable[str]) -> None:
        """Forget some subscribers: they asked for it."""
        ...


@dataclass(frozen=True, slots=True)
class Live:
    """A source, and what time needs to know about it."""

    source: Source
    kinds: frozenset[str] = frozenset()
    """The kinds it brings, to be named while it is down; empty: those it has brought."""
    disorder: int = 0
    """µs that its watermark stays behind its newest record."""
    idle_seconds: float = 0.0
    """Wall-clock seconds without a record after which it is down; 0: never."""
    is_told: bool = field(default=False, kw_only=True)
    """Dead letters say which feed it was: one of the feeds file."""
    chain: Chain | None = None
    """What is done to its records before they go into the log; None: nothing."""
    edge: Edge | None = None
    """What is done to them at intake, while they say whose they are; None: nothing."""

    @property
    def time(self) -> SourceTime:
        """The same, for the ticks."""
        return SourceTime(self.kinds, self.disorder, round(self.idle_seconds * SECOND))


@dataclass(frozen=True, slots=True)
class Pace:
    """How much goes into one step, and how often the collector looks."""

    records: int = 2_000
    """Rows of one step at most, about."""
    seconds: float = 0.1
    """A step is not made larger once it took so long to gather."""
    rest: float = 0.05
    """Seconds until it looks again when no source had anything."""
    retry: float = 1.0
    """Seconds until it tries again when the log can't be written."""


USUAL_PACE: Final = Pace()
