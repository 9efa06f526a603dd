"""The users of docs/operations.md on servers that ask for rights: all can work, and need each."""

from __future__ import annotations

import asyncio
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner

from engine.cli.main import app
from engine.refusals import Refusal, dead_letter
from engine.topics import topics
from tests.house.sources import text
from tests.house.users import User, users_of_kafka
from tests.servers.deployment import PROGRAM, Deployment, RoleProcess
from tests.servers.kafka import HOST, KafkaServer
from tests.servers.kafka_jars import BOOTSTRAP, find_kafka
from tests.servers.kafka_rights import PASSWORD, Right, Rights, options
from tests.servers.redis import RedisServer
from tests.testdata import CHECKOUT
from tests.unit.cli.support import CONSENT, FILES

PREFIX, PARTITIONS, FOREIGN = "users", 2, "feed"
IMSI, NUMBER, OTHER = "460001234567890", "+8613912345678", "+8613800000000"
SECOND = 1_000_000
USERS = {user.name: user for user in users_of_kafka()}
LOGINS = {name: f"u{number}" for number, name in enumerate(USERS)}
SELDOM = "profiles: read by a dispatcher after the loss of a server of a cluster, by verify from a cut log on"
OURS = "TOUCHPOINT_"
STORE = re.findall(r"^user (engine|dispatcher|reader) (.+)$", text(Path("docs/operations.md")), re.MULTILINE)


def rights_of(user: User) -> Iterator[Right]:
    """What a row of the page says."""
    login = LOGINS[user.name]
    for operation, shorts in (("Read", user.reads), ("Write", user.writes)):
        for short in shorts:
            yield Right(login, operation, "Topic", topics(PREFIX)[short].name)
    if user.name in ("collector", "touchpoint deadletters"):
        yield Right(login, "Read", "Topic", FOREIGN)
    if user.group:
        operation = "Describe" if user.name == "touchpoint verify" else "Read"
        yield Right(login, operation, "Group", f"{PREFIX}.{user.group}")
    if user.transactions:
        yield Right(login, "Write", "TransactionalId", f"{PREFIX}.{user.transactions}")


def rights_beside(user: User) -> Iterator[Right]:
    """What the page says of all users, above the table."""
    more = ("Create",) if user.name == "touchpoint topics" else ()
    for operation in ("Describe", "DescribeConfigs", *more):
        yield Right(LOGINS[user.name], operation, "Topic", f"{PREFIX}.*")


class Field:
    """A deployment of which every role and every command comes as a user of its own."""

    def __init__(
        self, deployment: Deployment, kafka: KafkaServer, redis: RedisServer, rights: Rights
    ) -> None:
        self.deployment = deployment
        self.kafka = kafka
        self.redis = redis
        self.rights = rights

    def sign_in(self, user: str, store: str = "") -> None:
        """Set whom the next process comes as: to Kafka, and to Redis if it needs it."""
        self.deployment.settings["KAFKA_USER"] = LOGINS[user]
        for name in ("REDIS_URL", "REDIS_USER", "REDIS_PASSWORD"):
            self.deployment.settings.pop(name, None)
        if store:
            more = {"REDIS_URL": self.redis.url, "REDIS_USER": store, "REDIS_PASSWORD": "PASSWORD"}
            self.deployment.settings.update(more)

    def call(self, user: str, *arguments: object, store: str = "", check: bool = True) -> str:
        """Call a command within this process, which is quicker; return what it says."""
        self.sign_in(user, store)
        given = {name: value for name, value in self.deployment.environment().items() if OURS in name}
        result = CliRunner().invoke(app, list(map(str, arguments)), env=given)
        assert result.exit_code in (0, int(not check)), result.output
        assert "not shown" not in result.stderr  # `history` goes on without a store, and says so
        return result.stdout

    def topic(self, short: str) -> str:
        """Return the name of a topic."""
        return topics(PREFIX)[short].name

    def send(self, topic: str, value: bytes) -> None:
        """Append a message, as whoever may everything."""

        async def go() -> None:
            async with AIOKafkaProducer(bootstrap_servers=self.kafka.bootstrap) as producer:
                await producer.send_and_wait(topic, value, partition=0)

        asyncio.run(go())

    def wait_asked(self, user: str, operation: str, topic: str) -> None:
        """Wait until the broker has let a user do it."""
        right = Right(LOGINS[user], operation, "Topic", topic)
        self.deployment.wait(
            lambda: any(one.right == right and one.is_allowed for one in self.rights.asked()), str(right)
        )

    def start(self, role: str, store: str = "", **settings: object) -> RoleProcess:
        """Start a role."""
        self.sign_in(role, store)
        return self.deployment.start(role, **settings)


@pytest.fixture
async def field(new_redis: Callable[..., RedisServer], tmp_path: Path) -> AsyncIterator[Field]:
    """Give servers whose users have the rights of the page, and nothing on them."""
    found = find_kafka()
    if found.bootstrap is not None:
        pytest.skip(f"needs a Kafka of its own, {BOOTSTRAP} names an outside one")
    redis = new_redis()
    with redis.client() as client:
        for name, rules in STORE:
            client.execute_command("ACL", "SETUSER", name, *rules.split())
    server = KafkaServer(tmp_path / "kafka", options(LOGINS.values()), found)
    rights = Rights(server)
    await asyncio.to_thread(server.start)
    try:
        for user in USERS.values():
            await rights.grant([*rights_of(user), *rights_beside(user)])
        async with server.proxy():
            deployment = Deployment(
                tmp_path,
                f"{HOST}:{server.nodes[1].proxy_port}",
                redis.url,
                PREFIX,
                partitions=PARTITIONS,
                kafka_security="SASL_PLAINTEXT",
                kafka_sasl="PLAIN",
                kafka_password=PASSWORD,
            )
            try:
                yield Field(deployment, server, redis, rights)
            finally:
                await asyncio.to_thread(deployment.close)
    finally:
        await asyncio.to_thread(server.stop)


async def test_the_rights_of_the_page_are_those_that_are_needed(field: Field, tmp_path: Path) -> None:
    dispatcher = await asyncio.to_thread(work, field, tmp_path)
    asked = field.rights.asked()
    refused = {one for one in asked if not one.is_allowed}
    assert refused == set()
    used = {one.right for one in asked}
    granted = {right for user in USERS.values() for right in rights_of(user)}
    idle = {right for right in granted if not any(is_of(one, right) for one in used)}
    seldom = ("dispatcher", "touchpoint verify")
    assert idle == {Right(LOGINS[user], "Read", "Topic", field.topic("profiles")) for user in seldom}, SELDOM
    # and without one that is easily forgotten nothing would have been sent
    await field.rights.take(Right(LOGINS["dispatcher"], "Read", "Topic", topics(PREFIX)["events"].name))
    await asyncio.to_thread(miss, field, dispatcher)


def is_of(used: Right, granted: Right) -> bool:
    """Say whether one is an instance of the other."""
    name = granted.name
    is_named = used.name.startswith(name[:-1]) if name.endswith("*") else used.name == name
    return used[:3] == granted[:3] and is_named


def rules_of_today(folder: Path) -> Path:
    """Write rules that are live now, at any hour."""
    today = datetime.fromtimestamp(time.time(), UTC)
    valid = " to ".join(f"{today + timedelta(days=days):%Y-%m-%d}" for days in (-2, 2))
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = content.replace("quiet: 22:00 to 08:00\n", "")
        path.write_text(content.replace("2026-09-01 to 2026-09-30", valid), encoding="utf-8")
    return folder


def work(field: Field, tmp_path: Path) -> RoleProcess:
    """Call every command, and have an offer go all the way; return the dispatcher."""
    deployment = field.deployment
    rules, landing = rules_of_today(tmp_path / "rules"), tmp_path / "landing"
    landing.mkdir()
    field.call("touchpoint topics", "topics")
    roles = [
        field.start("collector", landing=landing, landing_disorder_ms=0),
        field.start("engine", "engine"),
        field.start("dispatcher", "dispatcher"),
    ]
    field.call("touchpoint rules", "rules", "publish", rules, "--by", "ann")
    published = field.call("touchpoint rules", "rules", "published")
    assert "in force" in published
    field.call("touchpoint rules", "rules", "switch", published.split()[-1], "--by", "ann")
    watch = watching(field, rules)
    assert field.call("touchpoint rules", "rules", "history").count("ann: to") >= 2
    deployment.wait(lambda: all(role.page("readyz") == 200 for role in roles), "all roles to be ready")

    profiles, optouts = tmp_path / "profiles.jsonl", tmp_path / "optouts.txt"
    profile = {"subscriber": IMSI, "msisdn": NUMBER, "tier": "gold", "consent": CONSENT}
    profiles.write_bytes(orjson.dumps(profile) + b"\noh\n")
    optouts.write_text(f"{OTHER}\n", encoding="utf-8")
    field.call("touchpoint load", "load", "profiles", profiles, check=False)
    field.call("touchpoint load", "load", "optouts", optouts, store="engine")
    now = time.time_ns() // 1_000
    records = [
        {"kind": "loc.update", "t": now - ago * SECOND, "imsi": IMSI, "cell": cell}
        for ago, cell in ((120, "460-00-9-9"), (60, "460-00-1-1"), (1, "460-00-1-1"))
    ]
    (landing / ".feed").write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records) + b"oh\n")
    (landing / ".feed").rename(landing / "feed.jsonl")
    deployment.wait(lambda: [one["to"] for one in deployment.submits()] == [NUMBER], "a message to be sent")
    told = ""

    def delivered() -> bool:
        nonlocal told
        told = field.call("touchpoint history", "history", IMSI, store="reader")
        return "delivered" in told

    deployment.wait(delivered, "its receipt in the log")
    collector, engine, dispatcher = roles
    refusals(field, collector, landing)
    equal = "1 of 1 decisions are the same once more"
    deployment.wait(lambda: equal in field.call("touchpoint verify", "verify"), "the engine's mark to come")
    # a Redis that came back empty: all is made anew from the topics
    assert engine.terminate()[0] == 0
    with field.redis.client() as client:
        client.flushall()
    roles[1] = field.start("engine", "engine")
    deployment.wait(lambda: roles[1].page("readyz") == 200, "the engine to have rebuilt")
    deployment.wait(lambda: dispatcher.page("readyz") == 200, "the dispatcher to go on")
    who = ("--live", IMSI, "--rule", "hall-visit")
    assert "hall-visit" in field.call("touchpoint explain", "explain", *who, store="reader")
    field.call("touchpoint forget", "forget", IMSI, "--yes", store="engine")
    with field.redis.client() as client:
        assert client.execute_command("ACL", "LOG") == []
    watch.send_signal(signal.SIGINT)
    said, errors = watch.communicate(timeout=90)
    assert "watching" in said, errors
    return dispatcher


def refusals(field: Field, collector: RoleProcess, landing: Path) -> None:
    """Have the engine refuse a record, and the collector read a foreign topic; bring refused ones back."""
    field.kafka.create_topics(FOREIGN)
    elsewhere = {"kind": "loc.update", "t": time.time_ns() // 1_000, "imsi": IMSI, "cell": "460-00-9-9"}
    field.send(FOREIGN, orjson.dumps(elsewhere))
    field.send(field.topic("events"), b"oh")
    refusal = Refusal("type", "cell: expected text, was a list", "mme", f"{FOREIGN}:0:0", "{}")
    field.send(field.topic("deadletters"), dead_letter(refusal, "collector", 1, {"topic": FOREIGN}))
    assert collector.terminate()[0] == 0
    again = field.start("collector", landing=landing, landing_disorder_ms=0, foreign_topic=FOREIGN)
    field.wait_asked("collector", "Read", FOREIGN)
    field.wait_asked("engine", "Write", field.topic("deadletters"))
    field.deployment.wait(lambda: again.page("readyz") == 200, "the collector to go on")
    assert FOREIGN in field.call("touchpoint deadletters", "deadletters", "list")
    sources = {"LANDING": str(landing), "FOREIGN_TOPIC": FOREIGN}
    field.deployment.settings.update(sources)
    said = field.call("touchpoint deadletters", "deadletters", "requeue", "--all", "--json", check=False)
    assert orjson.loads(said)["counts"]["requeued"] == 1
    for name in sources:
        del field.deployment.settings[name]


def watching(field: Field, rules: Path) -> subprocess.Popen[str]:
    """Begin to publish a folder at every change."""
    field.sign_in("touchpoint rules")
    return subprocess.Popen(
        [sys.executable, "-P", "-c", PROGRAM, "rules", "watch", str(rules), "--by", "ann"],
        env=field.deployment.environment(),
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def miss(field: Field, dispatcher: RoleProcess) -> None:
    """Start the dispatcher again: it says what it lacks, and is not ready."""
    dispatcher.terminate()
    again = field.start("dispatcher", "dispatcher")
    field.deployment.wait(
        lambda: b"TopicAuthorizationFailedError" in again.log.read_bytes(), "it to say what it lacks"
    )
    end = time.monotonic() + 1
    while time.monotonic() < end:
        assert again.page("readyz") in (0, 503)
