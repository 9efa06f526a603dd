"""`touchpoint explain --live`: a subscriber as a deployment's Redis holds them now. Nothing is written."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import typer

from connectors.kafka_rules import published_sets
from connectors.redis_store import RedisStore
from engine.canary import set_of
from engine.cli.console import note, say, say_json, table
from engine.cli.explain import describe, keys_of, named_rule
from engine.cli.explain_view import show_live, show_person
from engine.cli.inputs import load_rules
from engine.cli.lookup import EXPECTED, find
from engine.cli.need import need_topics
from engine.codec import decode
from engine.collect import partition_of
from engine.deployment.clients import kafka_options, opened_redis
from engine.errors import InputError, RulesError
from engine.identity import Identity
from engine.language.model import RuleSet
from engine.published import Published, unpack
from engine.rulebook import Rulebook
from engine.settings import Settings, load_settings, require
from engine.snapshot import Subscriber
from engine.trace.live import LiveState, LiveStory
from engine.trace.words import say_time

NOT_FOUND = 1


@dataclass(slots=True)
class Found:
    """What Redis and Kafka have of one subscriber."""

    subs: list[Subscriber]
    partition: int
    offset: int
    """Of the next record that the engine folds there."""
    lane: bytes
    sets: dict[str, Published] = field(default_factory=dict)

    @property
    def in_force(self) -> str:
        """Hash of the rules by which the subscriber is folded: the partition's, or those of its canary."""
        lane = orjson.loads(self.lane)
        canary = lane.get("canary")
        if canary is not None and self.subs[0].rules == f"{canary['hash']}@{canary['mark']}":
            return str(canary["hash"])
        return str(lane["rules"])

    @property
    def canary(self) -> str:
        """Say so if the partition has a canary; else nothing."""
        canary = orjson.loads(self.lane).get("canary")
        if canary is None:
            return ""
        side = "on it" if self.in_force == canary["hash"] else "not on it"
        return f"{canary['canary']} on {canary['hash']}; the subscriber is {side}"


def explain_live(subscriber: str, rules: Path | None, rule: str | None, as_json: bool) -> None:
    """Tell a live subscriber; leave with 1 if there is no state of them."""
    settings = load_settings()
    require(settings, "redis_url", *(("kafka_bootstrap",) if rules is None else ()))
    own = None if rules is None else load_rules(rules, settings)
    found = asyncio.run(_gather(settings, subscriber))
    if not found.subs:
        note(_absent(settings, found, subscriber))
        raise typer.Exit(NOT_FOUND)
    sub = found.subs[0]
    if len(found.subs) > 1:
        note(f"the number itself has a state, too: explain --live {found.subs[1].key}")
    in_force, canary = found.in_force, found.canary
    ruleset = own if own is not None else _published(found, in_force, settings)
    if own is not None and own.hash != in_force:
        note(
            f"another set is in force: {in_force}{_who(found.sets.get(in_force))}. Shown is how "
            f"{rules} ({own.hash}) would find the subscriber after a switch to it"
        )
    named_rule(rule, ruleset.rules, "the set in force" if rules is None else str(rules))
    sub.rules = set_of(sub.rules)
    older = _older(sub.rules, ruleset.hash, found, settings)
    state = LiveState(
        Rulebook(ruleset, settings.key_bytes), settings.salt_bytes, sub, found.lane, older=older
    )
    told = [story for story in state.stories() if rule is None or story.rule == rule]
    if as_json:
        say_json({**_as_json(found, state, ruleset, told), "in_force": in_force, "canary": canary or None})
        return
    who = state.person()
    show_person(who, ruleset.catalog)
    say(f"rules       {ruleset.hash}{_who(found.sets.get(ruleset.hash))}")
    if canary:
        say(f"canary      {canary}")
    say(f"log         partition {found.partition}, folded up to offset {found.offset}")
    if len(told) > 1:
        say()
        table(("rule", "matched in 48h", "contacts"), [(s.rule, s.matched, len(s.contacts)) for s in told])
    for story in told:
        show_live(story, who.timezone)
    note("records of data.* and loc.* are seen as far as rules look back; for what was decided: history")


async def _gather(settings: Settings, subscriber: str) -> Found:
    """Read all there is. Only commands that read are sent to Redis."""
    sets: dict[str, Published] = {}
    if settings.kafka_bootstrap:
        topics = await need_topics(settings, "profiles", "rules")
        options = kafka_options(settings)
        keys = list((await find(settings, options, topics["profiles"], subscriber)).keys)
        sets = {published.hash: published for published in await published_sets(options, topics["rules"])}
    else:
        keys = keys_of(Identity(settings.key_bytes, settings.home_cc), subscriber)
        if not keys:
            raise InputError("SUBSCRIBER", EXPECTED, describe(subscriber))
        if subscriber.startswith("+"):
            note("TOUCHPOINT_KAFKA_BOOTSTRAP: not given, so the number is not looked up among the profiles")
    partition = partition_of(keys[0], settings.partitions)
    async with opened_redis(settings) as client:
        store = RedisStore(client, settings.partitions)
        lanes = await store.lanes()
        subs: list[Subscriber] = []
        for key in keys:
            place = partition_of(key, settings.partitions)
            [blob] = await store.read(place, [key])
            if blob is not None and place in lanes:
                if not subs:
                    partition = place
                subs.append(decode(key, blob))
    offset, lane = lanes.get(partition, (0, b""))
    return Found(subs, partition, offset, lane, sets)


def _absent(settings: Settings, found: Found, subscriber: str) -> str:
    who = f"no state of this subscriber ({describe(subscriber)}) in partition {found.partition}"
    if not found.lane:
        return f"{who}: no engine has committed anything there (TOUCHPOINT_PARTITIONS={settings.partitions})"
    return f"{who}, folded up to offset {found.offset}: no record of them came, or none that still counts"


def _published(found: Found, name: str, settings: Settings) -> RuleSet:
    if name not in found.sets:
        raise InputError("the topic of rules", f"the set in force, {name} (or give --rules DIR)", "not there")
    return unpack(found.sets[name], settings.home_cc)


def _older(name: str, own: str, found: Found, settings: Settings) -> Rulebook | None:
    """Compile the set for which a state was armed, if it is another and can be had."""
    if name == own or name not in found.sets:
        return None
    try:
        return Rulebook(unpack(found.sets[name], settings.home_cc), settings.key_bytes)
    except (RulesError, InputError):
        return None  # a later version of the language reads it no more: all patterns are seen as new


def _who(published: Published | None) -> str:
    if published is None:
        return ""
    return f", published by {published.by} {say_time(published.at, 'UTC')} UTC"


def _as_json(found: Found, state: LiveState, ruleset: RuleSet, told: list[LiveStory]) -> dict[str, Any]:
    return {
        **state.person().to_json(),
        "partition": found.partition,
        "offset": found.offset,
        "rules_hash": ruleset.hash,
        "rules": [story.to_json() for story in told],
    }
