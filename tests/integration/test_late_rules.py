"""A switch that comes before the set it names, on real servers: lanes stand and say so, then go on."""

from __future__ import annotations

import pytest

from engine.deployment import engine
from engine.language.loader import load_dir
from tests.integration.care import PARTITIONS, Care, control, profile, seen
from tests.servers.eventually import eventually


async def test_a_late_set_is_waited_for_and_decides_from_its_switch_on(
    care: Care, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "RULES_WITHIN", 0.2)
    ruleset = load_dir(care.folder).ruleset
    assert ruleset is not None
    assert (await care.call("topics")).exit_code == 0
    await care.append(
        profile(-600), control("rules.switch", -500, hash=ruleset.hash), seen(-300, "460-00-9-9")
    )
    await care.append(seen(0))
    async with care.engine() as role:
        said = await eventually(lambda: role.ready()["lanes"], within=30)
        assert f"rules {ruleset.hash}: expected to be published in topic {care.prefix}.rules.v1" in said
        await care.publish()
        lines = await care.lines(1)
        assert [line["rule"] for line in lines if line["outcome"] == "offer"] == ["hall-visit"]
        await eventually(lambda: role.ready()["lanes"] == "", within=30)
        lanes = role.keeper.lanes
        assert len(lanes) == PARTITIONS
        await eventually(
            lambda: all(lane.fold and lane.fold.book.hash == ruleset.hash for lane in lanes.values()),
            within=30,
        )
