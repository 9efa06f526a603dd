"""The shell of the Kafka deployment: Faust's worker starts, times and ends the roles of a process.

Only that: no agents, no tables, no web pages, no Kafka client of Faust's (design/protocol.md says what each
cost when it was tried). Nothing else imports Faust; embedded runs, replay and tests of the engine do without
it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import faust
import structlog
import uvloop
from faust.app.base import BootStrategy
from mode import Service

LOOK_EVERY = 1.0
"""Seconds between two looks of a role at itself: metrics, what the pages say."""
OVERTIME = 4.0
"""Seconds beyond the drain after which the process ends, whatever hangs."""

log = structlog.get_logger("shell")


class Role(Protocol):
    """What a process does."""

    async def start(self, on_dead: Callable[[str], None]) -> None:
        """Begin; returns when work is under way. `on_dead` is told in one sentence if it can't go on."""
        ...

    async def look(self) -> None:
        """Look after itself, once a second."""
        ...

    async def stop(self) -> None:
        """Take nothing new, bring what is under way to its end, leave."""
        ...


class _Boot(BootStrategy):  # type: ignore[misc]  # Faust has no types that mypy takes
    enable_kafka = False
    enable_kafka_consumer = False
    enable_kafka_producer = False
    enable_web = False
    enable_sensors = False


class _App(faust.App):  # type: ignore[misc]
    BootStrategy = _Boot

    def _create_directories(self) -> None:
        """Make no folders for tables, for there are none: those of a killed process would stay for good."""


class _Roles(Service):  # type: ignore[misc]
    """The roles, as Faust's worker sees them."""

    def __init__(self, roles: Sequence[Role], drain_seconds: float, **options: Any) -> None:
        super().__init__(**options)
        self.roles = roles
        self.drain_seconds = drain_seconds
        self.worker: Any = None
        self.last_word = ""
        self._begun: list[Role] = []

    async def on_start(self) -> None:
        for role in self.roles:
            self._begun.append(role)
            try:
                await role.start(self.die)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self.die(str(error) or type(error).__name__)
                return
        log.info("started")

    async def on_stop(self) -> None:
        # a client that hangs must not keep the process
        asyncio.get_running_loop().call_later(self.drain_seconds + OVERTIME, self._end_now)
        for role in reversed(self._begun):
            try:
                async with asyncio.timeout(self.drain_seconds):
                    await role.stop()
            except Exception:
                log.exception("drain failed")
        log.info("ended")

    def die(self, sentence: str) -> None:
        """End the process: in an orderly way as far as it goes, and with a last word."""
        if self.last_word:
            return
        self.last_word = sentence
        log.critical("dead", problem=sentence)
        self.worker.ending = asyncio.get_running_loop().create_task(self.worker.stop())

    def _end_now(self) -> None:
        log.critical("dead", problem=f"expected to drain in {self.drain_seconds:.0f} s, was not done")
        os._exit(1)

    @Service.timer(LOOK_EVERY)  # type: ignore[untyped-decorator]
    async def _look(self) -> None:
        for role in self._begun:
            try:
                await role.look()
            except Exception:
                log.exception("look failed")


def run(name: str, roles: Sequence[Role], *, drain_seconds: float) -> str:
    """Run roles until SIGTERM or SIGINT, or until one dies; return its last word, "" after an orderly end."""
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    app = _App(
        f"touchpoint-{name}",
        broker="kafka://127.0.0.1:1",  # never called: see _Boot
        autodiscover=False,
        web_enabled=False,
        loop=loop,
    )
    service = _Roles(roles, drain_seconds, loop=loop)
    worker = faust.Worker(
        app,
        service,
        loop=loop,
        quiet=True,
        override_logging=False,
        redirect_stdouts=False,
        stdout=sys.stderr,
    )
    service.worker = worker
    worker.spinner = None  # no signs of life for a terminal: stdout and stderr are logs
    for library in ("faust", "mode", "aiokafka", "uvicorn"):
        logging.getLogger(library).setLevel(logging.WARNING)
    try:
        worker.execute_from_commandline()
    except SystemExit as ending:
        if ending.code and not service.last_word:
            service.last_word = "the worker ended with an error"
    return service.last_word
