"""Whom a command is about, and what the topics of a deployment hold of one subscriber."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from connectors.kafka_bindings import KafkaBindings
from connectors.kafka_read import read_to_end
from engine.cli.explain import describe
from engine.collect import partition_of
from engine.errors import InputError
from engine.identity import Identity
from engine.numbers import is_hash
from engine.settings import Settings

ID_HELP = "IMSI, + and MSISDN, the feed's own id, or a subscriber key."
EXPECTED = "15 digits of an IMSI, + and the digits of a number, a feed's own id, or a subscriber key"


@dataclass(frozen=True, slots=True)
class Whom:
    """A subscriber: under which keys records of them are."""

    key: str
    own: str | None = None
    """Key of their number itself: for records from before a profile bound it."""
    profiles: Mapping[str, bytes] = field(default_factory=dict)
    """Key -> the profile as the topic has it; forgotten ones and those without are not in it."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Both, the subscriber's first."""
        return (self.key,) if self.own is None else (self.key, self.own)


async def find(settings: Settings, options: Mapping[str, Any], topic: str, subscriber: str) -> Whom:
    """Find the keys of a subscriber. `topic`: full name of the topic of profiles.

    A number is that of whoever a profile binds it to; all profiles are read for that. Raise `InputError` if
    it is none of the ways to name a subscriber; the message does not repeat it.
    """
    identity = Identity(settings.key_bytes, settings.home_cc)
    own = None
    if subscriber.startswith("+"):
        number = identity.e164(subscriber)
        if number is not None:
            own = identity.hash_number(number)
            await _bind(identity, options, settings.topic_prefix)
    key = subscriber if is_hash(subscriber) else identity.of_subscriber(subscriber)
    if key is None:
        raise InputError("SUBSCRIBER", EXPECTED, describe(subscriber))
    profiles = {}
    found = await profile_of_key(options, topic, key, settings.partitions)
    if found is not None:
        profiles[key] = found
        number = orjson.loads(found)["msisdn"]
        own = own or (identity.hash_number(number) if number else None)
    if own == key:
        own = None
    if own is not None:
        found = await profile_of_key(options, topic, own, settings.partitions)
        if found is not None:
            profiles[own] = found
    return Whom(key, own, profiles)


async def profile_of_key(options: Mapping[str, Any], topic: str, key: str, partitions: int) -> bytes | None:
    """Return the profile that the topic has of a key now; None: forgotten, or there never was one."""
    found: bytes | None = None
    name = key.encode()
    async for records in read_to_end(options, topic, partition_of(key, partitions)):
        for record in records:
            if record.key == name:
                found = record.value
    return found or None


async def _bind(identity: Identity, options: Mapping[str, Any], prefix: str) -> None:
    bindings = KafkaBindings(options, prefix)
    try:
        await bindings.load(identity)
    finally:
        await bindings.close()
