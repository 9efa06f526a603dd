"""What the tests of push doors share: a collector that runs, events as senders write them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson

from connectors.push.door import PushDoor
from connectors.push.http_door import Answer, Format, Request
from engine.collector import LiveCollector, Pace
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import Refusal
from tests.servers.eventually import eventually
from tests.testdata import CHECKOUT
from tests.unit.collector.support import KEY, LATER, SECOND, T, World

TOKEN = "a-token-of-the-tests-1"
OTHER = "a-token-of-the-tests-2"
SIGNING = "a-signing-key-of-the-tests"
ENVIRON = {"TOKENS": f"{TOKEN},{OTHER}", "KEYS": SIGNING}
NUMBER = "+8613912345678"
IMSI = "460001234567890"
TLS = CHECKOUT / "tests" / "data" / "tls"
FAST = Pace(records=500, seconds=60, rest=0.001, retry=0.01)
AUTHORIZED = {"authorization": f"Bearer {TOKEN}"}


def at(seconds: float) -> str:
    """Return the time so many seconds after T as senders write it."""
    return datetime.fromtimestamp(T / SECOND + seconds, UTC).isoformat().replace("+00:00", "Z")


def camara_event(
    event: str = "geofencing-subscriptions.v0.area-entered",
    id: str = "e1",
    seconds: float = 0,
    **data: Any,
) -> dict[str, Any]:
    """Return a CloudEvent of CAMARA."""
    circle = {"areaType": "CIRCLE", "center": {"latitude": 39.9, "longitude": 116.4}, "radius": 2000}
    return {
        "id": id,
        "source": "https://notifications.example.com",
        "specversion": "1.0",
        "type": f"org.camaraproject.{event}",
        "time": at(seconds),
        "datacontenttype": "application/json",
        "data": {"device": {"phoneNumber": NUMBER}, "area": circle, "subscriptionId": "qs15-h556", **data},
    }


@asynccontextmanager
async def collecting(collector: LiveCollector) -> AsyncIterator[None]:
    """Run a collector while a block does; an error that ends it is raised at the end."""
    stop = asyncio.Event()
    task = asyncio.create_task(collector.run(stop))
    try:
        await eventually(lambda: bool(collector.committed_at) or task.done(), every=0.001)
        yield
    finally:
        stop.set()
        await task


@asynccontextmanager
async def served(
    door: PushDoor, world: World | None = None, *, tls: bool = False, **client: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, World]]:
    """Run a collector with this door, and give a client of it."""
    world = world or World()
    collector = world.collector(world.live(door), pace=FAST)
    async with collecting(collector):
        base = f"{'https' if tls else 'http'}://127.0.0.1:{door.server.port}"
        async with httpx.AsyncClient(base_url=base, timeout=10, trust_env=False, **client) as sender:
            yield sender, world


class Remembering:
    """Stands for a door: tells what is new."""

    def __init__(self) -> None:
        self.known: set[bytes] = set()
        self.latest: dict[bytes, bytes] = {}
        self.counts: dict[str, int] = {"notices": 0, "ended": 0, "again": 0}

    def is_new(self, mark: bytes) -> bool:
        new = mark not in self.known
        self.known.add(mark)
        return new

    def is_latest(self, whose: bytes, mark: bytes) -> bool:
        known = self.latest.get(whose) == mark
        self.latest[whose] = mark
        return known

    def forget_latest(self, whose: bytes) -> None:
        self.latest.pop(whose, None)


class Taken:
    """What a format made of one request."""

    def __init__(
        self, form: Format, body: bytes, headers: Mapping[str, str], query: Mapping[str, str]
    ) -> None:
        self.refusals: list[Refusal] = []
        self.events: list[Event] = []
        self.door = Remembering()
        intake = Intake(Identity(KEY), on_refused=self.refusals.append)
        form.open(intake, self.door)  # type: ignore[arg-type]  # it has what formats ask of a door
        request = Request(1, headers, query, body, LATER)
        self.unknown_media = form.unknown_media(request)
        self.answer: Answer = form.take(request, self.events)

    @property
    def records(self) -> list[dict[str, Any]]:
        """The records, without what is the same in all."""
        left_out = ("subscriber_key", "id", "source")
        return [
            {name: value for name, value in event.fields.items() if name not in left_out}
            for event in self.events
        ]

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """(reason, field) of what was refused."""
        return [(refusal.reason, refusal.detail.partition(":")[0]) for refusal in self.refusals]


def taken(
    form: Format,
    body: Any,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
) -> Taken:
    """Give a request to a format."""
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    return Taken(form, raw, headers or {"content-type": "application/json"}, query or {})


def ids(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the ids of records, sorted."""
    return sorted(str(record["id"]) for record in records)


def secrets_in(folder: Path, *secrets: str) -> Path:
    """Write a file of secrets."""
    path = folder / "secrets"
    path.write_text("# of the tests\n" + "\n".join(secrets) + "\n", encoding="utf-8")
    return path
