"""A feed's way through hook and steps, for tests: rows in, records of the log out; it can crash and go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.number_classes import NumberClasses
from engine.refusals import Refusal
from engine.treatments.chain import Chain
from engine.treatments.correlation import Correlation
from engine.treatments.course import Course
from engine.treatments.handset_changes import Handset, HandsetChanges
from engine.treatments.identity import Edge
from engine.treatments.memory import Memories, MemoryShelf, Shelf
from engine.treatments.parking import Parking
from engine.treatments.roaming import Roaming
from engine.treatments.roaming_held import HeldRoaming
from engine.treatments.step import Step
from engine.treatments.who_options import HandsetOptions, IdentityOptions, ParkingOptions, RoamingOptions

KEY = b"key"
SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000
T0 = 1_790_000_000_000_000
"""Start of the tests, µs."""
HOME = frozenset({"46000", "46002"})
IMSI, OTHER = "460001234567890", "460009876543210"
NUMBER = "+8613912345678"
IMEI = "86990431123456"
TABLE = {"86990431": Handset("Yunque X1 5G", "5G"), "86990321": Handset("Shanhe 5", "4G")}


NOTHING = IdentityOptions()


@dataclass(frozen=True)
class Wanted:
    """Which parts a feed asks for; None: not."""

    identity: IdentityOptions = NOTHING
    parking: ParkingOptions | None = None
    roaming: RoamingOptions | None = None
    handsets: HandsetOptions | None = None
    classes: Mapping[str, tuple[str, ...]] | None = None


ALL = Wanted(
    IdentityOptions(correlate=True, announce=True, strict_imei=True, home=HOME),
    ParkingOptions(),
    RoamingOptions(home=HOME),
    HandsetOptions(),
)


class Feed:
    """One feed, its steps, and what it has written to the log."""

    def __init__(self, wanted: Wanted, shelf: Shelf | None = None) -> None:
        self.wanted = wanted
        self.shelf: Shelf = shelf if shelf is not None else MemoryShelf()
        self.refusals: list[Refusal] = []
        self.log: list[Event] = []
        self.clock = T0 + 1_000 * DAY
        self.start(None)

    def start(self, checkpoint: Any) -> None:
        """Begin a new process at a checkpoint."""
        wanted = self.wanted
        self.identity = Identity(KEY)
        self.memories = Memories(self.shelf)
        correlation = Correlation(
            self.identity, self.memories, wanted.identity.correlation, latest=self.latest
        )
        classes = None if wanted.classes is None else NumberClasses(wanted.classes, {})
        self.edge = Edge(self.identity, wanted.identity, correlation=correlation, classes=classes)
        steps: list[Step] = [self.edge]
        if wanted.parking is not None:
            steps.append(Parking(correlation, self.memories, wanted.parking))
        if wanted.handsets is not None:
            steps.append(HandsetChanges(self.memories, wanted.handsets, TABLE))
        if wanted.roaming is not None:
            roaming = Roaming(self.memories, wanted.roaming)
            steps.append(HeldRoaming(roaming, wanted.roaming) if wanted.roaming.hold else roaming)
        self.chain = Chain(steps)
        self.course = Course(self.chain, MINUTE)
        self.intake = Intake(self.identity, on_refused=self.refusals.append, edge=self.edge)
        self.memories.restore(None if checkpoint is None else checkpoint["memories"])
        self.course.restore(None if checkpoint is None else checkpoint["course"])

    def latest(self) -> int:
        """An hour ahead of the clock."""
        return self.clock + HOUR

    def checkpoint(self) -> Any:
        """Pack everything, as JSON does it."""
        packed = {"course": self.course.pack(), "memories": self.memories.pack()}
        return orjson.loads(orjson.dumps(packed))

    def read(self, rows: Iterable[dict[str, Any]]) -> list[Event]:
        """Read rows: all through the intake first, as a source's batch is; return what they wrote."""
        out: list[Event] = []
        events = [self.intake.record(dict(row), "feed", "f:1") for row in rows]
        for event in events:
            if event is not None:
                out += self.course.take(event)
        self.log += out
        return out

    def forget(self, *keys: str | None) -> list[Event]:
        """Forget some subscribers, as the collector does; return what was kept back of them."""
        self.identity.forget_keys({key for key in keys if key is not None})
        taken = self.identity.take_forgotten()
        out = list(self.course.forget(taken))
        self.memories.forget(taken)
        self.log += out
        return out

    def time(self, watermark: int) -> list[Event]:
        """Let time come so far."""
        out = list(self.chain.pass_time(watermark))
        self.log += out
        return out


def row(at: int = 0, kind: str = "loc.update", **fields: Any) -> dict[str, Any]:
    """A row `at` µs after the start."""
    return {"kind": kind, "t": T0 + at, **fields}


def shown(events: Iterable[Event]) -> list[tuple[Any, ...]]:
    """What is compared: all that goes into the log."""
    return [(e.kind, e.t, e.key, e.cell, e.seen, e.id, e.fields) for e in events]
