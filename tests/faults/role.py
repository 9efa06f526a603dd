"""Starts a role with what a fault needs: steps at which it dies or stops, another clock, planted bugs.

Called as `python -c PROGRAM run ROLE` with a spec in `$FAULTS_SPEC` (JSON), read here alone: the program
itself knows nothing of faults. Spec:

    points     [{"at": name of a step of lane or dispatcher, "number": which time, "do": "kill" | "stop",
               "mute": once it goes on, its group hears no more of it (it joins no more)}]
    planted    one of PLANTED: a bug that the checker has to find
    clock_us   how far this process's wall clock is ahead
    channel    `Faults` of the channel simulator, by name
    patience   `Patience` of the dispatcher, by name
    session_ms how soon a dead process loses its partitions
    canary     a text that Redis and the channel say in errors, again and again
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

import orjson

SPEC = "FAULTS_SPEC"
PROGRAM = "import sys; from tests.faults.role import main; sys.exit(main())"
SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}
PLANTED = {
    "token": "neither the commit script nor an idle lane looks at the token",
    "claim": "the dispatcher takes every decision for unclaimed",
    "outbox": "what was committed and not published is not published again",
    "offset": "the commit script does not write the offset",
    "submit": "the dispatcher hands nothing to the channel, and takes the answer for lost",
}
KEPT = 2_000
"""Messages of whose fate the network tells whoever connects anew."""
_TOKEN = "if token ~= ARGV[1] then return token end\n"
_OFFSET = "'offset', ARGV[3], "


def main() -> int:
    """Take the spec in, then start the program as `touchpoint` does."""
    spec: dict[str, Any] = orjson.loads(os.environ.pop(SPEC, "{}"))
    _patch(spec)
    from engine.cli.main import main as program

    sys.argv[0] = "touchpoint"
    return program()


def _patch(spec: dict[str, Any]) -> None:
    if clock := spec.get("clock_us"):
        _set_clock(int(clock))
    if planted := spec.get("planted"):
        _plant(planted)
    if session := spec.get("session_ms"):
        _set_sessions(int(session))
    if canary := spec.get("canary"):
        _set_canary(canary)
    _set_points(spec.get("points") or [])
    _set_dispatcher(spec.get("channel") or {}, spec.get("patience") or {})


def _set_clock(ahead: int) -> None:
    from engine.deployment import collector, common, dispatcher, engine

    def now_us() -> int:
        return time.time_ns() // 1_000 + ahead

    for module in (common, collector, dispatcher, engine):
        _put(module, "now_us", now_us)


def _put(owner: Any, name: str, value: Any) -> None:
    """Replace what must be there."""
    if not hasattr(owner, name):
        raise AttributeError(
            f"{owner.__name__}: expected {name}, was not there: nothing can be put in its place"
        )
    setattr(owner, name, value)


def _set_sessions(session: int) -> None:
    from aiokafka import AIOKafkaConsumer

    from connectors import kafka_log, kafka_queue

    kafka_log.SESSION_MS, kafka_log.HEARTBEAT_MS = session, session // 5
    shorter = partial(AIOKafkaConsumer, session_timeout_ms=session, heartbeat_interval_ms=session // 5)
    _put(kafka_queue, "AIOKafkaConsumer", shorter)


def _set_canary(text: str) -> None:
    """Have a script and a submit fail every few seconds with an error that repeats numbers."""
    from connectors.channels.lab import LabChannel
    from connectors.redis_scripts import RedisScripts, store_errors

    last: Counter[str] = Counter()
    run, submit = RedisScripts.run, LabChannel.submit

    def is_due(what: str) -> bool:
        now = int(time.monotonic() / 3)
        before, last[what] = last[what], now
        return now > before

    async def failing(self: Any, *arguments: Any, **more: Any) -> Any:
        if is_due("script"):
            with store_errors(arguments[0]):
                raise ConnectionError(text)
        return await run(self, *arguments, **more)

    async def lost(self: Any, message: Any) -> Any:
        receipt = await submit(self, message)
        if is_due("submit"):
            raise ConnectionResetError(text)
        return receipt

    _put(RedisScripts, "run", failing)
    _put(LabChannel, "submit", lost)


def _set_points(points: list[dict[str, Any]]) -> None:
    from engine.deployment.engine import EngineRole
    from engine.dispatch import Dispatcher

    if not points:
        return
    passed: Counter[str] = Counter()

    async def point(name: str) -> None:
        passed[name] += 1
        for given in points:
            if given["at"] == name and given["number"] == passed[name]:
                os.kill(os.getpid(), SIGNALS[given["do"]])
                if given.get("mute"):
                    _mute()
                await asyncio.sleep(0)

    make_lane = EngineRole._lane

    def lane(role: EngineRole, partition: int) -> Any:
        made = make_lane(role, partition)
        made.point = point
        return made

    _put(EngineRole, "_lane", lane)
    _put(Dispatcher, "__init__", partial_method(Dispatcher.__init__, point=point))


def _mute() -> None:
    """Send nothing to the group's coordinator from now on."""
    from aiokafka.consumer.group_coordinator import GroupCoordinator

    async def silent(_: Any, request: Any) -> Any:
        await asyncio.Event().wait()

    _put(GroupCoordinator, "_send_req", silent)


def _set_dispatcher(channel: dict[str, float], patience: dict[str, Any]) -> None:
    from connectors.channels.lab import Faults, LabChannel
    from engine.deployment import dispatcher
    from engine.patience import Patience

    if channel:
        made = partial(LabChannel, faults=Faults(**channel), seed=os.getpid())
        _put(dispatcher, "LabChannel", made)
        _put(dispatcher, "LAB_REMEMBERS", KEPT)
    if patience:

        def patient(**given: Any) -> Patience:
            """Have this row's times win over those of the settings."""
            return Patience(**{**given, **patience})

        _put(dispatcher, "Patience", patient)


def partial_method(method: Any, **given: Any) -> Any:
    """Return a method that is called with more arguments."""

    def called(self: Any, *arguments: Any, **more: Any) -> Any:
        return method(self, *arguments, **{**more, **given})

    return called


def _plant(name: str) -> None:
    from connectors import redis_scripts

    if name == "token":
        from engine.lane import Lane

        async def blind(_: Any) -> None:
            """Look at no token."""

        _put(redis_scripts, "source_of", partial(_changed, "lane_commit", _TOKEN, ""))
        _put(Lane, "_check_token", blind)
    elif name == "offset":
        _put(redis_scripts, "source_of", partial(_changed, "lane_commit", _OFFSET, ""))
    elif name == "claim":
        from connectors.redis_deliveries import RedisDeliveries

        claim = RedisDeliveries.claim

        async def always(self: Any, *arguments: Any) -> str:
            await claim(self, *arguments)
            return ""

        _put(RedisDeliveries, "claim", always)
    elif name == "submit":
        from connectors.channels.lab import LabChannel

        async def swallow(self: Any, message: Any) -> Any:
            raise ConnectionResetError("planted")

        _put(LabChannel, "submit", swallow)
    elif name == "outbox":
        from connectors.redis_store import RedisStore

        read = RedisStore.open

        async def without(self: Any, partition: int) -> Any:
            return replace(await read(self, partition), outbox={})

        _put(RedisStore, "open", without)
    else:
        raise ValueError(f"planted fault: expected one of {', '.join(PLANTED)}, was {name}")


def _changed(script: str, old: str, new: str, name: str) -> tuple[str, str]:
    """Return a script and its digest, `old` in `script` replaced; it must be there."""
    from hashlib import sha1

    from connectors.redis_scripts import FOLDER

    source = (FOLDER / f"{name}.lua").read_text()
    if name == script:
        if old not in source:
            raise ValueError(f"{script}.lua: expected {old!r}, was not there: the planted fault is gone")
        source = source.replace(old, new)
    return source, sha1(source.encode(), usedforsecurity=False).hexdigest()
