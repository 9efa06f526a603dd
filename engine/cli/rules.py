"""`touchpoint rules publish, switch, published, history`: sets of rules of a deployment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from connectors.kafka_rules import Publication, Standing, publish, standing
from connectors.kafka_topics import ensure
from engine.candidate import Candidate, check_canary, examine, name_of_author
from engine.changes import Change, compare
from engine.cli.console import note, say, say_json, table
from engine.cli.need import need_topics
from engine.deployment.clients import kafka_access, kafka_options
from engine.deployment.common import now_us, topics_of
from engine.errors import InputError, RulesError, SettingsError
from engine.language.model import RuleSet
from engine.look_back import too_long
from engine.published import Published, pack, unpack
from engine.settings import Settings, load_settings, require

PREFIX_AT_LEAST = 6
"""Hex digits that name a set."""

By = Annotated[str, typer.Option("--by", metavar="NAME", help="Who does it: is kept in the history.")]
CanaryOption = Annotated[
    str | None,
    typer.Option(
        "--canary",
        metavar="P%|PLACE",
        help="Only for a share of subscribers, or for those last seen in a place of the set.",
    ),
]


def publish_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of rules, policy and catalogue.")],
    by: By,
    canary: CanaryOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse warnings of `check`, too.")] = False,
) -> None:
    """Check and test a folder of rules, publish it whole, and have every engine change to it.

    The set goes into the compacted topic of rules under its hash, who changed what beside it, and one
    `rules.switch` record into every partition of the log, all in one transaction: each engine changes exactly
    at that record. On any error the set in force stays. The one before stays
    published: `rules switch` goes back to it.

    With --canary only some subscribers move to the set, and stay with it until the next switch.

    A set whose caps or cooldowns look back further than TOUCHPOINT_DECISIONS_RETENTION_DAYS is refused: after
    a lost Redis it would forget contacts.

    Exit code 0: published; 2: the rules have errors, fail their tests or look back too far, or Kafka can't be
    reached.
    """
    settings = load_settings()
    require(settings, "kafka_bootstrap")
    candidate = examine(folder, by, now_us(), settings.home_cc, strict=strict)
    change = put_into_force(settings, candidate, canary)
    rules = candidate.ruleset.rules.values()
    live = sum(rule.status == "live" for rule in rules)
    say(f"published {len(rules)} rule{'s' * (len(rules) != 1)}, {live} of them live, as {change.change}")
    if candidate.warnings:
        say(f"{len(candidate.warnings)} warnings: touchpoint check {folder}")
    _tell(settings, change)


def put_into_force(settings: Settings, candidate: Candidate, canary: str | None = None) -> Change:
    """Publish a set that passed, and its switches; raise `SettingsError`, `InputError` or `LogError`."""
    _check(settings, candidate.ruleset, canary)
    value = pack(candidate.published)

    async def go() -> Change:
        await ensure(kafka_access(settings), topics_of(settings).values(), create=True)
        return await _change(settings, lambda _: candidate.ruleset, value, candidate.published.by, canary)

    return asyncio.run(go())


def switch_command(
    hash_: Annotated[
        str, typer.Argument(metavar="HASH", help="Of a published set; its first digits will do.")
    ],
    by: By,
    canary: CanaryOption = None,
) -> None:
    """Have every engine change to a set that was published before: back, or from a canary to all.

    Exit code 0: done; 2: no such set, a canary that is none, or Kafka can't be reached.
    """
    settings = load_settings()
    require(settings, "kafka_bootstrap")
    name = name_of_author(by)

    def find(standing: Standing) -> RuleSet:
        rules = unpack(_named(standing.sets, hash_), settings.home_cc)
        _check(settings, rules, canary)
        return rules

    async def go() -> Change:
        await need_topics(settings, "rules", "events")
        return await _change(settings, find, None, name, canary)

    change = asyncio.run(go())
    say(f"changed to {change.change}")
    _tell(settings, change)


def published_command(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the sets of rules that were published, oldest first."""
    found = asyncio.run(_standing(load_settings()))
    if as_json:
        say_json([{"hash": p.hash, "by": p.by, "at": p.at, "files": sorted(p.files)} for p in found.sets])
        return
    if not found.sets:
        say("no rules were published yet")
        return
    rows = [(_moment(p.at), p.by, len(p.files), _role(found, p.hash), p.hash) for p in found.sets]
    table(("at (UTC)", "by", "files", "", "hash"), rows)


def history_command(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """List who changed the rules in force, when, and what changed; oldest first."""
    found = asyncio.run(_standing(load_settings()))
    if as_json:
        say_json([orjson.loads(change.value) for change in found.changes])
        return
    if not found.changes:
        say("no rules were published yet")
    for change in found.changes:
        only = f", only for {change.canary}" if change.canary is not None else ""
        say(f"{_moment(change.at)}  {change.by}: to {change.change}{only}")
        for line in change.lines():
            say(f"  {line}")


def _role(standing: Standing, name: str) -> str:
    """Say what a set is now: `in force`, `canary: 5%`, or nothing."""
    last = standing.changes[-1] if standing.changes else None
    if last is not None and last.canary is not None and name == last.change:
        return f"canary: {last.canary}"
    return "in force" if name == standing.base else ""


async def _standing(settings: Settings) -> Standing:
    require(settings, "kafka_bootstrap")
    topic = (await need_topics(settings, "rules"))["rules"]
    found = await standing(kafka_options(settings), topic)
    if found.unread:
        offsets = ", ".join(map(str, found.unread))
        note(f"topic {topic}: expected sets and changes of rules, was something else at offset {offsets}")
    return found


def _check(settings: Settings, rules: RuleSet, canary: str | None) -> None:
    if problems := too_long(rules, settings.decisions_retention_days):
        raise SettingsError(problems)
    if canary is not None:
        check_canary(canary, rules)


async def _change(
    settings: Settings,
    choose: Callable[[Standing], RuleSet],
    value: bytes | None,
    by: str,
    canary: str | None,
) -> Change:
    def make(found: Standing) -> Publication:
        rules, before, at = choose(found), found.base, now_us()
        if canary is not None and before in (None, rules.hash):
            was = "none: publish one for all first" if before is None else "this one"
            raise InputError("--canary", "another set in force, which all others keep", was)
        known = _compiled(next((one for one in found.sets if one.hash == before), None), settings)
        change = Change(rules.hash, before, by, at, canary, *compare(known, rules))
        fields = {"kind": "rules.switch", "t": at, "hash": rules.hash, "by": by}
        record = orjson.dumps(fields if canary is None else {**fields, "canary": canary})
        return Publication(change, value, [(partition, record) for partition in range(settings.partitions)])

    return await publish(kafka_options(settings), settings.topic_prefix, make)


def _compiled(published: Published | None, settings: Settings) -> RuleSet | None:
    try:
        return None if published is None else unpack(published, settings.home_cc)
    except (RulesError, InputError):
        return None  # of a version whose rules are read no more


def _named(sets: list[Published], name: str) -> Published:
    found = [one for one in sets if one.hash.startswith(name.lower())]
    if len(name) < PREFIX_AT_LEAST or len(found) != 1:
        was = f"{name} ({len(found)} of them)" if len(name) >= PREFIX_AT_LEAST else name
        raise InputError(
            "HASH", f"a set of `rules published`, by at least {PREFIX_AT_LEAST} of its digits", was
        )
    return found[0]


def _tell(settings: Settings, change: Change) -> None:
    for line in change.lines():
        say(f"  {line}")
    who = "every engine changes to them" if change.canary is None else f"{change.canary} move to them"
    say(f"{who} at the switch in its partition ({settings.partitions} of them)")


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1e6, UTC):%Y-%m-%d %H:%M:%S}"
