"""A desk for dispatchers: twins that outlive them, a clock that tests turn, offers as lanes publish them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson

from connectors.channels.lab import Faults, LabChannel
from connectors.memory_deliveries import MemoryDeliveries
from connectors.memory_offers import MemoryOffers, MemoryQueue
from connectors.memory_optouts import MemoryOptOuts
from connectors.memory_store import MemoryStore
from engine.canary import set_of
from engine.codec import encode
from engine.dispatch import Dispatcher
from engine.errors import LogError, StoreError
from engine.event import Event
from engine.patience import Patience
from engine.ports import Channel, Commit, Progress
from engine.rulebook import Rulebook
from engine.snapshot import Subscriber
from tests.unit.pipeline.stage import Json, rule, rules_of

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE

ANNA, BERT = "a1" * 16, "b2" * 16
NUMBER: Final = "+8613900001234"
QUIET: Final = "21:00 to 09:00"

RULE = rule("text", {"happens": "sms.out"}, valid="2026-09-01 to 2026-12-31")
PLACE = rule("visit", {"enters": "cafe"}, valid="2026-09-01 to 2026-12-31")
SOON = rule("soon", {"happens": "sms.out"}, valid="2026-09-01 to 2026-12-31", send_within="30m")


def at(text: str, zone: str = "Asia/Shanghai") -> int:
    """µs UTC of a wall-clock time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * SECOND


def number_hash(number: str) -> str:
    """Stand for the keyed hash of a number."""
    return f"h:{number}"


def decision(number: int) -> str:
    """An id as decisions have them."""
    return f"{number:032x}"


async def go_on(_: str) -> None:
    """Do nothing at a point."""


class CrashError(Exception):
    """The process is gone."""


class Shaky:
    """Stands before a twin: fails as told, before or after it has done what was asked."""

    def __init__(self, twin: object, error: type[Exception]) -> None:
        self.twin = twin
        self.error = error
        self.down = False
        self.fails: Callable[[str], str] = lambda _: ""
        """Method -> "before", "after" (its reply is lost) or ""."""

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.twin, name)

        async def call(*arguments: Any, **named: Any) -> Any:
            how = "before" if self.down else self.fails(name)
            if how == "before":
                raise self.error(f"{name}: expected an answer, was none")
            result = await method(*arguments, **named)
            if how == "after":
                raise self.error(f"{name}: expected an answer, was none")
            return result

        return call


class Desk:
    """Everything around a dispatcher. `life` is the dispatcher of now; `begin` makes the next one."""

    def __init__(
        self, folder: Path, *rules: Json, faults: Faults | None = None, seed: int = 0, **policy: Any
    ) -> None:
        self.now = at("2026-09-07 12:00")
        policy.setdefault("quiet", QUIET)
        self.book: Rulebook | None = Rulebook(rules_of(*(rules or (RULE, PLACE, SOON)), **policy), b"key")
        self.offers = MemoryOffers(2)
        self.positions: dict[int, Progress] = {}
        self.memory_store = MemoryStore(2)
        self.memory_deliveries = MemoryDeliveries()
        self.memory_optouts = MemoryOptOuts()
        self.store: Any = Shaky(self.memory_store, StoreError)
        self.on_canary: Rulebook | None = None
        self.deliveries: Any = Shaky(self.memory_deliveries, StoreError)
        self.optouts: Any = Shaky(self.memory_optouts, StoreError)
        self.log: list[Event] = []
        self.appending: Any = Shaky(self, LogError)
        self.evidence = folder / "submits.jsonl"
        self.channel = LabChannel(self.evidence, lambda: self.now, seed=seed, faults=faults)
        self.channels: dict[str, Channel] = {"sms": self.channel, "manual": self.channel}
        self.tokens = ["", ""]
        self.life = self.begin()

    def book_of(self, rules: str) -> Rulebook | None:
        """Return the rules in force; `on_canary`, if set, for those who stand on it."""
        if self.book is not None and self.on_canary is not None and set_of(rules) == self.on_canary.hash:
            return self.on_canary
        return self.book

    async def append(self, events: list[Event]) -> None:
        """Keep receipts as the log would."""
        self.log += events

    def begin(self, point: Callable[[str], Awaitable[None]] | None = None, **patience: Any) -> Dispatcher:
        """Make a dispatcher as a fresh process would."""
        self.life = Dispatcher(
            MemoryQueue(self.offers, 2, self.positions),
            self.store,
            self.deliveries,
            self.optouts,
            self.channels,
            lambda events: self.appending.append(events),
            self.book_of,
            lambda: self.now,
            number_hash=number_hash,
            patience=Patience(**{"at_a_time": 1, **patience}),
            point=point or go_on,
        )
        return self.life

    async def crash(self, where: str) -> Dispatcher:
        """Run until the process dies before the step `where`; return the next life."""

        async def point(name: str) -> None:
            if name == where:
                raise CrashError(name)

        life = self.begin(point)
        try:
            await self.steps(life=life)
        except CrashError:
            return self.begin()
        raise AssertionError(f"expected the point {where}, was never there")

    async def steps(self, most: int = 50, life: Dispatcher | None = None) -> None:
        """Step until there is nothing to do now."""
        life = life or self.life
        for _ in range(most):
            worked = await life.step()
            assert life.taken == sum(life.statuses.values()) + len(life.open)
            if not worked:
                return
        raise AssertionError("expected an end of the work, was none")

    async def after(self, time_us: int) -> None:
        """Let time pass, and do what is then to be done."""
        self.now += time_us
        await self.steps()

    async def person(self, key: str = ANNA, partition: int = 0, **changes: Any) -> None:
        """Commit the state of a subscriber; `changes`: attributes of it."""
        sub = Subscriber(key)
        sub.consent = {"marketing": True, "profiling": True, "location": True}
        sub.bound = NUMBER
        for name, value in changes.items():
            setattr(sub, name, value)
        await self.commit(partition, {key: encode(sub)})

    async def commit(
        self, partition: int = 0, states: dict[str, bytes] | None = None, floor: int = 0, offset: int = 1
    ) -> None:
        """Commit to a partition: from then on it is ready."""
        token = f"token {len(self.tokens)}"
        self.tokens.append(token)
        commit = Commit(self.tokens[partition], token, offset, b"lane", states or {}, floor=floor)
        await self.memory_store.commit(partition, commit)
        self.tokens[partition] = token

    async def offer(self, number: int = 1, *, partition: int = 0, **changes: Any) -> str:
        """Publish an offer; return its decision."""
        line = {
            "id": decision(number),
            "rule": "text",
            "subscriber_key": ANNA,
            "at": self.now,
            "outcome": "offer",
            "channel": "sms",
            "text": "hello",
            **changes,
        }
        name = f"o:{line['id']}@{line['at']}"
        entries = [(name, orjson.dumps(line))]
        await self.offers.publish(partition, entries, offset=0, known=frozenset())
        return decision(number)

    def submits(self) -> list[Json]:
        """What reached the channel."""
        if not self.evidence.exists():
            return []
        return [orjson.loads(line) for line in self.evidence.read_bytes().splitlines()]

    def told(self, decision: str) -> list[str]:
        """What the log was told of a decision, in order."""
        return [e.fields["status"] for e in self.log if e.fields["decision"] == decision]

    def lose_the_ledger(self, copy: MemoryDeliveries | None = None) -> None:
        """Put an older copy in the place of the ledger, or nothing."""
        self.memory_deliveries = deepcopy(copy) if copy is not None else MemoryDeliveries()
        self.deliveries.twin = self.memory_deliveries
