"""The table of topics, and what is called a difference from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.kafka_topics import Found, differences
from engine.intake import SIZE_AT_MOST
from engine.topics import HOUR_MS, topics

OF_THE_LOG = ["events", "profiles", "decisions", "offers"]
TABLES = {
    "profiles": "subscriber key, or n: and the hash of a number",
    "rules": "hash of the set",
    "checkpoints": "name of the collector",
}


def test_names_partitions_and_copies() -> None:
    made = topics("acme.test", partitions=7, replication=3, min_isr=2)
    assert {short: topic.name for short, topic in made.items()} == {
        short: f"acme.test.{short}.v1" for short in [*OF_THE_LOG, "deadletters", "rules", "checkpoints"]
    }
    assert {short: topic.partitions for short, topic in made.items()} == {
        **dict.fromkeys(OF_THE_LOG, 7),
        "deadletters": 4,
        "rules": 1,
        "checkpoints": 1,
    }
    assert {(topic.replication, topic.min_isr) for topic in made.values()} == {(3, 2)}


def test_tables_have_a_key_and_no_end_all_else_is_removed_by_time() -> None:
    made = topics(events_hours=60, decisions_days=40)
    kept = {short: topic.retention_ms / HOUR_MS for short, topic in made.items() if topic.cleanup == "delete"}
    assert kept == {"events": 60, "decisions": 40 * 24, "offers": 72, "deadletters": 48}
    assert {short: topic.key for short, topic in made.items() if topic.cleanup == "compact"} == TABLES
    assert {topic.retention_ms for topic in made.values() if topic.cleanup == "compact"} == {-1}


def test_settings_as_kafka_writes_them() -> None:
    made = topics(min_isr=2)
    assert made["offers"].settings() == {
        "cleanup.policy": "delete",
        "compression.type": "producer",
        "max.message.bytes": str((1 << 20) + (64 << 10)),
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": "2",
        "retention.bytes": "-1",
        "retention.ms": "259200000",
        "segment.ms": "10800000",
    }
    assert made["rules"].settings()["max.compaction.lag.ms"] == "86400000"


@pytest.mark.parametrize("hours", [49, 50, 8_760])
def test_a_message_stays_little_longer_than_asked_and_files_stay_few(hours: int) -> None:
    for topic in topics(events_hours=hours).values():
        if topic.cleanup == "delete":
            assert 20 <= topic.retention_ms / topic.segment_ms <= 50


def test_the_largest_record_fits() -> None:
    assert all(topic.max_bytes > SIZE_AT_MOST for topic in topics().values())


def test_more_than_asked_is_no_difference_less_is() -> None:
    topic = topics(replication=2, min_isr=2)["events"]
    right = Found(4, 2, topic.settings())
    assert differences(topic, right) == []
    more = {
        **topic.settings(),
        "min.insync.replicas": "3",
        "max.message.bytes": "99999999",
        "retention.ms": "-1",
    }
    assert differences(topic, Found(4, 3, more)) == []
    less = {
        **topic.settings(),
        "min.insync.replicas": "1",
        "max.message.bytes": "1",
        "retention.ms": "179999999",
    }
    assert differences(topic, Found(5, 1, less)) == [
        "topic touchpoint.events.v1: max.message.bytes: expected at least 1114112, was 1",
        "topic touchpoint.events.v1: min.insync.replicas: expected at least 2, was 1",
        "topic touchpoint.events.v1: partitions: expected 4, was 5",
        "topic touchpoint.events.v1: replication factor: expected at least 2, was 1",
        "topic touchpoint.events.v1: retention.ms: expected at least 50 h, was 179,999.999 s",
    ]


def test_what_a_broker_does_not_tell_is_a_difference() -> None:
    topic = replace(topics()["events"], partitions=1)
    assert len(differences(topic, Found(1, 1, {}))) == 7


@pytest.mark.parametrize("kept", ["1", "-1", "604800000"])
def test_time_removes_nothing_of_a_table_whatever_is_set(kept: str) -> None:
    topic = topics()["profiles"]
    assert differences(topic, Found(4, 1, {**topic.settings(), "retention.ms": kept})) == []


@pytest.mark.parametrize(
    ("kept", "shown"), [("-1", "for ever"), ("604800000", "168 h"), ("3660000", "1 h 1 min")]
)
def test_dead_letters_are_of_people_and_go_in_time(kept: str, shown: str) -> None:
    topic = topics()["deadletters"]
    assert differences(topic, Found(4, 1, {**topic.settings(), "retention.ms": kept})) == [
        f"topic touchpoint.deadletters.v1: retention.ms: expected 48 h, was {shown}"
    ]


def test_what_a_table_forgets_goes_in_time() -> None:
    topic = topics()["profiles"]
    late = {"min.compaction.lag.ms": "31536000000", "max.compaction.lag.ms": str(2**63 - 1)}
    lines = differences(topic, Found(4, 1, {**topic.settings(), **late}))
    assert [line.partition(": expected ")[0] for line in lines] == [
        "topic touchpoint.profiles.v1: max.compaction.lag.ms",
        "topic touchpoint.profiles.v1: min.compaction.lag.ms",
    ]
    assert lines[1].endswith("expected at most 0 s, was 8,760 h")
    sooner = {"min.compaction.lag.ms": "0", "max.compaction.lag.ms": "3600000"}
    assert differences(topic, Found(4, 1, {**topic.settings(), **sooner})) == []
