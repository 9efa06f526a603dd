"""A log that was made anew under its name, while the store still counts in the offsets of the old one."""

from __future__ import annotations

import pytest

from connectors.memory_log import MemoryLog
from engine.codec import decode
from engine.errors import LogError
from tests.simulation.runs import lines_of
from tests.unit.pipeline.stage import GIVEN, KEY, rule
from tests.unit.state.test_lane import Line

ONCE = rule("text", {"happens": "sms.out"}, at_most="1 in 1d")


class Anew(Line):
    """A partition that has sent its one offer, and then is given another log."""

    def __init__(self) -> None:
        super().__init__(ONCE)

    async def send(self) -> None:
        self.offers.log = await self.log.identity()
        await self.write("profile.update", 0, **GIVEN)
        await self.write("sms.out", 1)
        await self.lane.run()
        await self.lane.flush()

    def take(self, log: MemoryLog) -> None:
        self.log = log
        self.lane = self.begin()


async def test_a_lane_stands_and_says_why_also_once_the_new_log_is_longer() -> None:
    on = Anew()
    await on.send()
    on.take(MemoryLog(1, "another"))
    for at in range(5):
        await on.write("sms.out", at)
    for _ in range(2):
        with pytest.raises(
            LogError, match=r"partition 0: expected the log .* \(in memory\), .* \(another\): .*anew"
        ):
            await on.lane.step()
    assert (await on.store.open(0)).offset == 2


async def test_a_log_whose_brokers_tell_no_identity_is_taken_and_the_known_one_is_kept() -> None:
    on = Anew()
    await on.send()
    old = on.log
    for identity in ("", "in memory"):
        on.take(MemoryLog(1, identity))
        on.log._partitions, on.log._bases = old._partitions, old._bases
        await on.write("tick", 9)
        await on.lane.run()
        assert b'"log":"in memory"' in (await on.store.open(0)).lane


async def test_built_anew_on_the_new_log_contacts_made_from_the_old_one_count() -> None:
    on = Anew()
    await on.send()
    on.take(MemoryLog(1, "another"))
    on.offers.log = "another"
    on.store.lose(0)
    await on.write("sms.out", 2)
    await on.lane.run()
    assert [line["outcome"] for line in await lines_of(on.offers, 0)] == ["offer", "refused"]
    assert len(decode(KEY, (await on.store.read(0, [KEY]))[0] or b"").contacts) == 1
    assert b'"log":"another"' in (await on.store.open(0)).lane
