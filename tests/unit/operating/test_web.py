"""The pages of a role, asked over HTTP while its loop runs."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvloop
from prometheus_client import CollectorRegistry

from connectors.web import Pages
from engine.errors import SettingsError
from engine.metrics import Metrics


class Role:
    """A role with its pages; `live` and `ready` are what its checks say."""

    def __init__(self) -> None:
        self.live: dict[str, str] = {"lanes": ""}
        self.ready: dict[str, str] = {"redis": "", "rules": ""}
        self.metrics = Metrics(CollectorRegistry(), "1.2.3")
        self.pages = Pages(self.metrics.registry, lambda: self.live, lambda: self.ready)

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.get(f"http://127.0.0.1:{self.pages.port}{path}")


@pytest.fixture
async def role() -> AsyncIterator[Role]:
    role = Role()
    await role.pages.start("127.0.0.1", 0)
    yield role
    await role.pages.stop()


async def test_the_metrics_as_prometheus_reads_them(role: Role) -> None:
    role.metrics.events({"applied": 3})
    answer = await role.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'touchpoint_events_total{outcome="applied"} 3.0' in answer.text.splitlines()


@pytest.mark.parametrize("page", ["live", "ready"])
async def test_all_is_well(role: Role, page: str) -> None:
    answer = await role.get(f"/{page}z")
    checks = {"live": {"lanes": "ok"}, "ready": {"redis": "ok", "rules": "ok"}}
    assert (answer.status_code, answer.json()) == (200, {page: True, "checks": checks[page]})


async def test_each_page_says_what_is_wrong_with_it_alone(role: Role) -> None:
    role.ready["redis"] = "redis: expected maxmemory-policy noeviction, was allkeys-lru"
    answer = await role.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "checks": {"redis": role.ready["redis"], "rules": "ok"}}
    assert (await role.get("/livez")).status_code == 200
    role.live["lanes"] = "lane 3 has not moved for 60 s"
    assert (await role.get("/livez")).status_code == 503


async def test_there_is_nothing_else(role: Role) -> None:
    assert (await role.get("/")).status_code == 404
    assert (await role.get("/metrics/../docs")).status_code == 404


async def test_a_check_that_fails_is_not_ready(role: Role) -> None:
    def fail() -> dict[str, str]:
        raise RuntimeError("a bug")

    pages = Pages(role.metrics.registry, fail, fail)
    await pages.start("127.0.0.1", 0)
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{pages.port}/readyz")
    await pages.stop()
    assert answer.status_code == 500


async def test_a_port_that_is_taken_is_named(role: Role) -> None:
    other = Role()
    with pytest.raises(SettingsError, match=r"^TOUCHPOINT_WEB_HOST, TOUCHPOINT_WEB_PORT: expected .*in use"):
        await other.pages.start("127.0.0.1", role.pages.port)
    await other.pages.stop()
    assert other.pages.port == 0


async def test_nobody_answers_after_the_end() -> None:
    role = Role()
    await role.pages.start("127.0.0.1", 0)
    port = role.pages.port
    await role.pages.stop()
    await role.pages.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_connection_that_is_kept_open_does_not_hold_up_the_end() -> None:
    role = Role()
    await role.pages.start("127.0.0.1", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", role.pages.port)
    writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    await asyncio.wait_for(role.pages.stop(), 10)
    writer.close()


async def serve_once() -> tuple[int, list[Any]]:
    """Start, ask and stop; return the status of the answer and the signal handlers while it was served."""
    role = Role()
    await role.pages.start("127.0.0.1", 0)
    status = (await role.get("/readyz")).status_code
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    await role.pages.stop()
    return status, handlers


@pytest.mark.parametrize("factory", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_any_loop_will_do_and_signals_stay_as_they_are(factory: Any) -> None:
    with asyncio.Runner(loop_factory=factory) as runner:
        quiet = signal.getsignal(signal.SIGTERM)
        status, [_, terminate] = runner.run(serve_once())
    assert (status, terminate) == (200, quiet)
