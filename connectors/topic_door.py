"""Somebody else's Kafka topic as a feeds file asks for it."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.door import Door, House, Mistake
from connectors.foreign_topic import ForeignTopic
from engine.options import REQUIRED, Options, option


class TopicOptions(Options):
    """Of a foreign topic."""

    topic: str = option(
        REQUIRED,
        "the name of a topic (1 to 249 of the characters a-z A-Z 0-9 . _ -)",
        "Topic of somebody else, with JSON: a record or an array of records per message.",
        pattern=r"^[a-zA-Z0-9._-]{1,249}$",
    )
    bootstrap: str = option(
        "",
        "brokers as host:port,host:port",
        "Brokers of this topic, where they are not those of `KAFKA_BOOTSTRAP`; security is the same.",
        pattern=r"^$|^[^\s,]+:[0-9]{1,5}(,[^\s,]+:[0-9]{1,5})*$",
    )


def make(name: str, options: TopicOptions, columns: object, house: House) -> ForeignTopic:
    """Return the source."""
    servers = options.bootstrap.split(",") if options.bootstrap else None
    kafka = {**house.kafka, "bootstrap_servers": servers} if servers else house.kafka
    return ForeignTopic(name, options.topic, kafka)


def look(options: TopicOptions, house: House) -> Iterator[Mistake]:
    """Refuse our own topics: read in again, what is written there would be written again, without end."""
    if options.topic in house.topics:
        yield Mistake(
            "topic", "the topic of somebody else", f"`{options.topic}`, which this deployment makes itself"
        )


DOOR: Door[TopicOptions] = Door(
    say="A Kafka topic of somebody else.",
    options=TopicOptions,
    make=make,
    claims=lambda options: (f"topic {options.topic} of {options.bootstrap or 'our own brokers'}",),
    look=look,
    shown=lambda options: options.topic + (f" at {options.bootstrap}" if options.bootstrap else ""),
)
