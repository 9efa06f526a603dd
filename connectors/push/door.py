"""A door that others push into, as a source of the collector.

    1. a server takes something in from a sender and offers it: a bounded queue, full = the sender has to wait
    2. `read` takes it out of the queue; the taker makes events of it, and refuses what is wrong
    3. the collector makes records, dead letters and the position durable, in one step
    4. `committed` tells the server, and only now the sender gets its answer

So nothing that was acknowledged can be lost, and a sender that got no answer sends again. What it sends again
is known by its mark (`remembered`), which became durable in the same step as its records: it is acknowledged
and applied once, whether the process died before step 3, between 3 and 4, or the answer was lost on its way.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from connectors.push.options import SECOND, DoorOptions
from connectors.push.remembered import Remembered
from engine.event import Event
from engine.intake import Intake


class Server(Protocol):
    """What listens. It serves between `start` and `stop`, in the event loop of the collector."""

    @property
    def port(self) -> int:
        """Where it listens; 0 while it does not."""
        ...

    async def start(self, door: PushDoor) -> None:
        """Serve from now on; raise `SettingsError` if it can't be listened there."""
        ...

    async def stop(self) -> None:
        """Serve no longer. Harmless if it was never started."""
        ...


class Taker(Protocol):
    """Makes events of what came."""

    def open(self, intake: Intake, door: PushDoor) -> None:
        """Work with an intake from now on."""
        ...

    def take(self, content: Any, events: list[Event]) -> Any:
        """Add the events of one delivery to `events` and return what its sender is to be told."""
        ...


@dataclass(slots=True, eq=False)
class Delivery:
    """What came in one piece, acknowledged as a whole."""

    content: Any
    rows: int
    """How many records it holds, about: what the collector's steps are measured by."""
    size: int
    """Bytes."""
    settle: Callable[[Any], None]
    """Called once: with what the taker returned when it is durable, with None if that will never be known."""
    answer: Any = None


class PushDoor:
    """A server and a taker as a source. Its name stays the same over restarts."""

    def __init__(
        self,
        name: str,
        server: Server,
        taker: Taker,
        options: DoorOptions,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.server = server
        self.counts: Counter[str] = Counter()
        """Since the start: see docs/doors/webhooks.md, "Counters"."""
        self.on_room: list[Callable[[], None]] = []
        """Called when there is room again after the queue was full."""
        self.clock = clock
        """Seconds since 1970."""
        self._name = name
        self._taker = taker
        self._options = options
        self._remembered = Remembered(options.remember, options.remember_for / SECOND, clock)
        self._latest = Remembered(options.remember, options.remember_for / SECOND, clock, values=True)
        self._queue: deque[Delivery] = deque()
        self._read: list[Delivery] = []
        """Read, not yet known to be durable."""
        self._rows = self._size = 0
        """Of what is queued or read: both are held in memory."""
        self._serving = False

    # -- as a source -----------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Its name in the checkpoint."""
        return self._name

    @property
    def position(self) -> Mapping[str, Any]:
        """What is remembered of what came."""
        latest = self._latest.pack()
        return {"seen": self._remembered.pack(), **({"latest": latest} if latest else {})}

    @property
    def origin(self) -> Mapping[str, str]:
        """Nothing beside the name of the feed: there is no file and no topic where it stands."""
        return {}

    async def open(self, position: Mapping[str, Any] | None, intake: Intake) -> None:
        """Go on from a position, and serve.

        After a failure the server has gone on: what was read since is read once more, and by its marks it
        shows whether the step that failed was made after all.
        """
        self._remembered.restore(position, self._name)
        self._latest.restore(position, self._name, "latest")
        self._taker.open(intake, self)
        self._queue.extendleft(reversed(self._read))
        self._read.clear()
        if not self._serving:
            await self.server.start(self)
            self._serving = True

    async def read(self, limit: int) -> list[Event] | None:
        """Return the events of what has come, whole deliveries up to about `limit` records."""
        if not self._queue:
            return None
        events: list[Event] = []
        rows = 0
        while self._queue and rows < limit:
            delivery = self._queue.popleft()
            self._read.append(delivery)
            rows += delivery.rows
            delivery.answer = self._taker.take(delivery.content, events)
        return events

    async def committed(self) -> None:
        """Tell the senders of all that was read."""
        if self._read:
            settled, self._read = self._read, []
            for delivery in settled:
                self._settle(delivery, delivery.answer)
            if self.has_room:
                for told in self.on_room:
                    told()

    async def close(self) -> None:
        """Serve no longer; who has no answer by now gets none, or is told to come again."""
        self._serving = False
        unsettled = [*self._read, *self._queue]
        self._read.clear()
        self._queue.clear()
        for delivery in unsettled:
            self._settle(delivery, None)
        await self.server.stop()

    # -- for servers and takers ------------------------------------------------------------------------------

    @property
    def is_serving(self) -> bool:
        """Whether what comes will be read."""
        return self._serving

    @property
    def has_room(self) -> bool:
        """Whether more may come now."""
        return self._rows < self._options.queue_records and self._size < self._options.queue_bytes

    @property
    def waiting(self) -> int:
        """Records that are held and not yet durable, about."""
        return self._rows

    def has_room_for(self, size: int) -> bool:
        """Whether so many bytes more may be held now."""
        return self.has_room and self._size + size <= self._options.queue_bytes

    def hold(self, size: int) -> None:
        """Count bytes that a server holds of something that has not come whole yet; negative: no longer."""
        self._size += size

    def put(self, delivery: Delivery) -> bool:
        """Queue a delivery; False if no more should come for now. Not while the door is closed."""
        self._queue.append(delivery)
        self._rows += delivery.rows
        self._size += delivery.size
        return self.has_room

    def is_new(self, mark: bytes) -> bool:
        """Remember a mark; False, and counted, if what it stands for was applied before."""
        if self._remembered.is_new(mark):
            return True
        self.counts["again"] += 1
        return False

    def is_latest(self, whose: bytes, mark: bytes) -> bool:
        """Remember the newest mark of somebody; True if it was that before."""
        return not self._latest.is_new(whose, mark)

    def forget_latest(self, whose: bytes) -> None:
        """Have no newest mark of somebody any more."""
        self._latest.forget(whose)

    def _settle(self, delivery: Delivery, answer: Any) -> None:
        self._rows -= delivery.rows
        self._size -= delivery.size
        delivery.settle(answer)
