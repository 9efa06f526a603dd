"""A process with other secrets than the deployment ends with the name of the variable, and does nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.deployment.common import Common
from engine.deployment.dispatcher import DispatcherRole
from engine.deployment.engine import EngineRole
from engine.errors import SettingsError
from engine.settings import load_settings
from tests.integration.care import IMSI, NUMBER, Care
from tests.servers.eventually import eventually


@pytest.mark.parametrize("name", ["KEY", "SALT"])
@pytest.mark.parametrize("role", [EngineRole, DispatcherRole])
async def test_a_role_with_another_secret_does_not_begin(
    care: Care,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    role: type[EngineRole] | type[DispatcherRole],
    tmp_path: Path,
) -> None:
    await care.publish()
    async with care.engine():
        pass
    monkeypatch.setenv("TOUCHPOINT_OUT", str(tmp_path))
    monkeypatch.setenv(f"TOUCHPOINT_{name}", "another secret of the tests")
    common = Common(load_settings())
    told: list[str] = []
    other = role(common)
    try:
        await other.start(told.append)
    except SettingsError as error:
        told.append(str(error))
    await other.stop()
    await common.close()
    assert told[0] == f"TOUCHPOINT_{name}: expected the one that this Redis was filled with, was another"


async def test_an_engine_that_meets_a_redis_filled_by_others_ends(care: Care) -> None:
    await care.publish()
    common = Common(load_settings())
    told: list[str] = []
    role = EngineRole(common)
    await role.start(told.append)
    try:
        care.redis.flushall()
        care.redis.hset("{o.secrets}", "TOUCHPOINT_SALT", "0" * 32)

        async def ended() -> list[str]:
            await role.look()
            return told

        assert (await eventually(ended, within=20))[0].startswith("TOUCHPOINT_SALT: expected the one")
    finally:
        await role.stop()
        await common.close()


async def test_commands_with_another_key_write_nothing(
    care: Care, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await care.publish()
    async with care.engine():
        pass
    before = await care.everywhere("events")
    numbers = tmp_path / "numbers.txt"
    numbers.write_text(f"{NUMBER}\n")
    monkeypatch.setenv("TOUCHPOINT_KEY", "another key of the tests")
    for command in (("load", "optouts", numbers), ("forget", IMSI, "--yes")):
        result = await care.call(*command)
        assert result.exit_code == 2
        assert "TOUCHPOINT_KEY: expected the one that this Redis was filled with" in result.stderr
    assert await care.everywhere("events") == before
    monkeypatch.setenv("TOUCHPOINT_KEY", "a key of the tests")
    assert (await care.call("load", "optouts", numbers)).exit_code == 0
