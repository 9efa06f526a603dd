"""`touchpoint verify`: the recorded log folded once more, and held against what live has decided."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import orjson
import typer

from connectors.kafka_log import KafkaLog
from connectors.kafka_offers import KafkaOffers
from connectors.kafka_rules import Standing, standing
from connectors.memory_store import MemoryStore
from engine.cli.console import note, progress, say, say_json, table, unwritable
from engine.cli.need import need_topics
from engine.deployment.clients import kafka_options
from engine.deployment.engine import NO_RULES
from engine.errors import InputError, LogError, RulesError
from engine.identity import Identity
from engine.intake import Intake
from engine.language.model import Policy
from engine.pipeline import Fold
from engine.published import unpack
from engine.rulebook import Rulebook
from engine.settings import Settings, load_settings, require
from engine.verify import Difference, Verdict, verify

SHOWN = 20
DIFFERENT = 1


def command(
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write each difference there, as JSON lines.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON; times are µs UTC.")] = False,
) -> None:
    """Fold the log of a deployment once more and hold each decision against the one that was made.

    Each partition from its oldest record up to the engine's last mark, by the sets that were published; it
    follows every switch of rules, also canaries. Nothing is written to Kafka or Redis. One partition's
    subscribers are in memory at a time. If older records have left the log, decisions of the first 48 hours
    may differ for want of them: these are counted apart.

    Exit code 0: all are equal; 1: some differ.
    """
    settings = load_settings()
    require(settings, "kafka_bootstrap")
    differences: list[Difference] = []
    with ExitStack() as stack:
        file = None
        if out is not None:
            try:
                file = stack.enter_context(out.open("wb"))
            except OSError as error:
                raise unwritable(out, "a file", error) from None

        def tell(one: Difference) -> None:
            if len(differences) < SHOWN:
                differences.append(one)
            if file is not None:
                file.write(orjson.dumps(asdict(one), option=orjson.OPT_APPEND_NEWLINE))

        verdicts, zone = asyncio.run(_verify(settings, tell))
    if as_json:
        say_json({"partitions": [asdict(one) for one in verdicts]})
    else:
        show(verdicts, differences, ZoneInfo(zone))
        if out is not None:
            say(f"\nwritten: {out}")
    if any(one.different for one in verdicts):
        raise typer.Exit(DIFFERENT)


async def _verify(settings: Settings, tell: Callable[[Difference], None]) -> tuple[list[Verdict], str]:
    topics = await need_topics(settings, "events", "decisions", "profiles", "rules")
    options = kafka_options(settings)
    known = await standing(options, topics["rules"])
    books = Books(known, settings)
    offers = KafkaOffers(options, settings.topic_prefix)
    verdicts = []
    async with reading(settings, options, topics["events"]) as log:
        total = sum([await left(log, partition) for partition in range(settings.partitions)])
        with progress("folding", total) as advance:
            done = 0

            def on(count: int) -> None:
                nonlocal done
                done += count
                advance(done, f"{done:,} records")

            for partition in range(settings.partitions):
                verdict = await verify(
                    partition,
                    log,
                    offers,
                    MemoryStore(settings.partitions),
                    Intake(Identity(settings.key_bytes, settings.home_cc)),
                    books.fold,
                    begin_with=lambda at, partition=partition: books.note(at, partition),  # type: ignore[misc]
                    sampled=settings.refusals_every > 1,
                    advance=on,
                    tell=tell,
                )
                if verdict is not None:
                    verdicts.append(verdict)
    return verdicts, books.timezone


@asynccontextmanager
async def reading(settings: Settings, options: Mapping[str, Any], topic: str) -> AsyncIterator[KafkaLog]:
    """Give the log with the engine's marks, without taking part in its group."""
    log = KafkaLog(options, topic, settings.partitions, f"{settings.topic_prefix}.engine")
    try:
        await log.assign(range(settings.partitions))
        yield log
    finally:
        await log.close()


async def left(log: KafkaLog, partition: int) -> int:
    """Return how many offsets there are to fold."""
    mark = await log.marked(partition)
    return 0 if mark is None else max(mark.offset - await log.start(partition), 0)


class Books:
    """The published sets, compiled once each."""

    def __init__(self, known: Standing, settings: Settings) -> None:
        self._sets = {one.hash: one for one in known.sets}
        self._changes = known.changes
        self._settings = settings
        self._books: dict[str, Rulebook] = {
            NO_RULES.hash: Rulebook(NO_RULES, settings.key_bytes),
        }

    @property
    def timezone(self) -> str:
        """That of the newest set that can be read."""
        for name in reversed(self._sets):
            with suppress(KeyError):
                return self.book(name).rules.policy.timezone
        return Policy().timezone

    def book(self, name: str) -> Rulebook:
        """Return a set; raise KeyError if it was not published, or can't be compiled any more."""
        if name not in self._books:
            try:
                ruleset = unpack(self._sets[name], self._settings.home_cc)
            except (RulesError, InputError) as error:
                note(f"rules {name} can't be compiled any more: {error}")
                raise KeyError(name) from error
            self._books[name] = Rulebook(ruleset, self._settings.key_bytes)
        return self._books[name]

    def fold(self, name: str | None) -> Fold:
        """Make a fold that begins with a set."""
        try:
            book = self.book(name or NO_RULES.hash)
        except KeyError:
            raise LogError(f"rules {name}: expected to be among the published, was not found") from None
        return Fold(book, self._settings.salt_bytes, books=self.book)

    def note(self, at: int, partition: int) -> str:
        """Return the note of a mark (`engine.lane_state.note_of`) with what was in force at a time, µs."""
        last = None
        for change in self._changes:
            if change.at <= at:
                last = change
        if last is None:
            return "{}"
        if last.canary is None:
            return orjson.dumps({"rules": last.change}).decode()
        # its switch is not in the log: a share is in force all the same, who was in a place is not known
        canary = {"hash": last.change, "canary": last.canary, "mark": f"{partition}:-1"}
        return orjson.dumps({"rules": last.before, "canary": canary}).decode()


def show(verdicts: list[Verdict], differences: list[Difference], zone: ZoneInfo) -> None:
    """Print what came of it."""
    if not verdicts:
        say("nothing was decided yet: the engine has left no mark in the log")
        return
    head = ("partition", "records", "decisions", "equal", "different", "uncertain")
    table(head, [(v.partition, v.records, v.decisions, v.equal, v.different, v.uncertain) for v in verdicts])
    if any(one.since for one in verdicts):
        say("\nuncertain: older records have left the log, and these were decided in its first 48 hours")
    if sampled := sum(one.sampled for one in verdicts):
        say(f"\n{sampled:,} refusals more: the engine keeps only some (TOUCHPOINT_REFUSALS_EVERY)")
    if differences:
        say("\nthe first that differ:")
    for one in differences:
        say(
            f"  {datetime.fromtimestamp(one.at / 1e6, zone):%Y-%m-%d %H:%M:%S}  {one.rule}  {one.id}  "
            f"live: {_said(one.live, one.again)}; again: {_said(one.again, one.live)}"
            f"{' (uncertain)' if one.uncertain else ''}"
        )
    say()
    decisions, equal = sum(one.decisions for one in verdicts), sum(one.equal for one in verdicts)
    say(f"{equal:,} of {decisions:,} decisions are the same once more")


def _said(one: Any, other: Any) -> str:
    if one is None:
        return "none"
    reason = f" ({one['reason']})" if one["reason"] else ""
    if other is None or any(one[name] != other[name] for name in ("outcome", "reason")):
        return f"{one['outcome']}{reason}"
    if one["rules_hash"] != other["rules_hash"]:
        return f"{one['outcome']}{reason} by {one['rules_hash'][:8]}"
    return f"{one['outcome']}{reason}, other text or values"
