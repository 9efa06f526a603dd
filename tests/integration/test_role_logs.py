"""What roles log of a Redis that goes and comes back: a few lines that tell it, and none per try."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import orjson

from engine.log_pace import AT_ONCE
from tests.servers.deployment import Deployment, RoleProcess
from tests.servers.redis import RedisServer
from tests.testdata import CHECKOUT

AWAY = 8.0
"""Seconds: some tries of each lane, some looks of each role."""


def lines(role: RoleProcess, **fields: Any) -> list[dict[str, Any]]:
    """The lines of a role's log that have these fields."""
    read = [orjson.loads(line) for line in role.log.read_bytes().splitlines()]
    return [line for line in read if fields.items() <= line.items()]


def has_ended(role: RoleProcess) -> bool:
    """Whether it was told that the store was away for long, and is well again."""
    return any(line["seconds"] > AWAY / 2 for line in lines(role, check="store", level="info"))


def test_a_redis_that_goes_and_comes_back_is_told_in_a_few_lines(
    deployment: Deployment, redis_server: RedisServer
) -> None:
    deployment.command("rules", "publish", CHECKOUT / "rules", "--by", "a test")
    engine, dispatcher = roles = [deployment.start("engine"), deployment.start("dispatcher")]
    deployment.wait(lambda: all(role.page("readyz") == 200 for role in roles), "both roles to be ready")
    deployment.wait(
        lambda: (
            {p for line in lines(engine, logger="news") if "hash" in line for p in line["partitions"]}
            == {0, 1}
        ),
        "the rules in force to be told for both partitions",
    )
    before = {role: len(lines(role)) for role in roles}
    redis_server.kill()
    began = time.monotonic()
    deployment.append([{"kind": "tick", "t": 1_788_740_000_000_000}])
    for role in roles:
        deployment.wait(partial(lines, role, check="store", level="warning"), "it to be told")
    deployment.wait(lambda: time.monotonic() - began > AWAY, "some tries to fail")
    redis_server.restart()
    deployment.wait(lambda: all(role.page("readyz") == 200 for role in roles), "both roles to be ready again")
    for role in roles:
        deployment.wait(partial(has_ended, role), "its end to be told")
        [line] = [one for one in lines(role, check="store", level="warning") if "reply" in one["problem"]]
        assert line["page"] == "readyz"
    for partition in range(2):
        tries = lines(engine, logger="keeper", partition=partition, level="warning")
        assert 1 <= len(tries) <= AT_ONCE
        assert tries[0]["error"]["class"] == "StoreError"
    assert dispatcher.is_running
    # eight seconds of failing calls, several a second, are no more than this
    assert all(len(lines(role)) - before[role] <= 25 for role in roles)
