"""Replay equals live, shown: a recorded partition folded once more, each decision held against the one made.

The lane is the engine's own, over a store in memory and a log that can only be read. It follows every switch
of rules, also canaries, by the sets that were published, and goes as far as the engine's last mark: what was
made of records before that is published. Nothing is written anywhere.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from engine.emit import Decision
from engine.errors import LogError
from engine.intake import Intake
from engine.lane import Lane
from engine.outbox import name_of
from engine.pipeline import HOUR, Fold, may_be_sampled
from engine.ports import LINE, OFFER, REFUSALS, Log, LogRecord, Mark, Offers, Store

WARM_UP = 48 * HOUR
"""After the oldest record of a log that has lost older ones: behaviours of before are not known."""
WAIT, STANDS = 0.2, 20.0
"""Seconds for one fetch; seconds without a record, where there are some, after which it is given up."""
DIGEST = 16
_SHOWN = ("outcome", "reason", "rules_hash")


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision that is not the same in both; None where there is none."""

    id: str
    at: int
    """µs UTC."""
    partition: int
    rule: str
    subscriber_key: str
    live: Mapping[str, Any] | None
    """`outcome`, `reason` and `rules_hash`; if all three agree, its text or its values are others."""
    again: Mapping[str, Any] | None
    uncertain: bool
    """It may be for want of what was before the log's oldest record."""


@dataclass(slots=True)
class Verdict:
    """What came of one partition."""

    partition: int
    since: int
    """Offset of the oldest record."""
    records: int = 0
    equal: int = 0
    sampled: int = 0
    """Refusals that the live engine did not keep."""
    different: int = 0
    uncertain: int = 0
    """Different, in the time in which that may be for want of older records."""

    @property
    def decisions(self) -> int:
        """How many were compared."""
        return self.equal + self.different + self.uncertain


@dataclass(frozen=True, slots=True)
class _Made:
    """A decision made once more, as far as it is compared."""

    digest: bytes
    id: str
    at: int
    rule: str
    subscriber_key: str
    shown: tuple[Any, ...]


class Recorded:
    """A partition of the log up to a mark, only to be read; `begin` is where a rebuild would start from."""

    def __init__(self, log: Log, partition: int, end: int, begin: Mark | None) -> None:
        self._log = log
        self._partition = partition
        self._begin = begin
        self.end = end

    @property
    def partitions(self) -> int:
        """Number of partitions of the whole log."""
        return self._log.partitions

    async def append(self, records: Sequence[tuple[int, bytes]]) -> None:
        """Refuse: nothing is written."""
        raise LogError(f"partition {self._partition}: expected only to be read, was to be written")

    async def fetch(self, partition: int, offset: int, limit: int, wait: float = 0) -> list[LogRecord]:
        """Return records before the end."""
        found = await self._log.fetch(partition, offset, limit, wait)
        return [record for record in found if record.offset < self.end]

    async def identity(self) -> str:
        """Return that of the log."""
        return await self._log.identity()

    async def start(self, partition: int) -> int:
        """Return that of the log."""
        return await self._log.start(partition)

    async def last(self, partition: int) -> int:
        """Return the end."""
        return self.end

    async def mark(self, partition: int, mark: Mark) -> None:
        """Leave the engine's mark as it is."""

    async def marked(self, partition: int) -> Mark | None:
        """Return where to begin from, None where nothing was before."""
        return self._begin


class _Catch:
    """Takes what the lane would publish; gives a rebuild what live has published."""

    def __init__(self, offers: Offers) -> None:
        self._offers = offers
        self.made: dict[str, _Made] = {}

    async def publish(
        self, partition: int, entries: Sequence[tuple[str, bytes]], *, offset: int, known: frozenset[str]
    ) -> int | None:
        """Keep the decisions."""
        for name, payload in entries:
            if name.startswith((OFFER, LINE, REFUSALS)):
                for line in lines_of(payload):
                    self.made.setdefault(name_of(line), _made(line))
        return None

    async def names(self, partition: int, since: int) -> AsyncIterator[list[str]]:
        """Name nothing: here no offer was given."""
        yield []

    async def end(self, partition: int) -> int:
        """Return the beginning, for the same reason."""
        return 0

    def lines(self, partition: int) -> AsyncIterator[list[tuple[int, bytes]]]:
        """Give the lines of live: contacts from before the log's oldest record."""
        return self._offers.lines(partition)

    def profiles(self, partition: int) -> AsyncIterator[list[tuple[int, str, bytes]]]:
        """Give the profiles of live."""
        return self._offers.profiles(partition)


async def verify(
    partition: int,
    log: Log,
    offers: Offers,
    store: Store,
    intake: Intake,
    make_fold: Callable[[str | None], Fold],
    *,
    begin_with: Callable[[int], str] = lambda _: "{}",
    sampled: bool = False,
    advance: Callable[[int], None] = lambda _: None,
    tell: Callable[[Difference], None] = lambda _: None,
) -> Verdict | None:
    """Fold a partition once more and compare; None if the engine has left no mark there yet.

    `log` and `offers`: the deployment's; `store`: a new one in memory. `make_fold`: as a lane's, but keeping
    every refusal. `begin_with`: given when the oldest record was appended (µs), the note of a mark there
    (`engine.lane_state.note_of`); asked only if older records have left the log. `sampled`: the live engine
    keeps only some refusals. `advance` is told of records as they are folded, `tell` of each difference.
    Raises `LogError`.
    """
    mark = await log.marked(partition)
    if mark is None:
        return None
    start = await log.start(partition)
    if start >= mark.offset:
        return Verdict(partition, start)
    begin, uncertain_until = None, -1
    if start:
        oldest = await _fetch_one(log, partition, start)
        begin = Mark(start, begin_with(oldest.time))
        uncertain_until = _time_of(oldest.value) + WARM_UP
    verdict = Verdict(partition, start)
    caught = _Catch(offers)
    recorded = Recorded(log, partition, mark.offset, begin)
    lane = Lane(partition, recorded, store, caught, intake, make_fold, commit_after=1.0)
    verdict.records = await _fold(lane, mark.offset, advance)

    def differ(made: _Made, live: Mapping[str, Any] | None, again: Mapping[str, Any] | None) -> None:
        uncertain = made.at < uncertain_until
        verdict.uncertain += uncertain
        verdict.different += not uncertain
        tell(
            Difference(
                made.id, made.at, partition, made.rule, made.subscriber_key, live, again, uncertain=uncertain
            )
        )

    seen: set[bytes] = set()
    async for batch in offers.lines(partition):
        for offset, payload in batch:
            if not start < offset <= mark.offset:
                continue
            for line in lines_of(payload):
                name = name_of(line)
                key = blake2b(name.encode(), digest_size=DIGEST).digest()
                if key in seen:
                    continue  # a repeat: consumers drop it
                seen.add(key)
                live, again = _made(line), caught.made.pop(name, None)
                if again is not None and again.digest == live.digest:
                    verdict.equal += 1
                else:
                    differ(live, _shown(live), _shown(again))
    for again in sorted(caught.made.values(), key=lambda made: (made.at, made.id)):
        if sampled and may_be_sampled(again.shown[1]):
            verdict.sampled += 1
        else:
            differ(again, None, _shown(again))
    return verdict


async def _fold(lane: Lane, end: int, advance: Callable[[int], None]) -> int:
    """Have a lane fold up to an offset; return the number of records."""
    total, moved = 0, time.monotonic()
    while lane.fold is None or lane.next < end:
        count = await lane.step(WAIT)
        total += count
        advance(count)
        if count:
            moved = time.monotonic()
        elif time.monotonic() - moved > STANDS:
            raise LogError(
                f"partition {lane.partition}: expected records up to offset {end}, "
                f"was none from {lane.next} on for {STANDS:g} s"
            )
    while lane.sweeping:
        await lane.step()
    await lane.flush()
    return total


async def _fetch_one(log: Log, partition: int, offset: int) -> LogRecord:
    until = time.monotonic() + STANDS
    while time.monotonic() < until:
        found = await log.fetch(partition, offset, 1, WAIT)
        if found:
            return found[0]
    raise LogError(f"partition {partition}: expected a record from offset {offset} on, none came")


def _time_of(value: bytes) -> int:
    """Return the time (µs) of a record of the log, or of the first of an array; 0 if it has none."""
    try:
        read = orjson.loads(value)
    except orjson.JSONDecodeError:
        return 0
    first = read[0] if isinstance(read, list) and read else read
    time_us = first.get("t") if isinstance(first, dict) else None
    return time_us if isinstance(time_us, int) else 0


def lines_of(payload: bytes) -> Iterator[Decision]:
    """Yield the decisions of a published line; releases and words about the forgotten are none."""
    read = orjson.loads(payload)
    for line in read if isinstance(read, list) else [read]:
        if "outcome" in line:
            yield line


def _made(line: Decision) -> _Made:
    text = orjson.dumps(line, option=orjson.OPT_SORT_KEYS)
    return _Made(
        blake2b(text, digest_size=DIGEST).digest(),
        line["id"],
        line["at"],
        line["rule"],
        line["subscriber_key"],
        tuple(line[name] for name in _SHOWN),
    )


def _shown(made: _Made | None) -> dict[str, Any] | None:
    return None if made is None else dict(zip(_SHOWN, made.shown, strict=True))
