"""Which topic a name stands for: Kafka gives each topic an id, and one made anew gets another.

aiokafka asks for metadata as brokers of 2018 give them, without ids (0.14.0: up to version 5). So the request
of Kafka 2.8 and later (KIP-516) stands here, built of aiokafka's own parts. Fields: MetadataRequest.json and
MetadataResponse.json, version 11, in Kafka's sources.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import for_code
from aiokafka.protocol.abstract import AbstractType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.types import (
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from connectors.kafka_start import started

METADATA: Final = 3
VERSION: Final = 11
UNKNOWN: Final = bytes(16)
"""What a cluster says that gives no ids: one that was upgraded half."""


@dataclass(frozen=True, slots=True)
class TopicFound:
    """A topic that is there."""

    id: str
    """As Kafka's own tools show it, 22 characters; empty if the brokers are older than 2.8."""
    partitions: frozenset[int]


class _Uuid(AbstractType):  # type: ignore[misc]
    """Sixteen bytes; all zero: none."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


class _Answer(Response):  # type: ignore[misc]
    API_KEY = METADATA
    API_VERSION = VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString()),
                ("port", Int32),
                ("rack", CompactString()),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString()),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", CompactString()),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class _Question(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = METADATA
    API_VERSION = VERSION
    RESPONSE_TYPE = _Answer
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(("topic_id", _Uuid), ("topic", CompactString()), ("tags", TaggedFields)),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _Ask(Request[_Question]):  # type: ignore[misc]
    API_KEY = METADATA

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: Any) -> Any:
        """Make the request; asking does not make a topic that is missing."""
        return request_struct_class([(UNKNOWN, self._topic, {})], False, False, {})


async def find_topic(options: Mapping[str, Any], topic: str) -> TopicFound:
    """Return a topic's id and partitions; raise its KafkaError if there is no such topic."""
    async with started(AIOKafkaClient(**options)) as client:
        node = client.get_random_node()
        try:
            answer = await client.send(node, _Ask(topic))
        except NotImplementedError:  # the broker has no request of this version
            answer = await client.send(node, MetadataRequest([topic], allow_auto_topic_creation=False))
    [found] = answer.to_object()["topics"]
    if found["error_code"]:
        raise for_code(found["error_code"])(topic)
    raw = found.get("topic_id", UNKNOWN)
    return TopicFound(
        "" if raw == UNKNOWN else urlsafe_b64encode(raw).decode().rstrip("="),
        frozenset(part["partition"] for part in found["partitions"]),
    )
