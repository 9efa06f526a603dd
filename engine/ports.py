"""The doors as the engine sees them: Protocols, and the values that pass through them.

A memory twin of each stands in `connectors/`; the same contract tests run over the twin and the real thing.
All are asynchronous and work in batches: nothing here is called once per event. Errors: `LogError`,
`StoreError`, and `FencedError` where a commit was refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record read from a partition."""

    offset: int
    value: bytes


class Log(Protocol):
    """One partitioned log: the truth. Order holds within a partition."""

    @property
    def partitions(self) -> int:
        """Number of partitions; fixed."""
        ...

    async def append(self, records: Sequence[tuple[int, bytes]]) -> None:
        """Append (partition, value) pairs in order; all are durable once this returns."""
        ...

    async def fetch(self, partition: int, offset: int, limit: int) -> list[LogRecord]:
        """Return up to `limit` records from `offset` on; empty if there are none yet."""
        ...


@dataclass(frozen=True, slots=True)
class Control:
    """What a partition's owner finds when it takes it: how far it was folded, and by whom last."""

    token: str
    """Random; a commit must name the token that stands."""
    offset: int
    """Next record to fold."""
    lane: bytes
    """Lane-wide state (feeds, rule set), as `Lane` packed it; empty at the very start."""
    outbox: Mapping[str, bytes]
    """Decisions committed but not known to be published: `id@at` -> payload."""


@dataclass(slots=True)
class Commit:
    """One step of a partition: everything in it becomes true together, or nothing does."""

    token: str
    """Expected token."""
    next_token: str
    offset: int
    lane: bytes
    states: dict[str, bytes] = field(default_factory=dict)
    """Subscriber key -> state."""
    wakes: dict[str, int] = field(default_factory=dict)
    """Subscriber key -> next due time, µs; 0 removes it."""
    out: dict[str, bytes] = field(default_factory=dict)
    """Decisions to add to the outbox."""
    published: Sequence[str] = ()
    """Outbox entries known to be published: removed."""


class Store(Protocol):
    """State and offset of each partition, committed in one fenced step."""

    async def open(self, partition: int) -> Control:
        """Read where a partition stands."""
        ...

    async def read(self, partition: int, keys: Sequence[str]) -> list[bytes | None]:
        """Return the states of some subscribers, None for those without one."""
        ...

    async def due(self, partition: int, before: int) -> list[str]:
        """Name the subscribers that wake before a time."""
        ...

    async def keys(self, partition: int) -> list[str]:
        """Name all subscribers of a partition: what a rule switch sweeps."""
        ...

    async def commit(self, partition: int, commit: Commit) -> None:
        """Apply a commit in one step; raise `FencedError` if its token is not the one that stands."""
        ...

    async def claim(self, decision: str) -> bool:
        """Claim a decision for sending: True once ever, whoever asks (at most one submit)."""
        ...


class Offers(Protocol):
    """Published decisions: consumers drop repeats by (id, at)."""

    async def publish(self, partition: int, payloads: Sequence[tuple[str, bytes]]) -> None:
        """Append (name, payload) pairs; durable once this returns."""
        ...

    async def names(self, partition: int) -> frozenset[str]:
        """Name what was published for a partition as far back as an outbox can reach."""
        ...

    async def read(self, partition: int, offset: int, limit: int) -> list[bytes]:
        """Return up to `limit` payloads from `offset` on."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel sends."""

    decision: str
    channel: str
    to: str | None
    """MSISDN; None where no profile bound one."""
    text: str
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message: `accepted delivered failed rejected expired indeterminate`."""

    decision: str
    status: str
    detail: str = ""


class Channel(Protocol):
    """A way to the subscriber."""

    async def submit(self, message: Message) -> Receipt:
        """Hand one message over, once; what is known of its fate then. Later receipts: `receipts`."""
        ...

    async def receipts(self) -> list[Receipt]:
        """Return receipts that have come in since the last call."""
        ...
