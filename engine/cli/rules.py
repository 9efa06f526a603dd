"""`touchpoint rules publish` and `touchpoint rules published`: sets of rules of a deployment."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from connectors.kafka_rules import publish, published_sets
from connectors.kafka_topics import ensure
from engine.cli.console import say, say_json, table
from engine.cli.need import need_topics
from engine.deployment.clients import kafka_access, kafka_options
from engine.deployment.common import now_us, topics_of
from engine.errors import InputError, SettingsError
from engine.look_back import too_long
from engine.published import Published, pack
from engine.settings import load_settings, require

BY_AT_MOST = 200


def publish_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of rules, policy and catalogue.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who publishes: is kept with the set.")],
) -> None:
    """Check a folder of rules, publish it whole, and have every engine change to it.

    The set goes into the compacted topic of rules under its hash, and one `rules.switch` record into every
    partition of the log, all in one transaction: each engine changes exactly at that record, and a replay
    does as well. The one before stays published: going back is publishing its folder again.

    A set whose caps or cooldowns look back further than TOUCHPOINT_DECISIONS_RETENTION_DAYS is refused: after
    a lost Redis it would forget contacts.

    Exit code 0: published; 2: the rules have errors or look back too far, or Kafka can't be reached.
    """
    settings = load_settings()
    require(settings, "kafka_bootstrap")
    if not 1 <= len(by.strip()) <= BY_AT_MOST:
        raise InputError("--by", f"a name of 1 to {BY_AT_MOST} characters", by)
    now = now_us()
    ruleset, value = pack(folder, by.strip(), now, settings.home_cc)
    if problems := too_long(ruleset, settings.decisions_retention_days):
        raise SettingsError(problems)
    record = orjson.dumps({"kind": "rules.switch", "t": now, "hash": ruleset.hash, "by": by.strip()})
    switches = [(partition, record) for partition in range(settings.partitions)]

    async def go() -> None:
        await ensure(kafka_access(settings), topics_of(settings).values(), create=True)
        await publish(kafka_options(settings), settings.topic_prefix, ruleset.hash, value, switches)

    asyncio.run(go())
    live = sum(rule.status == "live" for rule in ruleset.rules.values())
    say(f"published {len(ruleset.rules)} rules, {live} of them live, as {ruleset.hash}")
    say(f"every engine changes to them at the switch in its partition ({settings.partitions} of them)")


def published_command(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the sets of rules that were published, oldest first."""
    settings = load_settings()
    require(settings, "kafka_bootstrap")

    async def go() -> list[Published]:
        topics = await need_topics(settings, "rules")
        return await published_sets(kafka_options(settings), topics["rules"])

    found = asyncio.run(go())
    if as_json:
        say_json([{"hash": p.hash, "by": p.by, "at": p.at, "files": sorted(p.files)} for p in found])
        return
    if not found:
        say("no rules were published yet")
        return
    table(
        ("at (UTC)", "by", "files", "hash"),
        [
            (f"{datetime.fromtimestamp(p.at / 1e6, UTC):%Y-%m-%d %H:%M:%S}", p.by, len(p.files), p.hash)
            for p in found
        ],
    )
