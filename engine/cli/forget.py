"""`touchpoint forget`: everything that is known of one subscriber goes; that they want no messages stays."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from contextlib import aclosing
from typing import Annotated, Any

import orjson
import typer

from connectors.kafka_inlet import KafkaInlet
from connectors.kafka_read import end_of, read_to_end
from connectors.redis_optouts import RedisOptOuts
from connectors.redis_scripts import Client
from connectors.redis_secrets import wrong_secrets
from connectors.redis_store import RedisStore
from engine.cli.console import note, say
from engine.cli.lookup import ID_HELP, Whom, find
from engine.cli.need import need_topics
from engine.codec import decode
from engine.collect import partition_of
from engine.deployment.clients import kafka_options, redis_client
from engine.deployment.common import key_of, now_us
from engine.errors import SettingsError, StateError
from engine.identity import Identity
from engine.outbox import opted, profile_of
from engine.ports import PROFILE
from engine.settings import Settings, load_settings, require

NOT_DONE = 1
LOOK_SECONDS = 0.25
"""Between two looks at whether the engine has done it."""
STAYS = """\
what stays: decisions that were made, under the keyed hash that names nobody, until their retention
({days} days); records of the log until theirs ({hours} hours); an opt-out, as the hash of the number"""


def command(
    subscriber: Annotated[str, typer.Argument(metavar="SUBSCRIBER", help=ID_HELP)],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="How long to wait until engines have done it.")
    ] = 60,
) -> None:
    """Forget a subscriber: state, profile with its number, contacts and holds.

    One `subscriber.forget` record goes into the log for each key they have: that of the IMSI, and that of the
    number itself. The engine then removes the state and the profile; this waits until it has. Whoever opted
    out stays opted out: the hash of the number is put among the opt-outs first. Decisions that were made stay
    until their retention, under a keyed hash; what the network sees of the subscriber from now on begins a
    new state.

    Exit code 1: you said no, or engines have not done it in time (they will once they run).
    """
    settings = load_settings()
    require(settings, "kafka_bootstrap", "redis_url")
    if not yes and not typer.confirm("Forget everything that is known of this subscriber?", err=True):
        note("nothing was done")
        raise typer.Exit(NOT_DONE)
    if not asyncio.run(_forget(settings, subscriber, wait)):
        note(f"it is in the log, but engines have not done it within {wait:g} s: they will once they run")
        raise typer.Exit(NOT_DONE)
    say(STAYS.format(days=settings.decisions_retention_days, hours=settings.events_retention_hours))


async def _forget(settings: Settings, subscriber: str, wait: float) -> bool:
    topics = await need_topics(settings, "checkpoints", "deadletters", "events", "profiles")
    options = kafka_options(settings)
    whom = await find(settings, options, topics["profiles"], subscriber)
    async with aclosing(redis_client(settings)) as client:
        if wrong := await wrong_secrets(client, key_of(settings)):
            raise SettingsError(wrong)
        store = RedisStore(client, settings.partitions)
        before = await _states(store, whom, settings.partitions)
        kept = await _keep_opt_outs(settings, client, whom, before)
        if kept:
            say("opted out: stays so, by the hash of the number")
        ends = {
            key: await end_of(options, topics["profiles"], partition_of(key, settings.partitions))
            for key in whom.keys
        }
        await _append(settings, options, whom)
        say(f"in the log: subscriber.forget for {len(whom.keys)} key{'s' if len(whom.keys) > 1 else ''}")
        until = time.monotonic() + wait
        left = dict(ends)
        while left:
            for key, end in list(left.items()):
                if await _is_gone(options, topics["profiles"], key, settings.partitions, end):
                    del left[key]
            if left:
                if time.monotonic() >= until:
                    return False
                await asyncio.sleep(LOOK_SECONDS)
        # the tombstone is published after the commit that has removed the state
        after = await _states(store, whom, settings.partitions)
    new = any(blob is not None for blob in after.values())
    known = any(blob is not None for blob in before.values()) or bool(whom.profiles)
    say("done: state and profile are removed" if known else "done: there was neither state nor profile")
    if new:
        say("a new state has begun since: records of the subscriber keep coming")
    return True


async def _states(store: RedisStore, whom: Whom, partitions: int) -> dict[str, bytes | None]:
    return {key: (await store.read(partition_of(key, partitions), [key]))[0] for key in whom.keys}


async def _keep_opt_outs(
    settings: Settings, client: Client, whom: Whom, states: Mapping[str, bytes | None]
) -> bool:
    """Put who wants no marketing among the opt-outs; False if that holds for nobody here.

    Profiles are as old as their last publication, states as the last commit: a no in either counts.
    """
    identity = Identity(settings.key_bytes, settings.home_cc)
    now = now_us()
    adds: dict[str, int] = {}
    entries = [{PROFILE + key: profile} for key, profile in whom.profiles.items()]
    for key, blob in states.items():
        if blob is None:
            continue
        try:
            entries.append({PROFILE + key: profile_of(decode(key, blob), now)})
        except StateError as error:
            note(str(error))
    for entry in entries:
        adds.update(opted(entry, identity.hash_number)[0])
    if adds and whom.own is not None:
        # said under any of its keys, it holds for the number
        adds.setdefault(whom.own, max(adds.values()))
    if adds:
        await RedisOptOuts(client, replicas=settings.redis_wait).add(adds)
    return bool(adds)


async def _append(settings: Settings, options: Mapping[str, Any], whom: Whom) -> None:
    """Write the records: all of them or none."""
    now = now_us()
    batch = [
        (
            partition_of(key, settings.partitions),
            orjson.dumps(
                {"kind": "subscriber.forget", "t": now, "subscriber_key": key, "source": "touchpoint forget"}
            ),
        )
        for key in whom.keys
    ]
    source = f"forget-{secrets.token_hex(8)}"
    inlet = KafkaInlet(options, settings.topic_prefix, source, settings.partitions)
    try:
        await inlet.resume()
        await inlet.append(batch, b"")
    finally:
        await inlet.close()


async def _is_gone(options: Mapping[str, Any], topic: str, key: str, partitions: int, since: int) -> bool:
    """Say whether the profile of a key was removed since an offset."""
    name = key.encode()
    async for records in read_to_end(options, topic, partition_of(key, partitions), since):
        if any(record.key == name and not record.value for record in records):
            return True
    return False
