"""`touchpoint history`: what was decided about one subscriber, why, and what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated

import typer

from connectors.kafka_offers import OFFSET
from connectors.kafka_read import offset_since, read_to_end
from connectors.kafka_rules import published_sets
from connectors.redis_deliveries import RedisDeliveries
from connectors.redis_optouts import RedisOptOuts
from connectors.redis_store import RedisStore
from engine.admission import AHEAD_AT_MOST
from engine.care.lines import Story, Told, receipts_from, to_json
from engine.care.standing import Standing, standing
from engine.care.why import why
from engine.cli.console import note, say_json
from engine.cli.explain import describe
from engine.cli.history_view import before, show_decisions, show_subscriber
from engine.cli.inputs import since_when
from engine.cli.lookup import ID_HELP, Whom, find
from engine.cli.need import need_topics
from engine.codec import decode
from engine.collect import partition_of
from engine.deployment.clients import kafka_options, redis_client
from engine.errors import InputError, RulesError, StateError, StoreError
from engine.language.model import Policy, RuleSet
from engine.published import Published, unpack
from engine.settings import Settings, load_settings, require

NOT_FOUND = 1


@dataclass(slots=True)
class Found:
    """All that was found."""

    whom: Whom
    told: list[Told]
    forgotten: int | None
    """When the subscriber was forgotten last, µs."""
    sets: dict[str, Published]
    states: list[Standing] = field(default_factory=list)
    timezone: str | None = None
    """The subscriber's own."""
    opted_out: bool | None = None
    """In the set that the dispatcher asks right before it sends; None: not asked."""


def command(
    subscriber: Annotated[str, typer.Argument(metavar="SUBSCRIBER", help=ID_HELP)],
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Only what was decided since: ISO, µs since 1970, or so long ago: 7d, 12h."
        ),
    ] = None,
    refusals: Annotated[bool, typer.Option(help="Show what was refused, too.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON; times are µs UTC.")] = False,
) -> None:
    """Say what was decided about a subscriber, why, and what became of it: for customer care.

    Decisions come from the topic of decisions, as far back as it is kept; what became of offers from receipts
    in the log and from the dispatcher's ledger. If Redis can be reached, it also says what is known of the
    subscriber now. Nothing is changed. No number is printed.

    Exit code 1: nothing is known of the subscriber.
    """
    settings = load_settings()
    require(settings, "kafka_bootstrap")
    begin = 0 if since is None else since_when("--since", since)
    found = asyncio.run(_gather(settings, subscriber, begin))
    told = [one for one in found.told if refusals or one.line["outcome"] != "refused"]
    if not (told or found.states or found.whom.profiles or found.opted_out):
        who = describe(subscriber)
        note(f"nothing is known of this subscriber ({who}): no decision that is kept, no state")
        if found.forgotten is not None:
            note(before(found.forgotten, found.timezone or Policy().timezone))
        raise typer.Exit(NOT_FOUND)
    rules = _reader(found.sets, settings)
    newest = rules(list(found.sets)[-1]) if found.sets else None
    zone = found.timezone or (newest.policy if newest is not None else Policy()).timezone
    whys = [why(one.line, rules(one.line["rules_hash"])) for one in told]
    if as_json:
        say_json(
            {
                "subscriber_keys": found.whom.keys,
                "timezone": zone,
                "opted_out": found.opted_out,
                "forgotten": found.forgotten,
                "states": [state.to_json() for state in found.states],
                "decisions": [to_json(one, said) for one, said in zip(told, whys, strict=True)],
            }
        )
        return
    show_subscriber(found.whom.keys, found.states, found.opted_out, zone)
    show_decisions(list(zip(told, whys, strict=True)), zone, _places(told, rules), found.forgotten)


async def _gather(settings: Settings, subscriber: str, since: int) -> Found:
    topics = await need_topics(settings, "decisions", "events", "profiles", "rules")
    options = kafka_options(settings)
    whom = await find(settings, options, topics["profiles"], subscriber)
    story = Story(whom.keys, since)
    places = sorted({partition_of(key, settings.partitions) for key in whom.keys})
    for partition in places:
        # a line is never appended before its moment, but for records whose time is ahead of the clock
        begin = since - AHEAD_AT_MOST
        first = await offset_since(options, topics["decisions"], partition, begin) if since else 0
        async for records in read_to_end(options, topics["decisions"], partition, first):
            story.lines(
                (int(dict(record.headers).get(OFFSET, b"0")), record.value)
                for record in records
                if record.value is not None
            )
    for partition in places:
        after = receipts_from(
            told
            for told in story.all()
            if partition_of(told.line["subscriber_key"], settings.partitions) == partition
        )
        if after is None:
            continue
        async for records in read_to_end(options, topics["events"], partition, after):
            story.receipts(record.value for record in records if record.value is not None)
    sets = {p.hash: p for p in await published_sets(options, topics["rules"])}
    found = Found(whom, story.all(), story.forgotten, sets)
    if not settings.redis_url:
        note("TOUCHPOINT_REDIS_URL: not given, so what is known now is not shown")
        return found
    try:
        await _ask_store(settings, found)
    except StoreError as error:
        note(f"what is known now is not shown: {error}")
    return found


async def _ask_store(settings: Settings, found: Found) -> None:
    async with aclosing(redis_client(settings)) as client:
        store = RedisStore(client, settings.partitions)
        deliveries = RedisDeliveries(client)
        for told in found.told:
            if told.sent:
                told.standing = await deliveries.standing(told.line["id"])
        # of a number the set has the hash, which is the number's own key
        found.opted_out = any(await RedisOptOuts(client).holds(found.whom.keys))
        for key in found.whom.keys:
            [blob] = await store.read(partition_of(key, settings.partitions), [key])
            if blob is None:
                continue
            try:
                sub = decode(key, blob)
            except StateError as error:
                note(str(error))
                continue
            found.timezone = found.timezone or sub.timezone
            found.states.append(standing(sub))


def _reader(sets: Mapping[str, Published], settings: Settings) -> Callable[[str], RuleSet | None]:
    """Return what compiles a published set, once; None for one that is gone or can't be read any more."""

    @cache
    def read(name: str) -> RuleSet | None:
        try:
            return unpack(sets[name], settings.home_cc)
        except (KeyError, RulesError, InputError):
            return None

    return read


def _places(told: Sequence[Told], rules: Callable[[str], RuleSet | None]) -> dict[str, str]:
    """Return the names of the places that decisions name, the newest set's last."""
    names: dict[str, str] = {}
    for one in told:
        place, ruleset = one.line["place"], rules(one.line["rules_hash"])
        if place is not None and ruleset is not None and place in ruleset.catalog.places:
            names[place] = ruleset.catalog.places[place].name
    return names
