"""Makes the topics of `engine.topics`, and checks those that exist: each role does it when it starts.

What exists is never changed: partitions decide which lane has whom, and retention is the operator's to lower.
A topic that keeps more than asked is fine: longer retention, larger messages, more copies, more of them in
sync; but not dead letters for longer, and not what a table has forgotten. Everything else has to be exactly
so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    InvalidReplicationFactorError,
    KafkaConnectionError,
    KafkaError,
    NotControllerError,
    RequestTimedOutError,
    TopicAlreadyExistsError,
    for_code,
)

from connectors.kafka_client import KafkaAccess, client_options
from connectors.kafka_start import started
from connectors.lost import lost_connections
from engine.errors import LogError
from engine.topics import FOREVER, Topic

WITHIN_SECONDS = 30.0
"""A cluster that has just started knows its brokers, and leaders of new topics, after some seconds."""
ANSWER_MS = 10_000
"""A broker that does not answer a request for so long is away."""
LOOK_SECONDS = 0.1
"""Between two looks at what is not there yet."""

EXACT = ("cleanup.policy", "compression.type", "message.timestamp.type", "retention.bytes")
AT_LEAST = ("max.message.bytes", "min.insync.replicas", "retention.ms")
AT_MOST = ("max.compaction.lag.ms", "min.compaction.lag.ms")
"""Of tables: how long what was forgotten may stay."""
"""Settings that are checked. Others (`segment.ms`, ...) only say how soon what is too old goes."""

_NO_SUCH_TOPIC = 3
_LATER = (InvalidReplicationFactorError, NotControllerError, RequestTimedOutError)
"""Answers of a cluster that is not complete yet: fewer brokers registered than copies are asked for."""


@dataclass(frozen=True, slots=True)
class Found:
    """A topic as it is."""

    partitions: int
    replication: int
    """Copies of the partition that has the fewest."""
    settings: Mapping[str, str]


async def ensure(
    access: KafkaAccess, topics: Iterable[Topic], *, create: bool, within: float = WITHIN_SECONDS
) -> None:
    """Check topics; with `create`, make those that are missing first. Safe to be called by many at once.

    Returns when every topic is as it should be and those just made have leaders. Raises `SettingsError` for
    wrong `access`, and `LogError`: Kafka does not answer, refuses to make a topic or does not finish it
    `within` seconds, or topics are wrong or missing; all of these are named, sorted, one line each.
    """
    options = client_options(access)
    wanted = {topic.name: topic for topic in topics}
    admin = AIOKafkaAdminClient(**options, request_timeout_ms=ANSWER_MS)
    try:
        with lost_connections():
            async with started(admin):
                missing = sorted(set(wanted) - set(await _described(admin, wanted)))
                if missing and create:
                    end = time.monotonic() + within
                    await _make(admin, [wanted[name] for name in missing], end)
                    await _wait_for_leaders(admin, missing, end)
                problems = await _problems(admin, wanted, within)
    except (KafkaError, OSError, TimeoutError) as error:
        said = str(error) or type(error).__name__
        if isinstance(error, KafkaConnectionError):
            # the client says the same of a broker that is not there and of one that hangs up on it
            said += f" (is it up, and is it {access.security} there? see TOUCHPOINT_KAFKA_SECURITY)"
        raise LogError(f"Kafka at {access.bootstrap}: expected to answer, was: {said}") from None
    if problems:
        raise LogError("\n".join(problems))


def differences(topic: Topic, found: Found) -> list[str]:
    """Name what is wrong with a topic, one line per setting, sorted."""
    head = f"topic {topic.name}"
    lines = []
    if found.partitions != topic.partitions:
        lines.append(f"{head}: partitions: expected {topic.partitions}, was {found.partitions}")
    if found.replication < topic.replication:
        expected = f"at least {topic.replication}"
        lines.append(f"{head}: replication factor: expected {expected}, was {found.replication}")
    settings = topic.settings()
    for name in EXACT:
        was = found.settings.get(name, "nothing")
        if was != settings[name]:
            lines.append(f"{head}: {name}: expected {settings[name]}, was {was}")
    for name in AT_LEAST:
        was = found.settings.get(name, "nothing")
        if name == "retention.ms" and (
            topic.cleanup == "compact" or (was == str(FOREVER) and not topic.is_limit)
        ):
            continue  # time removes nothing of a table; for ever is longer than any time
        limit = "" if name == "retention.ms" and topic.is_limit else "at least "
        if not was.isdigit() or int(was) < int(settings[name]) or (not limit and was != settings[name]):
            expected = f"{limit}{_shown(name, settings[name])}"
            lines.append(f"{head}: {name}: expected {expected}, was {_shown(name, was)}")
    for name in AT_MOST if topic.cleanup == "compact" else ():
        was = found.settings.get(name, "nothing")
        if not was.isdigit() or int(was) > int(settings[name]):
            expected = f"at most {_shown(name, settings[name])}"
            lines.append(f"{head}: {name}: expected {expected}, was {_shown(name, was)}")
    return sorted(lines)


def _shown(name: str, value: str) -> str:
    """Show a length of time as `50 h`, anything else as it is: logs hide long numbers."""
    if not name.endswith(".ms") or not value.isdigit():
        return "for ever" if name == "retention.ms" and value == str(FOREVER) else value
    seconds, rest = divmod(int(value), 1_000)
    if rest or seconds % 60 or not seconds:
        return f"{seconds:,}.{rest:03} s" if rest else f"{seconds:,} s"
    hours, minutes = divmod(seconds // 60, 60)
    return " ".join([f"{hours:,} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes))


# -- the steps -----------------------------------------------------------------------------------------------


async def _make(admin: Any, topics: list[Topic], end: float) -> None:
    """Create topics, again what an unready cluster refuses; one that another role has just made is fine."""
    left = {topic.name: topic for topic in topics}
    while left:
        new = [
            NewTopic(topic.name, topic.partitions, topic.replication, topic_configs=topic.settings())
            for topic in left.values()
        ]
        answer = await admin.create_topics(new, timeout_ms=ANSWER_MS)
        refused: list[str] = []
        # aiokafka raises none of these; the message is there from version 1 of the answer on
        for name, code, *said in answer.topic_errors:
            error = for_code(code)
            if not code or error is TopicAlreadyExistsError:
                del left[name]
            elif error not in _LATER or time.monotonic() > end:
                why = (said[0] if said else None) or error.description
                refused.append(f"topic {name}: expected to be created, was refused: {why}")
        if refused:
            raise LogError("\n".join(sorted(refused)))
        if left:
            await asyncio.sleep(LOOK_SECONDS)


async def _wait_for_leaders(admin: Any, names: list[str], end: float) -> None:
    while True:
        described = await _described(admin, names)
        waiting = [name for name in names if name not in described or not _is_led(described[name])]
        if not waiting:
            return
        if time.monotonic() > end:
            raise LogError(
                "\n".join(f"topic {name}: expected to get leaders, was without" for name in waiting)
            )
        await asyncio.sleep(LOOK_SECONDS)


async def _problems(admin: Any, wanted: Mapping[str, Topic], within: float) -> list[str]:
    """Compare all topics; the lines of what is wrong or missing, sorted."""
    described = await _described(admin, wanted)
    settings = await _settings(admin, sorted(described), time.monotonic() + within)
    lines = []
    for name, topic in wanted.items():
        if name not in described:
            lines.append(f"topic {name}: expected to exist, was not found; `touchpoint topics` makes it")
            continue
        partitions = described[name]["partitions"]
        found = Found(
            partitions=len(partitions),
            replication=min((len(one["replicas"]) for one in partitions), default=0),
            settings=settings[name],
        )
        lines += differences(topic, found)
    return sorted(lines)


async def _described(admin: Any, names: Iterable[str]) -> dict[str, Any]:
    """Return what brokers say about those of the topics that exist.

    All are asked for: asking by name would make a missing one on brokers that create topics when asked.
    """
    wanted = set(names)
    found = {}
    for topic in await admin.describe_topics(None):
        if topic["topic"] in wanted and topic["error_code"] != _NO_SUCH_TOPIC:
            found[topic["topic"]] = topic
    return found


async def _settings(admin: Any, names: list[str], end: float) -> dict[str, dict[str, str]]:
    """Return the settings of topics that exist; the broker that is asked may not know a new one yet."""
    found: dict[str, dict[str, str]] = {}
    while len(found) < len(names):
        ask = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names if name not in found]
        for answer in await admin.describe_configs(ask):
            for code, said, _, name, entries in answer.resources:
                if not code:
                    found[name] = {entry[0]: entry[1] for entry in entries}
                elif code != _NO_SUCH_TOPIC or time.monotonic() > end:
                    why = said or for_code(code).description
                    raise LogError(f"topic {name}: expected to show its settings, was refused: {why}")
        if len(found) < len(names):
            await asyncio.sleep(LOOK_SECONDS)
    return found


def _is_led(described: Mapping[str, Any]) -> bool:
    partitions = described["partitions"]
    return bool(partitions) and all(one["leader"] >= 0 for one in partitions)
