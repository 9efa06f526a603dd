"""Somebody else's Kafka topic as a feeds file asks for it."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.door import Door, House, Mistake
from connectors.field_map import FieldMap, load_field_map, read_field_map
from connectors.foreign_topic import ForeignTopic
from connectors.registry_options import RegistryOptions, schemas_of
from engine.errors import InputError
from engine.options import REQUIRED, Options, option


class TopicOptions(Options):
    """Of a foreign topic."""

    topic: str = option(
        REQUIRED,
        "the name of a topic (1 to 249 of the characters a-z A-Z 0-9 . _ -)",
        "Topic of somebody else; `map` says how its messages become records, without it they are records.",
        pattern=r"^[a-zA-Z0-9._-]{1,249}$",
        stand_in="-",
    )
    bootstrap: str = option(
        "",
        "brokers as host:port,host:port",
        "Brokers of this topic, where they are not those of `KAFKA_BOOTSTRAP`; security is the same.",
        pattern=r"^$|^[^\s,]+:[0-9]{1,5}(,[^\s,]+:[0-9]{1,5})*$",
    )
    registry: RegistryOptions | None = option(
        None,
        "keys of a schema registry",
        "Schema registry of those who write the topic: messages are Avro, Protobuf or JSON by its schemas. "
        "Without it they are JSON.",
    )


def make(name: str, options: TopicOptions, fields: FieldMap | None, house: House) -> ForeignTopic:
    """Return the source; raise InputError for a registry that can't be used as it is."""
    servers = options.bootstrap.split(",") if options.bootstrap else None
    kafka = {**house.kafka, "bootstrap_servers": servers} if servers else house.kafka
    schemas = None if options.registry is None else schemas_of(options.registry.access())
    return ForeignTopic(name, options.topic, kafka, fields=fields, schemas=schemas)


def look(options: TopicOptions, house: House) -> Iterator[Mistake]:
    """Refuse our own topics: read in again, what is written there would be written again, without end.

    Say, too, what keeps the registry from being asked: an extra, a secret, a certificate that is missing.
    """
    if options.topic in house.topics:
        yield Mistake(
            "topic", "the topic of somebody else", f"`{options.topic}`, which this deployment makes itself"
        )
    try:
        if options.registry is not None:
            schemas_of(options.registry.access())
    except InputError as error:
        yield Mistake("registry", error.expected, str(error.was))


DOOR: Door[TopicOptions] = Door(
    say="A Kafka topic of somebody else.",
    options=TopicOptions,
    make=make,
    load_map=load_field_map,
    read_map=read_field_map,
    map_kinds=lambda fields: frozenset(fields.kinds),
    claims=lambda options: (f"topic {options.topic} of {options.bootstrap or 'our own brokers'}",),
    claimed_by=frozenset({"topic", "bootstrap"}),
    look=look,
    shown=lambda options: options.topic + (f" at {options.bootstrap}" if options.bootstrap else ""),
)
