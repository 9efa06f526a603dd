"""Topics on a real Kafka: made as the table says, checked when they exist, whoever comes first."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from connectors.kafka_client import KafkaAccess, client_options
from connectors.kafka_topics import ensure
from engine.errors import LogError
from engine.topics import Topic, topics
from tests.servers.kafka import HOST, KafkaServer
from tests.servers.kafka_jars import BOOTSTRAP, find_kafka
from tests.testdata import CHECKOUT

TLS = CHECKOUT / "tests" / "data" / "tls"


def table(prefix: str) -> dict[str, Topic]:
    return topics(prefix, partitions=3)


async def shown(bootstrap: str, names: list[str]) -> dict[str, tuple[int, int, dict[str, str]]]:
    """Partitions, copies and settings of topics, asked of the broker without the code under test."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        described = {topic["topic"]: topic for topic in await admin.describe_topics(names)}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        (answer,) = await admin.describe_configs(resources)
    finally:
        await admin.close()
    settings = {name: {e[0]: e[1] for e in entries} for _, _, _, name, entries in answer.resources}
    return {
        name: (len(topic["partitions"]), len(topic["partitions"][0]["replicas"]), settings[name])
        for name, topic in described.items()
    }


async def test_topics_are_made_as_the_table_says_and_verified_in_silence(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    wanted, access = table(topic_prefix), KafkaAccess(kafka_server.bootstrap)
    await ensure(access, wanted.values(), create=True)
    made = await shown(kafka_server.bootstrap, [topic.name for topic in wanted.values()])
    for topic in wanted.values():
        partitions, copies, settings = made[topic.name]
        assert (partitions, copies) == (topic.partitions, 1)
        assert {name: settings[name] for name in topic.settings()} == topic.settings()
    for create in (True, False):
        await ensure(access, wanted.values(), create=create)
    assert await shown(kafka_server.bootstrap, list(made)) == made


async def test_a_topic_just_made_takes_records_at_once(kafka_server: KafkaServer, topic_prefix: str) -> None:
    access = KafkaAccess(kafka_server.bootstrap)
    events = table(topic_prefix)["events"]
    await ensure(access, [events], create=True)
    async with AIOKafkaProducer(**client_options(access), max_request_size=events.max_bytes) as producer:
        largest = b" " * (1 << 20)
        for partition in range(3):
            sent = await producer.send_and_wait(events.name, largest, partition=partition)
            assert sent.timestamp_type == 1  # the broker's time


@pytest.mark.parametrize(
    ("short", "changes", "said"),
    [
        ("events", {"cleanup.policy": "compact"}, "cleanup.policy: expected delete, was compact"),
        ("profiles", {"cleanup.policy": "delete"}, "cleanup.policy: expected compact, was delete"),
        (
            "rules",
            {"cleanup.policy": "compact,delete"},
            "cleanup.policy: expected compact, was compact,delete",
        ),
        ("events", {"retention.ms": "3600000"}, "retention.ms: expected at least 50 h, was 1 h"),
        ("offers", {"retention.bytes": "1000000"}, "retention.bytes: expected -1, was 1000000"),
        (
            "events",
            {"message.timestamp.type": "CreateTime"},
            "message.timestamp.type: expected LogAppendTime, was CreateTime",
        ),
        (
            "deadletters",
            {"max.message.bytes": "1000"},
            "max.message.bytes: expected at least 1114112, was 1000",
        ),
        ("decisions", {"compression.type": "zstd"}, "compression.type: expected producer, was zstd"),
    ],
)
async def test_a_wrong_setting_is_named(
    kafka_server: KafkaServer, topic_prefix: str, short: str, changes: dict[str, str], said: str
) -> None:
    topic = table(topic_prefix)[short]
    kafka_server.create_topics(
        topic.name, partitions=topic.partitions, options={**topic.settings(), **changes}
    )
    with pytest.raises(LogError) as caught:
        await ensure(KafkaAccess(kafka_server.bootstrap), [topic], create=True)
    assert str(caught.value) == f"topic {topic.name}: {said}"


async def test_all_mistakes_are_in_one_error_sorted(kafka_server: KafkaServer, topic_prefix: str) -> None:
    wanted = topics(topic_prefix, partitions=3, replication=3, min_isr=2)
    some = [wanted["offers"], wanted["events"], wanted["profiles"]]
    kafka_server.create_topics(wanted["events"].name, partitions=2, options=wanted["events"].settings())
    offers = {**wanted["offers"].settings(), "min.insync.replicas": "1"}
    kafka_server.create_topics(wanted["offers"].name, partitions=3, options=offers)
    with pytest.raises(LogError) as caught:
        await ensure(KafkaAccess(kafka_server.bootstrap), some, create=False)
    head = f"topic {topic_prefix}"
    assert str(caught.value).splitlines() == [
        f"{head}.events.v1: partitions: expected 3, was 2",
        f"{head}.events.v1: replication factor: expected at least 3, was 1",
        f"{head}.offers.v1: min.insync.replicas: expected at least 2, was 1",
        f"{head}.offers.v1: replication factor: expected at least 3, was 1",
        f"{head}.profiles.v1: expected to exist, was not found; `touchpoint topics` makes it",
    ]


@pytest.mark.parametrize("kept", ["-1", "900000000"])
async def test_a_topic_may_keep_more_than_asked(
    kafka_server: KafkaServer, topic_prefix: str, kept: str
) -> None:
    topic = table(topic_prefix)["events"]
    more = {"retention.ms": kept, "max.message.bytes": "9999999", "segment.ms": "600000000"}
    kafka_server.create_topics(topic.name, partitions=3, options={**topic.settings(), **more})
    await ensure(KafkaAccess(kafka_server.bootstrap), [topic], create=True)


async def test_a_missing_topic_is_named_and_not_made(kafka_server: KafkaServer, topic_prefix: str) -> None:
    topic = table(topic_prefix)["rules"]
    for _ in range(2):
        with pytest.raises(LogError, match=f"topic {topic.name}: expected to exist, was not found"):
            await ensure(KafkaAccess(kafka_server.bootstrap), [topic], create=False)


async def test_roles_that_start_together_all_succeed(kafka_server: KafkaServer, topic_prefix: str) -> None:
    wanted, access = table(topic_prefix), KafkaAccess(kafka_server.bootstrap)
    await asyncio.gather(*(ensure(access, wanted.values(), create=True) for _ in range(4)))
    assert len(await shown(kafka_server.bootstrap, [topic.name for topic in wanted.values()])) == len(wanted)


async def test_more_copies_than_brokers_is_refused_with_the_brokers_words(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    topic = topics(topic_prefix, replication=9)["offers"]
    with pytest.raises(LogError, match=f"topic {topic.name}: expected to be created, was refused: .*9"):
        await ensure(KafkaAccess(kafka_server.bootstrap), [topic], create=True, within=0.2)


async def test_a_kafka_that_is_not_there_is_named(unused_port: int) -> None:
    access = KafkaAccess(f"{HOST}:{unused_port}")
    with pytest.raises(LogError, match=f"Kafka at {access.bootstrap}: expected to answer, was: "):
        await ensure(access, topics().values(), create=True)


@pytest.fixture
def unused_port() -> int:
    from tests.servers.process import free_port

    return free_port()


SIGNED_IN = {
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:SASL_SSL,CONTROLLER:PLAINTEXT",
    "listener.name.proxied.sasl.enabled.mechanisms": "PLAIN",
    "listener.name.proxied.plain.sasl.jaas.config": (
        'org.apache.kafka.common.security.plain.PlainLoginModule required user_role="open sesame";'
    ),
    "listener.name.proxied.ssl.client.auth": "required",
    "listener.name.proxied.ssl.keystore.type": "PEM",
    "listener.name.proxied.ssl.truststore.type": "PEM",
    "listener.name.proxied.ssl.truststore.location": str(TLS / "cert.pem"),
}


async def test_topics_over_tls_with_certificates_and_a_password(
    kafka_server: KafkaServer, topic_prefix: str, tmp_path: Path
) -> None:
    """A broker of its own, whose second listener asks for all of it."""
    found = find_kafka()
    if found.bootstrap is not None:
        pytest.skip(f"needs a Kafka of its own, {BOOTSTRAP} names an outside one")
    store = tmp_path / "keystore.pem"
    store.write_bytes((TLS / "key.pem").read_bytes() + (TLS / "cert.pem").read_bytes())
    options = {**SIGNED_IN, "listener.name.proxied.ssl.keystore.location": str(store)}
    server = KafkaServer(tmp_path / "kafka", options, found)
    await asyncio.to_thread(server.start)
    try:
        async with server.proxy():
            given: dict[str, Any] = {
                "bootstrap": f"{HOST}:{server.nodes[1].proxy_port}",
                "security": "SASL_SSL",
                "sasl": "PLAIN",
                "user": "role",
                "ca": TLS / "cert.pem",
                "cert": TLS / "cert.pem",
                "cert_key": TLS / "key.pem",
            }
            wanted = table(topic_prefix).values()
            await ensure(KafkaAccess(**given, password="open sesame"), wanted, create=True)
            with pytest.raises(LogError, match="expected to answer") as caught:
                await ensure(KafkaAccess(**given, password="secret-guess"), wanted, create=False)
            assert "secret-guess" not in str(caught.value)
            nobody = {**given, "cert": None, "cert_key": None, "password": "open sesame"}
            with pytest.raises(LogError, match="expected to answer"):
                await ensure(KafkaAccess(**nobody), wanted, create=False)
    finally:
        await asyncio.to_thread(server.stop)
