"""Who asked to be forgotten: nothing that the collector writes down holds them any longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest

from connectors.kafka_bindings import bind
from engine.cells import Cell, CellTable
from engine.collector import LiveCollector, Pace
from engine.errors import LogError
from engine.event import Event
from engine.identity import Identity
from engine.treatments.chain import Chain
from engine.treatments.memory import Memories, MemoryShelf
from engine.treatments.registry import TREATMENTS, Around, Asked, chain_of, edge_of
from tests.unit.collector.support import KEY, SECOND, Listed, T, World

HOUR = 3_600
HERE, THERE = "460-00-4301-101", "460-00-4301-102"
TABLE = CellTable([Cell(HERE, 39.90, 116.40, 500), Cell(THERE, 39.91, 116.40, 500)])
OLD, NEW = "86990321123456", "86990431123456"
ASKED: dict[str, dict[str, Any]] = {
    **{name: {} for name in TREATMENTS},
    "identity": {"correlate": True, "announce": True},
    "roaming": {"home": ["46000"], "neighbours": ["455"], "hold": "30m"},
    "late": {"flag_after": "4h"},
}
MODES = ("hold", "repeat")


def imsi(name: str) -> str:
    return f"46000{ord(name):010}"


def number(name: str) -> str:
    return f"+8613912345{ord(name):03}"


def key(name: str) -> str:
    return str(Identity(KEY).of_imsi(imsi(name)))


def own(name: str) -> str:
    """The key of their number by itself."""
    return str(Identity(KEY).of_msisdn(number(name)))


def row(seconds: float, name: str, kind: str = "loc.update", **fields: Any) -> dict[str, Any]:
    said = {"kind": kind, "t": T + round(seconds * SECOND), "id": f"{name}{seconds:g}{kind}", **fields}
    return {"imsi": imsi(name), **said} if "msisdn" not in fields or "imsi" in fields else said


def of_one(name: str, seconds: float = 0) -> list[dict[str, Any]]:
    """What makes every step remember somebody, and several keep records of them back."""
    said = {"imsi": imsi(name), "msisdn": number(name)}
    return [
        row(seconds, name, **said, imei=OLD, cell=HERE, plmn="46000"),
        row(seconds + 1, name, "roam.out", plmn="45505"),
        row(seconds + 2, name, "call.out", plmn="46000", cell=HERE, number="10086"),  # it was not so
        row(seconds + 3, name, imei=NEW),
        row(seconds + 40, name, "roam.out", plmn="45505"),
        row(seconds + 41, name, cell=THERE),
        row(seconds + 42, name, "sms.in", number="10086"),
    ]


ROWS = [
    row(0, "x", imsi=imsi("x"), msisdn=number("y"), imei=OLD),  # once the number of another
    row(2 * HOUR, "y", imsi=imsi("y"), msisdn=number("y"), imei=OLD),
    row(2 * HOUR + 1, "g", cell=HERE),  # nobody says their number: given up
    row(2 * HOUR + 1, "h", msisdn=number("h"), cell=HERE),  # nor the IMSI of this one
    *of_one("a", 3 * HOUR),
    *of_one("b", 3 * HOUR),
    row(3 * HOUR + 43, "p", cell=HERE),  # waits for the number
    row(3 * HOUR + 43, "q", msisdn=number("q"), cell=HERE),  # and for the IMSI
]
FORGOTTEN = [key("a"), key("x"), key("g"), own("h"), key("p"), own("q")]


class Profiles:
    """The topic of profiles, in which some have come to an end."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.news: list[str] = []

    def end(self, keys: Sequence[str]) -> None:
        self.ended += keys
        self.news += keys

    async def load(self, identity: Identity) -> None:
        self.identity, self.news = identity, list(self.ended)
        await self.poll()

    async def poll(self) -> None:
        bind(self.identity, [(each.encode(), None) for each in self.news])
        self.news = []

    async def close(self) -> None:
        """Nothing is open."""


class Site:
    """One collector after the other over one log."""

    def __init__(self, mode: str = "hold", rows: Sequence[dict[str, Any]] = ROWS) -> None:
        self.world = World()
        self.shelf = MemoryShelf()
        self.profiles = Profiles()
        self.source = Listed("feed", rows)
        self.mode = mode

    async def start(self, *, feeds: bool = True) -> LiveCollector:
        identity, memories = Identity(KEY), Memories(self.shelf)
        asked = {**ASKED, "ping_pong": {"mode": self.mode}}
        steps = [Asked(each, each.options.model_validate(asked[name])) for name, each in TREATMENTS.items()]
        around = Around(identity, tables={"cells": TABLE}, memories=memories)
        self.chain = chain_of(steps, around)
        live = replace(self.world.live(self.source), chain=self.chain, edge=edge_of(self.chain))
        if not feeds:
            live = self.world.live(Listed("other", []))
        collector = self.world.collector(
            live, identity=identity, bindings=self.profiles, shared=memories, pace=Pace(records=100)
        )
        await collector.start()
        return collector

    def kept(self) -> str:
        """All that is written down beside the log."""
        memories = self.shelf.go_back(orjson.loads(self.world.checkpoints.kept["c1"])["shared"]["mark"])
        return self.world.checkpoints.kept["c1"].decode() + repr(memories)

    async def ids(self) -> list[str]:
        return [record["id"] for record in await self.world.records() if record["kind"] != "profile.update"]


def kept_by_step(chain: Chain) -> dict[str, str]:
    return {step.name: orjson.dumps(step.pack()).decode() for step in chain.steps}


@pytest.mark.parametrize("mode", MODES)
async def test_no_checkpoint_holds_who_is_forgotten(mode: str) -> None:
    site = Site(mode)
    collector = await site.start()
    await collector.step()
    before = site.kept()
    assert [name for name in FORGOTTEN if name not in before] == []
    keeps = {name for name, kept in kept_by_step(site.chain).items() if key("a") in kept}
    steps = {"duplicates", "impossible_moves", "ping_pong", "thinning", "handset_changes", "roaming"}
    assert keeps == steps, "else it shows nothing"
    held = set(await site.ids())

    site.profiles.end(FORGOTTEN)
    assert not await collector.step(), "there is nothing to read: it is written down all the same"
    after = site.kept()
    assert [name for name in (*FORGOTTEN, own("a")) if name in after] == []
    assert own("y") in after, "it has another owner now"
    assert after.count(key("b")) == before.count(key("b"))

    # what was kept back of them is in the log, in its order; that of others still waits
    ids = await site.ids()
    theirs = [each["id"] for each in ROWS if each["id"][0] in "apq"]
    assert sorted(ids) == sorted({*held, *theirs})
    assert [id for id in ids if id[0] == "a"] == [each["id"] for each in of_one("a", 3 * HOUR)]
    await collector.drain()
    assert sorted(i for i in await site.ids() if i[0] in "abpqgh") == sorted(
        each["id"] for each in ROWS if each["id"][0] in "abpqgh"
    )


async def test_time_waits_for_what_is_kept_back_of_others_only() -> None:
    """What rules wait for comes no later for records that are in the log by now, and no record too late."""
    site = Site()
    collector = await site.start()
    await collector.step()
    ticks = []
    for ended in ([], FORGOTTEN, [key("b"), own("b")]):
        site.profiles.end(ended)
        await collector.step()
        ticks.append((await site.world.ticks())[-1][0])
    assert ticks == [3 * HOUR + 40, 3 * HOUR + 40, 3 * HOUR + 43]


async def test_their_next_record_is_one_of_a_stranger() -> None:
    site = Site(rows=[*ROWS, row(3 * HOUR + 50, "a", imei=NEW, plmn="45505", cell=THERE)])
    site.source.arrived = len(ROWS)
    collector = await site.start()
    await collector.step()
    site.profiles.end([key("a")])
    await collector.step()
    site.source.arrived += 1
    await collector.drain()
    theirs = [record for record in await site.world.records() if record["subscriber_key"] == key("a")]
    assert theirs[-1]["t"] == T + (3 * HOUR + 50) * SECOND
    assert theirs[-1]["quality"] == ["no_msisdn"]
    # a second sighting of the new TAC and of the network across the border, were they not forgotten
    assert [record["kind"] for record in theirs if record["kind"] in ("handset.change", "roam.country")] == []
    assert collector.treated["feed"]["handset_changes.first"] == 5  # x, y, a, b, and a again


async def test_a_crash_before_it_is_written_down_forgets_again(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()
    collector = await site.start()
    await collector.step()
    site.profiles.end(FORGOTTEN)

    async def fails(*_: object) -> None:
        raise LogError("the log is away")

    monkeypatch.setattr(collector.inlet, "append", fails)
    with pytest.raises(LogError):
        await collector.step()
    monkeypatch.undo()
    await collector.start()
    await collector.step()
    after = site.kept()
    assert [name for name in FORGOTTEN if name in after] == []
    found = await site.ids()
    assert len(found) == len(set(found))


async def test_what_is_kept_of_a_feed_that_is_gone_goes_too() -> None:
    site = Site()
    collector = await site.start()
    await collector.step()
    other = await site.start(feeds=False)
    assert key("a") in site.kept()
    site.profiles.end([key("a"), own("a")])
    await other.step()
    assert key("a") not in site.world.checkpoints.kept["c1"].decode()
    assert key("b") not in site.world.checkpoints.kept["c1"].decode()  # what was kept back has gone on
    again = await site.start()
    await again.drain()
    found = await site.ids()
    for name in "ab":
        assert len([id for id in found if id[0] == name]) == len(of_one(name))
    assert len(found) == len(set(found))


def test_without_numbers_memories_are_reached_as_well() -> None:
    """A feed need not ask for `correlate` to remember handsets and networks."""
    identity, memories = Identity(KEY), Memories()
    memories.memory("handsets", 10, 10).put(key("a"), (1, "86990321"))
    identity.forget_keys({key("a")})
    memories.forget(identity.take_forgotten())
    assert memories.counts["handsets.entries"] == 0
    assert identity.take_forgotten() == []


def test_what_goes_on_is_not_kept_by_a_step_behind() -> None:
    """Events in their order, though one step after the other lets go of them."""
    steps = [
        Asked(TREATMENTS[name], TREATMENTS[name].options.model_validate(ASKED[name]))
        for name in ("ping_pong", "thinning", "roaming")
    ]
    chain = chain_of(steps, Around(Identity(KEY)))
    events = [Event(e["kind"], e["t"], key("a"), e, e.get("cell"), e["t"], e["id"]) for e in of_one("a")]
    out = [each for event in events for each in chain.take(event)]
    assert 0 < len(out) < len(events)
    out += chain.forget([key("a")])
    assert [each.id for each in out] == [each.id for each in events]
    assert chain.parked == 0
    assert key("a") not in orjson.dumps(chain.pack()).decode()
    assert list(chain.let_go()) == []
