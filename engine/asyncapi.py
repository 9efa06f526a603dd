"""The AsyncAPI 3.0 document: topics, keys, retention and messages, from the places that define them.

Topics come from `engine.topics`, records of the log from `engine.schema`, all else from `engine.schema_out`.
`touchpoint schema --asyncapi` writes it; the copy in `docs/` is held against it by a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.schema import Schema, log_schema
from engine.schema_out import (
    change_schema,
    checkpoint_schema,
    deadletter_schema,
    forgotten_schema,
    line_schema,
    offer_schema,
    optout_schema,
    pack_schema,
    profile_schema,
    release_schema,
    rules_schema,
)
from engine.topics import HOUR_MS, Topic

VERSION = "1.0.0"
"""Of the messages: its first number is that of the topics' names, `….v1`."""
BINDING = "0.5.0"
"""Version of AsyncAPI's Kafka bindings."""

_LOG = "log."
"""Names of the log's schemas begin with it: some kinds are called like other messages."""
_SCHEMAS = "#/components/schemas/"
_DEFS = "#/$defs/"

_MESSAGES: dict[str, dict[str, str]] = {
    "events": {"record": _LOG + "record", "records": "records"},
    "profiles": {"profile": "profile", "gone": "nothing", "optout": "optout"},
    "decisions": {
        "decision": "decision",
        "decisions": "decisions",
        "release": "release",
        "forgotten": "forgotten",
    },
    "offers": {"offer": "offer"},
    "deadletters": {"deadletter": "deadletter"},
    "rules": {"rules": "rules", "change": "change"},
    "checkpoints": {"checkpoint": "checkpoint", "ended": "nothing"},
}
"""Topic -> its messages and the schemas of their values."""


def document(topics: Mapping[str, Topic]) -> Schema:
    """Return the document for topics as `engine.topics.topics` gives them."""
    used = {name for short in topics for name in _MESSAGES[short]}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "touchpoint",
            "version": VERSION,
            "description": "What the roles of touchpoint write to Kafka. Generated: see `touchpoint schema`.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {short: _channel(short, topic) for short, topic in topics.items()},
        "operations": dict(
            operation for short, topic in topics.items() for operation in _operations(short, topic)
        ),
        "components": {
            "messages": {
                name: _message(name, schema, topics[short].key)
                for short, messages in _MESSAGES.items()
                for name, schema in messages.items()
                if name in used
            },
            "schemas": _schemas(),
        },
    }


def _channel(short: str, topic: Topic) -> Schema:
    settings = topic.settings()
    numbers = ("retention.ms", "retention.bytes", "max.message.bytes", "max.compaction.lag.ms", "segment.ms")
    configuration: Schema = {
        name: int(value) if name in numbers else value for name, value in sorted(settings.items())
    }
    configuration["cleanup.policy"] = [topic.cleanup]
    configuration["min.insync.replicas"] = topic.min_isr
    return {
        "address": topic.name,
        "title": short,
        "description": f"{topic.say} {_kept(topic)} {_keyed(topic)}",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _MESSAGES[short]},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "replicas": topic.replication,
                "topicConfiguration": configuration,
                "bindingVersion": BINDING,
            }
        },
    }


def _kept(topic: Topic) -> str:
    if topic.cleanup == "compact":
        return "Compacted: the last message of each key is kept."
    return f"Kept for {topic.retention_ms // HOUR_MS} hours after it was appended."


def _keyed(topic: Topic) -> str:
    if topic.key:
        return f"Key: {topic.key}."
    return "No key: the writer names the partition." if topic.name.count(".events.") else "No key."


def _operations(short: str, topic: Topic) -> list[tuple[str, Schema]]:
    """Who writes and who reads. The document is of all roles together: `send` and `receive` are theirs."""
    channel = {"$ref": f"#/channels/{short}"}
    return [
        (
            f"{word}.{short}",
            {"action": action, "channel": channel, "summary": f"{said} {', '.join(who)}."},
        )
        for word, action, said, who in (
            ("write", "send", "Written by", topic.written_by),
            ("read", "receive", "Read by", topic.read_by),
        )
    ]


def _message(name: str, schema: str, key: str) -> Schema:
    message: Schema = {"name": name, "title": name, "payload": {"$ref": _SCHEMAS + schema}}
    if key:
        bound = {"key": {"type": "string", "description": key}, "bindingVersion": BINDING}
        message["bindings"] = {"kafka": bound}
    return message


def _schemas() -> Schema:
    records = {_LOG + name: _moved(schema) for name, schema in log_schema()["$defs"].items()}
    return {
        **records,
        "records": {
            "title": "records",
            "description": "Records of the log in one message: of one partition, one after the other.",
            "type": "array",
            "items": {"$ref": _SCHEMAS + _LOG + "record"},
            "minItems": 1,
        },
        "profile": profile_schema(),
        "decision": line_schema(),
        "decisions": {**pack_schema(), "items": {"$ref": _SCHEMAS + "decision"}},
        "release": release_schema(),
        "forgotten": forgotten_schema(),
        "optout": optout_schema(),
        "offer": offer_schema(),
        "deadletter": deadletter_schema(),
        "rules": rules_schema(),
        "change": change_schema(),
        "checkpoint": checkpoint_schema(),
        "nothing": {"type": "null", "description": "No value: what the topic held of this key is forgotten."},
    }


def _moved(schema: Any) -> Any:
    """Let references lead to where the schemas stand in the document."""
    if isinstance(schema, dict):
        return {
            name: _SCHEMAS + _LOG + value.removeprefix(_DEFS)
            if name == "$ref" and isinstance(value, str)
            else _moved(value)
            for name, value in schema.items()
        }
    return [_moved(item) for item in schema] if isinstance(schema, list) else schema
