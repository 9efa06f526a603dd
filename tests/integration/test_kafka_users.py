"""The users of docs/operations.md on a Kafka that asks for rights: each can do its work with just these."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest

from connectors.kafka_client import KafkaAccess
from connectors.kafka_topics import ensure
from engine.topics import topics
from tests.house.users import User, users_of_kafka
from tests.servers.deployment import Deployment
from tests.servers.kafka import HOST, KafkaServer
from tests.servers.kafka_jars import BOOTSTRAP, find_kafka
from tests.servers.redis import RedisServer
from tests.unit.cli.support import CONSENT, FILES, T

PREFIX, PARTITIONS = "users", 2
IMSI, NUMBER = "460001234567890", "+8613912345678"
USERS = {user.name: user for user in users_of_kafka()}
LOGINS = {name: f"u{number}" for number, name in enumerate(USERS)}
WITHIN = 60.0

TOPIC, GROUP, TRANSACTIONS = 2, 3, 5
LITERAL, PREFIXED = 3, 4
READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS = 3, 4, 8, 10
ALLOW = 3
"""Numbers of the protocol: ResourceType, PatternType, AclOperation, AclPermissionType."""

PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
OPTIONS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
    "allow.everyone.if.no.acl.found": "false",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
    "listener.name.proxied.sasl.enabled.mechanisms": "PLAIN",
    "listener.name.proxied.plain.sasl.jaas.config": " ".join(
        [PLAIN, *(f'user_{login}="a password"' for login in LOGINS.values())]
    )
    + ";",
}


class Rights:
    """Grants and takes, as whoever may everything."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    async def grant(self, user: User) -> None:
        """Grant what the page says, and nothing else."""
        for topic in topics(PREFIX):
            for operation in (DESCRIBE, DESCRIBE_CONFIGS):
                await self._add(TOPIC, f"{PREFIX}.{topic}.v1", operation, user)
        for operation, names in ((READ, user.reads), (WRITE, user.writes)):
            for topic in names:
                await self._add(TOPIC, f"{PREFIX}.{topic}.v1", operation, user)
        if user.group:
            await self._add(GROUP, f"{PREFIX}.{user.group}", READ, user)
        if user.transactions:
            await self._add(TRANSACTIONS, f"{PREFIX}.{user.transactions}", WRITE, user)

    async def take(self, user: User, topic: str, operation: int) -> None:
        """Take one right away."""
        name = f"{PREFIX}.{topic}.v1"
        who = f"User:{LOGINS[user.name]}"
        await self._ask(DeleteAclsRequest(TOPIC, name, LITERAL, who, "*", operation, ALLOW))

    async def _add(self, resource: int, name: str, operation: int, user: User) -> None:
        pattern = PREFIXED if name.endswith("*") else LITERAL
        who = f"User:{LOGINS[user.name]}"
        request = CreateAclsRequest(resource, name.rstrip("*"), pattern, who, "*", operation, ALLOW)
        answer = await self._ask(request)
        for code, said in answer.creation_responses:
            if code:
                raise for_code(code)(said)

    async def _ask(self, request: Any) -> Any:
        client = AIOKafkaClient(bootstrap_servers=self._bootstrap)
        try:
            await client.bootstrap()
            return await client.send(client.get_random_node(), request)
        finally:
            await client.close()


class Field:
    """A deployment of which every role and every command comes as a user of its own."""

    def __init__(self, deployment: Deployment, rights: Rights) -> None:
        self.deployment = deployment
        self.rights = rights

    def call(self, user: str, *arguments: object) -> str:
        """Call a command; return what it says. Its exit code has to be 0."""
        self.deployment.settings["KAFKA_USER"] = LOGINS[user]
        return self.deployment.command(*arguments).stdout


@pytest.fixture
async def field(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Field]:
    """Give topics without records on such a Kafka; users have the rights of the page."""
    found = find_kafka()
    if found.bootstrap is not None:
        pytest.skip(f"needs a Kafka of its own, {BOOTSTRAP} names an outside one")
    server = KafkaServer(tmp_path / "kafka", OPTIONS, found)
    await asyncio.to_thread(server.start)
    try:
        await ensure(KafkaAccess(server.bootstrap), topics(PREFIX, PARTITIONS).values(), create=True)
        rights = Rights(server.bootstrap)
        for user in USERS.values():
            await rights.grant(user)
        async with server.proxy():
            deployment = Deployment(
                tmp_path,
                f"{HOST}:{server.nodes[1].proxy_port}",
                redis_server.url,
                PREFIX,
                partitions=PARTITIONS,
                kafka_security="SASL_PLAINTEXT",
                kafka_sasl="PLAIN",
                kafka_password="a password",
            )
            yield Field(deployment, rights)
            await asyncio.to_thread(deployment.close)
    finally:
        await asyncio.to_thread(server.stop)


async def test_every_role_and_every_command_can_do_its_work_and_no_right_is_for_nothing(
    field: Field, tmp_path: Path
) -> None:
    await asyncio.to_thread(_work, field, tmp_path)
    # the rights are what lets it: without one that is easily forgotten nothing is sent
    await field.rights.take(USERS["dispatcher"], "events", READ)
    await asyncio.to_thread(_miss, field)


def _work(field: Field, tmp_path: Path) -> None:
    deployment = field.deployment
    rules, landing = tmp_path / "rules", tmp_path / "landing"
    for name, text in FILES.items():
        path = rules / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    landing.mkdir()
    field.call("touchpoint rules", "rules", "publish", rules, "--by", "ann")
    assert "in force" in field.call("touchpoint rules", "rules", "published")
    roles = [
        deployment.start(name, kafka_user=LOGINS[name], landing=landing, landing_disorder_ms=0)
        for name in ("collector", "engine", "dispatcher")
    ]
    deployment.wait(
        lambda: all(role.page("readyz") == 200 for role in roles), "all roles to be ready", WITHIN
    )

    profiles = tmp_path / "profiles.jsonl"
    profile = {"subscriber": IMSI, "msisdn": NUMBER, "tier": "gold", "consent": CONSENT}
    profiles.write_bytes(orjson.dumps(profile) + b"\n")
    field.call("touchpoint load", "load", "profiles", profiles)
    records = [
        {"kind": "loc.update", "t": T + second * 1_000_000, "imsi": IMSI, "cell": cell}
        for second, cell in ((0, "460-00-9-9"), (60, "460-00-1-1"), (120, "460-00-1-1"))
    ]
    (landing / ".feed").write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records) + b"oh\n")
    (landing / ".feed").rename(landing / "feed.jsonl")
    # it is of another day: the dispatcher ends it, which a receipt in the log says
    deployment.wait(
        lambda: "the rule is no longer live" in field.call("touchpoint history", "history", IMSI),
        "an offer to be made and ended",
        WITHIN,
    )
    assert "json" in field.call("touchpoint deadletters", "deadletters", "list")
    deployment.settings["LANDING"] = str(landing)
    field.deployment.settings["KAFKA_USER"] = LOGINS["touchpoint deadletters"]
    done = deployment.command("deadletters", "requeue", "--all", check=False)
    assert "1" in done.stdout, done.stderr
    del deployment.settings["LANDING"]
    told = field.call("touchpoint explain", "explain", "--live", IMSI, "--rule", "hall-visit")
    assert "hall-visit" in told
    field.call("touchpoint forget", "forget", IMSI, "--yes")


def _miss(field: Field) -> None:
    deployment = field.deployment
    [dispatcher] = [role for role in deployment.processes if role.role == "dispatcher"]
    dispatcher.terminate()
    again = deployment.start("dispatcher", kafka_user=LOGINS["dispatcher"])
    deployment.wait(
        lambda: b"TopicAuthorizationFailedError" in again.log.read_bytes(), "it to be told", WITHIN
    )
    end = time.monotonic() + 2
    while time.monotonic() < end:
        assert again.page("readyz") in (0, 503)
