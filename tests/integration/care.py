"""A deployment for the commands of customer care: real servers, and an engine while a test wants one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis import Redis
from typer.testing import CliRunner, Result

from connectors.kafka_log import KafkaLog
from connectors.kafka_read import read_to_end
from engine.cli.main import app
from engine.collect import partition_of
from engine.deployment.common import Common
from engine.deployment.engine import EngineRole
from engine.identity import Identity
from engine.settings import load_settings
from tests.servers.eventually import eventually
from tests.servers.kafka import KafkaServer
from tests.servers.redis import RedisServer
from tests.unit.cli.support import CONSENT, FILES, SECOND, T

IMSI, NUMBER = "460001234567890", "+8613912345678"
KEY = "a key of the tests"
PARTITIONS = 3
LATE_RULE = FILES["team/hall-visit.yaml"].replace("hall-visit", "hall-late")
LATE_RULE = LATE_RULE.replace("tier: [gold, vip]", "tier: vip").replace("only_one_of: packs, ", "")
LATE_RULE = LATE_RULE.replace("priority: 50", "priority: 40").replace("send_within: 2h", "send_within: 12h")
RULES = {**FILES, "team/hall-late.yaml": LATE_RULE}
AWAY = "460-00-9-9"


class Care:
    """Two servers, a prefix of its own, and the commands."""

    def __init__(
        self, kafka: KafkaServer, redis: RedisServer, prefix: str, folder: Path, patch: pytest.MonkeyPatch
    ) -> None:
        self.options: dict[str, Any] = {"bootstrap_servers": kafka.bootstrap}
        self.prefix = prefix
        self.redis = Redis.from_url(redis.url)
        self.identity = Identity(KEY.encode())
        self.folder = folder
        for name, value in {
            "KAFKA_BOOTSTRAP": kafka.bootstrap,
            "REDIS_URL": redis.url,
            "TOPIC_PREFIX": prefix,
            "PARTITIONS": str(PARTITIONS),
            "KEY": KEY,
            "SALT": "a salt of the tests",
        }.items():
            patch.setenv(f"TOUCHPOINT_{name}", value)
        for name, text in RULES.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    @property
    def key(self) -> str:
        """Of the subscriber."""
        return self.identity.of_imsi(IMSI) or ""

    @property
    def own(self) -> str:
        """Of the number itself."""
        return self.identity.hash_number(NUMBER)

    async def call(self, *arguments: object, answer: str | None = None) -> Result:
        """Call `touchpoint ARGS…` beside this loop; `answer`: what is typed."""
        result = await asyncio.to_thread(
            CliRunner().invoke, app, [str(each) for each in arguments], input=answer
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    async def publish(self) -> None:
        """Publish the rules; this makes the topics."""
        result = await self.call("rules", "publish", self.folder, "--by", "ann")
        assert result.exit_code == 0, result.output

    async def append(self, *records: dict[str, Any], key: str = "") -> None:
        """Append records of a subscriber to the log."""
        who = key or self.key
        log = KafkaLog(self.options, f"{self.prefix}.events.v1", PARTITIONS, f"{self.prefix}.writer")
        values = [orjson.dumps({"source": "core", **record, "subscriber_key": who}) for record in records]
        await log.append([(partition_of(who, PARTITIONS), value) for value in values])
        await log.close()

    async def topic(self, name: str, key: str = "") -> list[tuple[bytes | None, Any]]:
        """Read the partition of a subscriber: (key, what was written)."""
        found: list[tuple[bytes | None, Any]] = []
        topic = f"{self.prefix}.{name}.v1"
        async for records in read_to_end(self.options, topic, partition_of(key or self.key, PARTITIONS)):
            found += [(r.key, orjson.loads(r.value) if r.value else None) for r in records]
        return found

    async def everywhere(self, name: str) -> list[Any]:
        """Read what was written to all partitions."""
        found: list[Any] = []
        for partition in range(PARTITIONS):
            async for records in read_to_end(self.options, f"{self.prefix}.{name}.v1", partition):
                found += [orjson.loads(record.value) for record in records if record.value]
        return found

    async def lines(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many decision lines are there; return them without releases."""

        async def there() -> list[dict[str, Any]]:
            read = [value for _, value in await self.topic("decisions")]
            lines = [line for each in read for line in (each if isinstance(each, list) else [each])]
            assert len(lines) >= count, lines
            return [line for line in lines if "id" in line]

        return await eventually(there, within=30, every=0.1)

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[EngineRole]:
        """Decide while the block runs."""
        common = Common(load_settings())
        role = EngineRole(common)
        await role.start(lambda word: pytest.fail(word))
        try:
            yield role
        finally:
            await role.stop()
            await common.close()


def control(kind: str, seconds: float, **fields: Any) -> dict[str, Any]:
    """Return a control record, so many seconds after T."""
    return {"kind": kind, "t": T + round(seconds * SECOND), **fields}


def profile(seconds: float, **fields: Any) -> dict[str, Any]:
    """Return the profile of somebody who agreed to everything."""
    return control(
        "profile.update", seconds, msisdn=NUMBER, consent=CONSENT, profile={"tier": "gold", **fields}
    )


def seen(seconds: float, cell: str = "460-00-1-1") -> dict[str, Any]:
    """Return a sighting; without a cell, at the hall."""
    return control("loc.update", seconds, cell=cell)
