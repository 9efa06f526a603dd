"""Reports of an exposure function that do not say when they were: a return is told from a repeat."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from connectors.push.door import Delivery, PushDoor
from connectors.push.doors import nef_door
from connectors.push.http_door import Request
from connectors.push.nef import Nef
from connectors.push.options import NefOptions
from connectors.push.secrets import SIGNATURE, TIMESTAMP, signature_of
from engine.collector import LiveCollector, Pace
from engine.errors import LogError
from tests.unit.collector.support import LATER, SECOND, World
from tests.unit.collector.test_collector import brittle
from tests.unit.push.support import SIGNING, at, served
from tests.unit.push.test_push_door import Sender

CELLS = {"A": "460-00-000000001", "B": "460-00-000000002", "C": "460-00-000000003"}


def report(cell: str, number: int = 0, **fields: Any) -> dict[str, Any]:
    location = {"cellId": CELLS[cell]}
    return {
        "monitoringType": "LOCATION_REPORTING",
        "msisdn": f"861391234{number:04}",
        "locationInfo": location,
        **fields,
    }


class Exposure:
    """A NEF's door on a collector; what is sent to it comes a second after what was sent before."""

    def __init__(self, world: World, **options: Any) -> None:
        given = NefOptions(listen="127.0.0.1:0", unauthenticated=True, **options)
        self.seconds = LATER / SECOND
        self.world = world
        self.server = Sender()
        self.door = PushDoor("nef", self.server, Nef("nef", given), given, clock=lambda: self.seconds)
        self.number = 0
        self.collector: LiveCollector

    async def start(self, inlet: Any = None) -> Exposure:
        pace = Pace(records=500, seconds=60)
        options = {} if inlet is None else {"inlet": inlet}
        self.collector = self.world.collector(self.world.live(self.door), pace=pace, **options)
        await self.collector.start()
        return self

    def send(self, *reports: dict[str, Any], after: float = 1) -> None:
        self.seconds += after
        self.world.clock.micros = round(self.seconds * SECOND)
        self.number += 1
        body = orjson.dumps({"subscription": "s", "monitoringEventReports": reports})
        request = Request(self.number, {}, {}, body, round(self.seconds * SECOND))
        self.door.put(Delivery(request, len(reports), len(body), lambda answer: None))

    async def say(self, cells: str, **fields: Any) -> str:
        """Send a report for each cell, one request each, and return the cells of all records so far."""
        for cell in cells:
            self.send(report(cell, **fields))
            await self.collector.step()
        return await self.cells()

    async def cells(self) -> str:
        records = sorted(await self.world.records(), key=lambda record: record["t"])
        assert len({record["id"] for record in records}) == len(records)
        names = {f"460-00-{number}": name for number, name in enumerate("ABC", 1)}
        return "".join(names[record["cell"]] for record in records)


@pytest.mark.parametrize(
    ("sent", "applied"),
    [("ABA", "ABA"), ("AAB", "AB"), ("ABBA", "ABA"), ("ABABCA", "ABABCA"), ("AAAA", "A")],
)
async def test_who_comes_back_is_back_and_what_is_said_twice_is_one(sent: str, applied: str) -> None:
    nef = await Exposure(World()).start()
    assert await nef.say(sent) == applied
    assert nef.door.counts["again"] == len(sent) - len(applied)


async def test_the_last_is_known_over_a_restart() -> None:
    world = World()
    assert await (await Exposure(world).start()).say("AB") == "AB"
    again = await Exposure(world).start()
    again.seconds += 60
    assert await again.say("B") == "AB"
    assert await again.say("A") == "ABA"


async def test_others_in_between_change_nothing() -> None:
    nef = await Exposure(World()).start()
    for number in (0, 1, 2, 0, 1, 2):
        await nef.say("A", number=number)
    assert await nef.cells() == "AAA"


async def test_the_last_is_forgotten_with_time_and_by_number() -> None:
    nef = await Exposure(World(), remember=2, remember_for=60 * SECOND).start()
    await nef.say("A")
    nef.seconds += 90
    assert await nef.say("A") == "AA"
    for number in (1, 2, 3):
        await nef.say("A", number=number)
    assert await nef.say("A") == "AAAAAA"
    assert len(nef.door.position["latest"][0][1]) <= 2 * 24


async def test_a_request_of_several_is_one_when_it_comes_again() -> None:
    nef = await Exposure(World()).start()
    for _ in range(2):
        nef.send(report("A"), report("B"), report("B"), report("A", number=1), report("A"))
        await nef.collector.step()
    assert sorted(await nef.cells()) == sorted("ABAA")
    nef.send(report("B"))
    await nef.collector.step()
    assert len(await nef.cells()) == 5


async def test_one_with_a_time_comes_between_and_is_known_by_itself() -> None:
    nef = await Exposure(World()).start()
    timed: dict[str, Any] = {"eventTime": at(LATER / SECOND - 1_788_740_000)}
    await nef.say("A")
    nef.send(report("B", **timed))
    await nef.collector.step()
    await nef.say("A")
    nef.send(report("B", **timed))
    await nef.collector.step()
    assert sorted(await nef.cells()) == sorted("ABA")


@pytest.mark.parametrize("how", ["before", "after"])
async def test_a_step_that_fails_applies_each_once(how: str) -> None:
    nef = Exposure(World())
    await nef.start(brittle(nef.world, {1: how}, LogError))
    for cell in "ABA":
        nef.send(report(cell))
    with pytest.raises(LogError):
        await nef.collector.step()
    await nef.collector.start()
    await nef.collector.step()
    assert await nef.cells() == "ABA"


async def test_a_recorded_request_that_was_signed_is_known_though_others_came_since() -> None:
    options = NefOptions(listen="127.0.0.1:0", signature_variable="KEYS")
    door = nef_door("nef", options, environ={"KEYS": SIGNING}, clock=lambda: LATER / SECOND)
    requests: list[dict[str, Any]] = []
    for cell in "AB":
        body = orjson.dumps({"subscription": "s", "monitoringEventReports": [report(cell)]})
        stamp = str(LATER // SECOND)
        signature = signature_of(SIGNING.encode(), stamp, body)
        headers = {"content-type": "application/json", TIMESTAMP: stamp, SIGNATURE: signature}
        requests.append({"content": body, "headers": headers})
    async with served(door) as (sender, world):
        for request in (*requests, *requests):
            assert (await sender.post(options.path, **request)).status_code == 204
        assert len(await world.records()) == 2
