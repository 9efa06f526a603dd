"""Lanes of a process: begun, ended, kept for a return, tried again, or the end of it all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from engine.errors import StoreError
from engine.keeper import LaneKeeper
from engine.log_pace import AT_ONCE
from engine.ports import Commit
from tests.servers.eventually import eventually
from tests.unit.pipeline.stage import GIVEN
from tests.unit.state.test_lane import TEXT, Line


class Stage:
    """One partition, a keeper, and what it was told."""

    def __init__(self, **settings: Any) -> None:
        self.line = Line(TEXT, **settings)
        self.made = 0
        self.dead: list[str] = []
        self.keeper = LaneKeeper(
            self._make, lambda partition, error: self.dead.append(f"{partition} {error}")
        )

    def _make(self, partition: int) -> Any:
        self.made += 1
        return self.line.begin()

    async def published(self, count: int) -> None:
        async def there() -> bool:
            return len(await self.line.published()) == count

        await eventually(there)


async def test_a_lane_begins_with_its_partition_and_ends_with_it() -> None:
    on = Stage()
    shared_out = [on.keeper.assigned]
    await on.keeper.assign([0])
    shared_out.append(on.keeper.assigned)
    assert shared_out == [False, True]
    await on.line.write("sms.out", 0)
    await on.published(1)
    await on.keeper.revoke([0])
    assert on.keeper.lanes == {}
    await on.line.write("sms.out", 1)
    await asyncio.sleep(0.1)
    assert await on.line.published() == ["text"]
    assert on.dead == []


async def test_an_idle_lane_is_revoked_at_once() -> None:
    on = Stage()
    await on.keeper.assign([0])
    await eventually(lambda: on.keeper.lanes[0].waits)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await on.keeper.revoke([0])
    assert loop.time() - began < 1


async def test_what_waits_for_a_commit_is_committed_when_the_partition_goes() -> None:
    on = Stage(commit_after=60)
    await on.line.write("profile.update", 0, **GIVEN, msisdn="+8613900000000")
    await on.keeper.assign([0])
    await eventually(lambda: on.keeper.lanes[0].next == 1)
    offsets = [(await on.line.store.open(0)).offset]
    await on.keeper.stop()
    offsets.append((await on.line.store.open(0)).offset)
    assert offsets == [0, 1]


async def test_a_partition_that_comes_back_goes_on_with_the_same_lane() -> None:
    on = Stage()
    await on.keeper.assign([0])
    await on.line.write("sms.out", 0)
    await on.published(1)
    await on.keeper.revoke([0])
    await on.keeper.assign([0])
    await on.line.write("sms.out", 1)
    await on.published(2)
    assert on.made == 1
    await on.keeper.stop()


async def test_a_lane_that_came_back_after_another_had_it_reads_everything_anew() -> None:
    on = Stage()
    await on.keeper.assign([0])
    await on.line.write("sms.out", 0)
    await on.published(1)
    mine = on.keeper.lanes[0]
    await on.keeper.revoke([0])
    await on.line.write("sms.out", 1)
    await on.line.begin().run()  # another process
    await on.line.write("sms.out", 2)
    await on.keeper.assign([0])
    await on.published(3)
    assert mine.fenced == 1
    await on.keeper.stop()


async def test_a_partition_that_did_not_come_back_is_forgotten() -> None:
    on = Stage()
    await on.keeper.assign([0])
    await on.keeper.revoke([0])
    await on.keeper.assign([])
    await on.keeper.assign([0])
    assert on.made == 2
    await on.keeper.stop()


async def test_while_the_store_does_not_answer_nothing_is_consumed_and_then_it_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on = Stage()
    commit, down = on.line.store.commit, True

    async def failing(partition: int, given: Commit) -> None:
        if down:
            raise StoreError("redis: expected a reply, was none")
        await commit(partition, given)

    monkeypatch.setattr(on.line.store, "commit", failing)
    await on.keeper.assign([0])
    await on.line.write("sms.out", 0)
    await eventually(lambda: on.keeper.health[0].trouble)
    assert (await on.line.store.open(0)).offset == 0
    assert on.keeper.stuck() == []
    down = False
    await on.published(1)
    await eventually(lambda: not on.keeper.health[0].trouble)
    assert on.dead == []
    await on.keeper.stop()


async def test_the_first_try_again_is_logged_with_its_error_and_the_end_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on = Stage()
    opened, tries = on.line.store.open, 0

    async def failing(partition: int) -> Any:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise StoreError("redis: expected a reply, was none")
        return await opened(partition)

    monkeypatch.setattr(on.line.store, "open", failing)
    with capture_logs() as told:
        await on.keeper.assign([0])
        await eventually(lambda: on.keeper.lanes[0].ready)
        await eventually(lambda: len(told) == 2)
        await on.keeper.stop()
    assert tries >= 4
    assert [(line["log_level"], line["partition"]) for line in told] == [("warning", 0), ("info", 0)]
    assert isinstance(told[0]["error"], StoreError)


async def test_a_lane_that_fails_at_every_other_step_does_not_flood_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on = Stage()
    monkeypatch.setattr("engine.keeper.RETRY", (0.001, 0.001))
    step, steps = on.line.lane.step, 0

    async def flapping(wait: float = 0) -> int:
        nonlocal steps
        steps += 1
        if steps % 2:
            raise StoreError("redis: expected a reply, was none")
        return await step(0)

    monkeypatch.setattr(on, "_make", lambda _: on.line.lane)
    monkeypatch.setattr(on.line.lane, "step", flapping)
    on.keeper = LaneKeeper(on._make, lambda *_: None)
    with capture_logs() as told:
        await on.keeper.assign([0])
        await eventually(lambda: steps > 200)
        await on.keeper.stop()
    assert 2 <= len(told) <= 2 * (AT_ONCE + 1)


async def test_a_bug_in_a_lane_is_told_with_its_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    on = Stage()

    async def broken(*_: Any) -> Any:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(on.line.store, "open", broken)
    await on.keeper.assign([0])
    await eventually(lambda: on.dead)
    assert on.dead == ["0 a bug"]
    await on.keeper.stop()


async def test_a_rebuild_that_takes_long_and_gets_on_is_not_stuck_and_one_that_hangs_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on = Stage(mark_every=0)
    for number in range(3):
        await on.line.write("sms.out", number)
    await on.line.lane.run()
    await on.line.lane.flush()
    on.line.store.lose(0)
    lines, hang = on.line.offers.lines, asyncio.Event()
    given = 0

    async def slowly(partition: int) -> AsyncIterator[list[tuple[int, bytes]]]:
        nonlocal given
        [batch] = [batch async for batch in lines(partition)]
        for _ in range(30):
            await asyncio.sleep(0.05)
            given += 1
            yield batch
        await hang.wait()

    monkeypatch.setattr(on.line.offers, "lines", slowly)
    monkeypatch.setattr("engine.keeper.STUCK", 0.5)
    await on.keeper.assign([0])
    looks = []
    while given < 30:
        looks.append(on.keeper.stuck())
        await asyncio.sleep(0.02)
    assert [look for look in looks if look] == []
    await eventually(lambda: on.keeper.stuck() == [0])
    hang.set()
    await eventually(lambda: on.keeper.lanes[0].ready)
    assert on.keeper.stuck() == []
    await on.keeper.stop()


async def test_a_lane_that_does_not_come_round_is_stuck() -> None:
    on = Stage()
    await on.keeper.assign([0])
    await eventually(lambda: on.keeper.lanes[0].waits)
    assert on.keeper.stuck() == []
    await on.keeper.revoke([0])
    await on.keeper.assign([0])
    on.keeper.health[0].came_round -= 3_600
    on.keeper.lanes[0].moved -= 3_600
    assert on.keeper.stuck() == [0]
    await on.keeper.stop()
