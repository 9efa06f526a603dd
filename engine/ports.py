"""The doors as the engine sees them: Protocols, and the values that pass through them.

A memory twin of each stands in `connectors/`; the same contract tests run over the twin and the real thing.
All are asynchronous and work in batches: nothing here is called once per event. Errors: `LogError`,
`StoreError`, `FencedError` where a commit was refused, `ThrottledError` of a channel.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One message read from a partition: a record, or an array of records that follow each other."""

    offset: int
    value: bytes
    time: int = field(default=0, compare=False)
    """When it was appended, µs UTC; 0 if the log does not say."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a partition was folded and published, kept beside the log, for when the store is lost."""

    offset: int
    note: str
    """At most 4,000 characters."""


class Log(Protocol):
    """One partitioned log: the truth. Order holds within a partition."""

    @property
    def partitions(self) -> int:
        """Number of partitions; fixed."""
        ...

    async def append(self, records: Sequence[tuple[int, bytes]]) -> None:
        """Append (partition, value) pairs in order; all are durable once this returns."""
        ...

    async def fetch(self, partition: int, offset: int, limit: int, wait: float = 0) -> list[LogRecord]:
        """Return up to `limit` records from `offset` on; empty if none come within `wait` seconds.

        Raise `LogError` if retention has taken records from `offset` on. Offsets may have gaps.
        """
        ...

    async def identity(self) -> str:
        """Return what tells this log from one made anew under its name; empty if that can't be told."""
        ...

    async def start(self, partition: int) -> int:
        """Return the offset of the oldest record that is kept."""
        ...

    async def last(self, partition: int) -> int:
        """Return the offset after the newest record that stands now; 0 if there is none."""
        ...

    async def mark(self, partition: int, mark: Mark) -> None:
        """Keep a mark: for lag tools, and for a rebuild."""
        ...

    async def marked(self, partition: int) -> Mark | None:
        """Return the last mark, None if there never was one."""
        ...


class Inlet(Protocol):
    """A source's way into the log: records, and how far the source was read, become durable in one step."""

    @property
    def partitions(self) -> int:
        """Number of partitions of the log."""
        ...

    async def resume(self) -> bytes | None:
        """Take the source over, fencing whoever had it; return its last checkpoint, None if none."""
        ...

    async def append(
        self, records: Sequence[tuple[int, bytes]], checkpoint: bytes, dead: Sequence[bytes] = ()
    ) -> None:
        """Append (partition, value) pairs in order, dead letters and the checkpoint: all or nothing.

        An empty checkpoint forgets the one before: nothing is kept of a source that ends. After a `LogError`
        it is not known whether that happened: `resume` tells. Raise `FencedError` if another has taken the
        source over meanwhile.
        """
        ...

    async def close(self) -> None:
        """Leave the source to whoever takes it over."""
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
    """What is committed but not known to be published: name (see `Offers`) -> payload."""
    offers_at: int = 0
    """Position in the published offers up to which everything published has left the outbox."""
    floor: int = 0
    """Offers before this position were published before the store was lost: so may be their claims."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What of a `Control` those ask who only look at a partition."""

    token: str
    """Empty: the partition has no state."""
    floor: int
    """See `Control`."""
    offset: int = 0
    """See `Control`. It goes back only if the store does."""


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
    """Subscriber key -> next due time or expiry, µs. The first commit of a state has to name one."""
    out: dict[str, bytes] = field(default_factory=dict)
    """What to add to the outbox."""
    published: Sequence[str] = ()
    """Outbox entries known to be published: removed, before `out` is added."""
    gone: Sequence[str] = ()
    """Subscribers whose state ends: it is removed with its wake-up, before `states` are written."""
    offers_at: int = 0
    """See `Control`."""
    floor: int = 0
    """See `Control`."""


class Store(Protocol):
    """State and offset of each partition, committed in one fenced step."""

    async def open(self, partition: int) -> Control:
        """Read where a partition stands."""
        ...

    async def ground(self, partition: int) -> Ground:
        """Read a part of that, without what may be large; a commit that stands is whole by then."""
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

    async def clear(self, partition: int, token: str) -> None:
        """Remove every state of a partition: a rebuild that was cut off begins anew.

        Raise `FencedError` if the token is not the one that stands.
        """
        ...

    async def commit(self, partition: int, commit: Commit) -> None:
        """Apply a commit in one step; raise `FencedError` if its token is not the one that stands."""
        ...


OFFER, LINE, REFUSALS, RELEASE, FORGOTTEN, PROFILE, LAST_WORD = "o:", "d:", "r:", "x:", "f:", "p:", "n:"
"""What the names of outbox entries begin with, and what their payloads are:

    o:ID@AT   a decision line with outcome `offer`: published as an offer, and as a line
    d:ID@AT   another decision line
    r:ID@AT   a JSON array of decision lines, all refusals; named after the first
    x:ID      {"release": ID, "subscriber_key", "t"}: the contact of a decision was taken away afterwards
    f:KEY     {"forgotten": KEY, "subscriber_key", "t"}: lines before it about a subscriber count no more
    p:KEY     the profile of a subscriber, whole; empty = forgotten
    n:HASH    {"optout": HASH, "t"}: who was forgotten had opted out; the keyed hash of their number, which is
              kept among profiles under this name
"""


ELSEWHERE = -1
"""Before every offset of the log: of what was decided from another log, which is gone."""


class Offers(Protocol):
    """What lanes publish: offers to send, lines to keep, profiles. Consumers drop repeats by (id, at)."""

    async def publish(
        self, partition: int, entries: Sequence[tuple[str, bytes]], *, offset: int, known: frozenset[str]
    ) -> int | None:
        """Publish outbox entries in order; all are durable once this returns.

        `offset`: up to where the log was folded when they were committed; kept with lines. `known`: names
        that must not become offers again (their lines may be repeated). Returns the position after the last
        offer it published, None if there was none.
        """
        ...

    def names(self, partition: int, since: int) -> AsyncIterator[list[str]]:
        """Name the offers published for a partition from position `since` on, in batches."""
        ...

    async def end(self, partition: int) -> int:
        """Return the position that the next offer of a partition will get."""
        ...

    def lines(self, partition: int) -> AsyncIterator[list[tuple[int, bytes]]]:
        """Give all lines that are kept, oldest first, as (`offset` of `publish`, payload), in batches.

        The offset is `ELSEWHERE` if it was one of another log: one that was made anew since.
        """
        ...

    def profiles(self, partition: int) -> AsyncIterator[list[tuple[int, str, bytes]]]:
        """Give the profiles that are kept, oldest first, as (`offset` of `publish`, subscriber key, payload).

        In batches; of repeats the last holds, and of older ones some may be gone. An empty payload says that
        the subscriber was forgotten. A last word stands under its whole name. Offsets are those of `lines`; 0
        if nobody said it.
        """
        ...


class DeadLetters(Protocol):
    """Where records go that were not taken."""

    async def put(self, letters: Sequence[bytes]) -> None:
        """Keep letters (JSON); durable once this returns. After a crash some may come twice."""
        ...


@dataclass(frozen=True, slots=True)
class Queued:
    """An offer waiting to be sent."""

    partition: int
    offset: int
    payload: bytes
    """A decision line."""
    term: int = 0
    """The `Queue.terms` of its partition when it was taken: of an older term it is no longer this taker's."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a partition of the queue has come; kept beside the queue, not in Redis."""

    done: int = 0
    """Before this position nothing needs to be taken again, also not after a crash."""
    reached: int = 0
    """From this position on nothing was sent, and nothing will be before more is kept."""
    passes: int = 0
    """Number of the last pass that may have sent something; the ledger has to know of it."""
    guard: int = 0
    """Of offers before this position the ledger may lack claims (`engine.course`)."""


class Queue(Protocol):
    """Published offers as the dispatcher takes them. Errors: `LogError`."""

    def terms(self) -> Mapping[int, int]:
        """Name the partitions held now, each with a number that changes whenever it comes anew."""
        ...

    async def take(self, limit: int, wait: float = 0) -> list[Queued]:
        """Return up to `limit` offers not taken before by this taker, empty if none come within `wait` s."""
        ...

    async def rewind(self, partition: int, since_us: int) -> int:
        """Take again what was published from a time on, µs UTC; return the position from which on it comes.

        It may give earlier ones too, and nothing is left out that was not taken yet.
        """
        ...

    async def progress(self, partition: int) -> Progress:
        """Return what was kept last for a partition, by whoever had it."""
        ...

    async def done(self, progress: Mapping[int, Progress]) -> None:
        """Keep how far partitions have come; those no longer held are left out."""
        ...


class Deliveries(Protocol):
    """The ledger of what is being sent: who may send a decision, and how its sending stands.

    It guards against a second submit, so it must outlive every way in which an offer can come again.
    """

    async def claim(
        self, decision: str, subscriber_key: str, deadline_us: int, claimer: str, turn: int = 0
    ) -> str:
        """Claim a decision for sending: "" if the caller has it now, else the status that stands.

        `claimer`: a random text of this one attempt. Asking again with it gives "" again as long as nothing
        was settled: so a lost reply, or too few replicas (`StoreError`), can be tried again by the same
        attempt and by no other. `deadline_us`: from when on `overdue` names it. `turn`: goes up from one call
        of the attempt to the next if one of them may be followed by `release`.
        """
        ...

    async def release(self, decision: str, claimer: str, turn: int = 0) -> bool:
        """Give back what `claim` gave this claimer in this turn, for nothing was sent: as if never claimed.

        Return False, and change nothing, if it was settled, claimed in a later turn or by another, or if
        another was refused meanwhile: that one relies on it to be ended here. A call that comes late does no
        harm, whatever was done since.
        """
        ...

    async def settle(self, decision: str, status: str, final: bool, deadline_us: int = 0) -> bool:
        """Write how a claimed decision stands; the first final status wins.

        Return False, and write nothing, if it had ended before or was never claimed. `deadline_us`: a new
        deadline of one that stays open.
        """
        ...

    async def find(self, decision: str) -> str | None:
        """Return the subscriber key of a claimed decision: whose receipt it is."""
        ...

    async def standing(self, decision: str) -> str:
        """Return the status that stands, "" if it was never claimed."""
        ...

    async def overdue(self, now_us: int, limit: int) -> list[tuple[str, str]]:
        """Name up to `limit` open decisions past their deadline, as (decision, subscriber key)."""
        ...

    async def open(self) -> int:
        """Count the claimed decisions that have not ended."""
        ...

    async def passes(self, partition: int) -> int:
        """Return the number of the last pass over a partition that all of the ledger knows of."""
        ...

    async def remember(self, partition: int, expected: int, number: int) -> bool:
        """Write the number of a pass, unless less than `expected` is there: then it is an older copy.

        Return False in that case; `passes` stays as it was. What was claimed before is there wherever the
        number is. It never goes back.
        """
        ...


class OptOuts(Protocol):
    """Who wants no messages, by keyed hash (32 hex digits) of number or subscriber key; with the time, µs."""

    async def add(self, times: Mapping[str, int]) -> None:
        """Add; where one is there already, the later time stands. It holds once this returns."""
        ...

    async def release(self, times: Mapping[str, int]) -> None:
        """Remove those that were added at the given time or before it."""
        ...

    async def holds(self, hashes: Sequence[str]) -> list[bool]:
        """Say of each whether it is there."""
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
    valid_until_us: int = 0
    """The network must not deliver it at or after this time, µs UTC; 0 = its own default."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message: `accepted delivered failed rejected expired indeterminate`."""

    decision: str
    status: str
    detail: str = ""


class Channel(Protocol):
    """A way to the subscriber."""

    async def submit(self, message: Message) -> Receipt:
        """Hand one message over, once; what is known of its fate then. Later receipts: `receipts`.

        Raise `ThrottledError` if nothing was handed over and it may be tried again. `OSError`: its fate is
        unknown, it is not tried again.
        """
        ...

    async def receipts(self) -> list[Receipt]:
        """Return receipts that have come in since the last call."""
        ...
