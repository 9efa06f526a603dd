"""A connection to Redis reset under uvloop: an outage to wait for, not a bug that ends the process."""

from __future__ import annotations

from typing import Any, cast

import pytest

from connectors.redis_scripts import Client, RedisScripts
from engine.errors import StoreError

SAID = "unable to perform operation on <TCPTransport closed=True reading=False 0x1>; the handler is closed"


class Fails:
    """A client whose connection was reset before the command could be written."""

    def __init__(self, said: str) -> None:
        self.said = said

    async def execute_command(self, *words: Any) -> None:
        """Fail as uvloop's transport does."""
        raise RuntimeError(self.said)


async def test_a_closed_connection_is_an_error_of_the_store() -> None:
    with pytest.raises(StoreError, match="lane_commit: expected a connection, was closed"):
        await RedisScripts(cast("Client", Fails(SAID))).run("lane_commit", ["k"], [])


async def test_other_runtime_errors_stay_bugs() -> None:
    with pytest.raises(RuntimeError, match="dictionary changed"):
        await RedisScripts(cast("Client", Fails("dictionary changed size"))).run("lane_commit", ["k"], [])
