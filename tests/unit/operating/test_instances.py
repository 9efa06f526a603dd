"""Two processes of one TOUCHPOINT_INSTANCE take the partitions from each other: each says so."""

from __future__ import annotations

import pytest

from engine.deployment.common import Common
from engine.deployment.engine import FIGHTS, EngineRole
from engine.settings import Settings


@pytest.mark.parametrize("instance", ["", "e1"])
async def test_partitions_shared_out_again_and_again_are_told(
    instance: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    monkeypatch.setattr("engine.deployment.engine.time.monotonic", lambda: now)
    settings = Settings(kafka_bootstrap="127.0.0.1:1", redis_url="redis://127.0.0.1:1", instance=instance)
    role = EngineRole(Common(settings))
    assert role.ready()["assignment"] == "expected partitions to be shared out, was not yet"
    for _ in range(FIGHTS):
        assert "INSTANCE" not in role.ready()["assignment"]
        await role.on_partitions_assigned([])
        now += 2
    said = (
        "TOUCHPOINT_INSTANCE: expected a name of its own for each process; partitions were shared out 6 times"
    )
    assert role.ready()["assignment"].startswith(said) == bool(instance)
    now += 60
    assert role.ready()["assignment"] == ""
    await role.client.aclose()
