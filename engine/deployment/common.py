"""What all roles of a process share: settings, clients, metrics, topics, rules."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from connectors.column_map import ColumnMap, load_map
from connectors.kafka_health import KafkaHealth
from connectors.kafka_rules import KafkaRules
from connectors.kafka_topics import ensure
from connectors.landing import BAD, DONE
from connectors.redis_scripts import Client
from connectors.redis_secrets import wrong_secrets
from engine.deployment.clients import kafka_access, kafka_options
from engine.errors import InputError, SettingsError
from engine.metrics import Metrics
from engine.paths import FOLDER, why_no
from engine.settings import PREFIX, Settings
from engine.topics import Topic, topics

OnDead = Callable[[str], None]


class Common:
    """Of one process; roles ask it for what they need."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry)
        self.options: dict[str, Any] = kafka_options(settings)
        self.prefix = settings.topic_prefix
        self.topics = topics_of(settings)
        self.kafka = KafkaHealth(self.options)
        self._asking: asyncio.Task[None] | None = None
        self._checked = False
        self._rules: KafkaRules | None = None
        self._following: asyncio.Task[None] | None = None

    def topic(self, short: str) -> str:
        """Return the full name of a topic."""
        return self.topics[short].name

    async def check_secrets(self, client: Client, *, leave: bool = False) -> None:
        """Raise `SettingsError` if Redis was filled with other secrets; `StoreError` if it does not answer.

        `leave`: have others compare theirs with ours if there are none yet.
        """
        if wrong := await wrong_secrets(client, secrets_of(self.settings), leave=leave):
            raise SettingsError(wrong)

    def watch_kafka(self, on_dead: OnDead) -> None:
        """Ask Kafka again and again whether it is there; what it said last stands in `kafka`."""
        self._asking = watched("kafka health", self.kafka.watch(), on_dead)

    async def ensure_topics(self) -> None:
        """Make topics that are missing; raise `LogError` for those that are not as they have to be."""
        if not self._checked:
            await ensure(kafka_access(self.settings), self.topics.values(), create=True)
            self._checked = True

    async def rules(self, on_dead: OnDead) -> KafkaRules:
        """Return the published sets of rules, read to their end and followed.

        `on_dead` is told if they can't be followed any more: the process must end then.
        """
        if self._rules is None:
            rules = KafkaRules(
                self.options, self.topic("rules"), self.settings.key_bytes, self.settings.home_cc
            )
            await rules.start()
            self._following = watched("rules", rules.follow(), on_dead)
            self._rules = rules
        return self._rules

    async def close(self) -> None:
        """Let go of what is shared."""
        tasks = [task for task in (self._following, self._asking) if task is not None]
        self._following = self._asking = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        rules, self._rules = self._rules, None
        if rules is not None:
            await rules.stop()


def watched(name: str, work: Coroutine[Any, Any, None], on_dead: OnDead) -> asyncio.Task[None]:
    """Start the work that a role consists of; an error that ends it is logged and told as a last word."""

    def ended(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            structlog.get_logger(name).error(f"{name} died", error=error)
            on_dead(f"{name} died: {error}")

    task = asyncio.create_task(work, name=name)
    task.add_done_callback(ended)
    return task


def secrets_of(settings: Settings) -> dict[str, bytes]:
    """Return the secrets by the names of their settings."""
    return {**key_of(settings), f"{PREFIX}SALT": settings.salt_bytes}


def key_of(settings: Settings) -> dict[str, bytes]:
    """Return the one that makes keys of subscribers and of numbers: what commands have to have right."""
    return {f"{PREFIX}KEY": settings.key_bytes}


def topics_of(settings: Settings) -> dict[str, Topic]:
    """Return the topics as the settings want them."""
    return topics(
        settings.topic_prefix,
        settings.partitions,
        settings.kafka_replication,
        settings.kafka_min_isr,
        settings.events_retention_hours,
        settings.decisions_retention_days,
    )


def now_us() -> int:
    """Return the wall clock, µs UTC."""
    return time.time_ns() // 1_000


def folder_of(path: Path) -> Path:
    """Make the folder that `out` names if it is missing, and return it.

    Raise `SettingsError` if nothing can be written into it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if os.access(path, os.W_OK | os.X_OK):
            return path
        why = "not writable"
    except OSError as error:
        why = (error.strerror or "not to be made").lower()
    raise SettingsError([f"{PREFIX}OUT: expected a folder that can be written, was '{path}' ({why})"])


def check_landing(path: Path, variable: str = "LANDING") -> None:
    """Move an empty file to where a landing directory puts files that are done, or bad.

    `variable`: the setting that names it.

    Raise `SettingsError` if that can't be done: rows of a file that can't be moved would be in the log before
    it is found out. A path that is no folder is not looked at. No collector reads the file, whose name begins
    with a dot.
    """
    if why_no(FOLDER, path):
        return
    trial = path / f".touchpoint-{secrets.token_hex(8)}"
    places = [trial, *(path / place / trial.name for place in (DONE, BAD))]
    try:
        try:
            for place in places[1:]:
                trial.touch()
                place.parent.mkdir(exist_ok=True)
                trial.rename(place)
        finally:
            for place in places:
                with suppress(NotADirectoryError):
                    place.unlink(missing_ok=True)
    except OSError as error:
        expected = f"a folder whose files can be moved to its {DONE}/ and {BAD}/"
        why = (error.strerror or "not possible").lower()
        raise SettingsError([f"{PREFIX}{variable}: expected {expected}, was '{path}' ({why})"]) from None


def columns_of(settings: Settings) -> ColumnMap | None:
    """Return the column map that `landing_map` names; None: no map. Raise `SettingsError` for a wrong one."""
    if not settings.landing_map:
        return None
    try:
        return load_map(settings.landing_map)
    except InputError as error:
        # of no file: the name is the mistake; else a place in the file
        said = str(error).removeprefix("map: ")
        raise SettingsError([f"{PREFIX}LANDING_MAP: {said}"]) from None
