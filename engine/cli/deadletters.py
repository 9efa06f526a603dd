"""`touchpoint deadletters`: what was refused, and the way back into the log for what can be saved."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from heapq import nlargest, nsmallest
from typing import Annotated, Any

import typer

from connectors.kafka_bindings import KafkaBindings
from connectors.kafka_inlet import KafkaInlet
from connectors.kafka_read import read_to_end
from engine.care.letters import Chosen, Home, Letter, home_of, read_letter
from engine.care.requeue import Requeue
from engine.cli.console import note, say, say_json, table
from engine.cli.inputs import since_when
from engine.cli.need import need_topics
from engine.deployment.clients import kafka_options
from engine.deployment.common import now_us
from engine.deployment.feeds.again import Way, Ways
from engine.errors import InputError, LogError
from engine.identity import Identity
from engine.settings import Settings, load_settings, require
from engine.topics import DEADLETTERS_PARTITIONS

LEFT = 1
_PLACE = re.compile(r"[^\n]+:[0-9]+(#[0-9]+)?")
"""Of a letter, or of a record as letters name it: FILE:LINE, PARTITION:OFFSET, its number in an array."""
Found = tuple[Letter, Home, Way]
"""A letter, where its record is, and how it is read."""
BATCH = 500
"""Letters whose records go into the log in one transaction."""

Reason = Annotated[str, typer.Option(metavar="NAME", help="Only refused for this reason: type, identity, …")]
Source = Annotated[str, typer.Option(metavar="NAME", help="Only records of this source.")]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only refused since: ISO, µs, or so long ago: 2h.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON; times are µs UTC.")]


def list_command(
    reason: Reason = "",
    source: Source = "",
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest first: records that were refused, why, and whether they can be requeued.

    Numbers of nine digits and more are hidden in them. They are kept for 48 hours.
    """
    settings = load_settings()
    require(settings, "kafka_bootstrap")
    chosen = Chosen(reason, source, _since(since))
    count, letters, _ = asyncio.run(_letters(settings, chosen, limit, newest=True))
    if as_json:
        say_json([letter.to_json() for letter in letters])
        return
    if not letters:
        say("no dead letters")
        return
    table(
        ("refused (UTC)", "place", "stage", "reason", "source", "position", "detail", "requeue"),
        _rows(letters),
    )
    if count > len(letters):
        note(f"{len(letters)} of {count:,} are shown: --limit")


def requeue_command(
    places: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PLACE]...", help="Letters, by the place that `list` shows."),
    ] = None,
    reason: Reason = "",
    source: Source = "",
    since: Since = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are kept.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many at most, the oldest first.")] = 10_000,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring refused records into the log once more: after a feed, a profile or a version was put right.

    The record is taken from where it stood (the log, a topic, a file of a landing directory) as long as it
    is kept there: letters hide long numbers, and the time of a record is one. It goes through intake again,
    by the map of its feed as it is now. One that stands in several letters is requeued once.
    What can't be requeued is named with the reason. A letter stays where it is: calling this twice requeues
    twice, and only records with an `id` are then known as copies.

    Exit code 1: some of the letters could not be requeued, a PLACE has no letter, or
    nothing matched the filters.
    """
    settings = load_settings()
    require(settings, "kafka_bootstrap")
    if not (places or reason or source or since or everything):
        raise InputError("deadletters requeue", "PLACE, --reason, --source, --since or --all", "nothing")
    for place in places or ():
        if _PLACE.fullmatch(place) is None:
            raise InputError("PLACE", "TOPIC:PARTITION:OFFSET as `list` shows it, or a position", place)
    chosen = Chosen(reason, source, _since(since), frozenset(places or ()))
    count, letters, met = asyncio.run(_letters(settings, chosen, limit, newest=False))
    missing = [place for place in dict.fromkeys(places or ()) if place not in met]
    filters = " and these filters" if reason or source or since else ""
    for place in missing:
        note(f"{place}: expected a dead letter of this place{filters}, was none")
    nothing = not letters and not places and not everything
    if nothing:
        note("nothing matched: expected a dead letter that these filters let through, was none")
    if (missing or nothing) and not letters and not as_json:
        raise typer.Exit(LEFT)
    if count > len(letters):
        note(f"the oldest {len(letters)} of {count:,} are taken: --limit")
    work = _Work(settings, dry_run=dry_run)
    try:
        asyncio.run(work.run(letters))
    except LogError:
        if work.counts["requeued"]:
            note(f"{work.counts['requeued']} letters were requeued before this:")
        raise
    if as_json:
        left = [{"place": place, "why": why} for place, why in work.left]
        say_json({"counts": work.counts, "left": left, "missing": missing})
    else:
        names = ("letters", "requeued", "repeats", "left", "records")
        table(("nothing written" if dry_run else "done", "number"), [(n, work.counts[n]) for n in names])
        if work.left:
            say()
            table(("left", "why"), work.left)
    if work.left or missing or nothing:
        raise typer.Exit(LEFT)


class _Work:
    """Requeues letters."""

    def __init__(self, settings: Settings, *, dry_run: bool) -> None:
        self.settings = settings
        self.dry_run = dry_run
        self.counts: Counter[str] = Counter()
        """`letters`; of these `requeued`, `repeats` (of a record requeued already), `left`; `records`."""
        self.left: list[tuple[str, str]] = []
        """(place, why) of what could not be requeued."""
        self._done: set[tuple[str, str, str]] = set()

    async def run(self, letters: list[Letter]) -> None:
        """Requeue letters, `BATCH` in a transaction."""
        settings = self.settings
        topics = await need_topics(settings, "checkpoints", "deadletters", "events", "profiles")
        options = kafka_options(settings)
        identity = Identity(settings.key_bytes, settings.home_cc)
        bindings = KafkaBindings(options, settings.topic_prefix)
        inlet = KafkaInlet(
            options, settings.topic_prefix, f"requeue-{secrets.token_hex(8)}", settings.partitions
        )
        requeue = Requeue(settings.partitions, now_us)
        ways = Ways(settings, requeue, identity, topics["events"])
        try:
            await bindings.load(identity)
            if not self.dry_run:
                await inlet.resume()
            for at in range(0, len(letters), BATCH):
                homes = self._homes(letters[at : at + BATCH], ways)
                kept = await self._read(homes)
                pairs, done = self._taken(requeue, homes, kept)
                if pairs and not self.dry_run:
                    await inlet.append(pairs, b"")
                self.counts["requeued"] += done
                self.counts["records"] += len(pairs)
        finally:
            await bindings.close()
            await inlet.close()

    def _homes(self, letters: list[Letter], ways: Ways) -> list[Found]:
        """Find where the records are, each once."""
        found = []
        for letter in letters:
            self.counts["letters"] += 1
            home = home_of(letter)
            way = home if isinstance(home, str) else ways.way_of(home)
            # a record is known by where it stood: two letters of one crash name the same
            name = letter.fields["stage"], letter.fields.get("feed", ""), letter.fields["position"]
            if isinstance(home, str) or isinstance(way, str):
                self._leave(letter, str(way))
            elif name in self._done:
                self.counts["repeats"] += 1
            else:
                self._done.add(name)
                found.append((letter, home, way))
        return found

    async def _read(self, found: list[Found]) -> dict[Way, Mapping[Home, Any] | str]:
        """Read what is kept, of each way; or why nothing of a feed can be had."""
        kept: dict[Way, Mapping[Home, Any] | str] = {}
        for way in dict.fromkeys(way for _, _, way in found):
            homes = [(home, bool(home.feed)) for _, home, its in found if its is way]
            try:
                kept[way] = await way.read([home for home, _ in homes])
            except (InputError, LogError) as error:
                if not all(of_feed for _, of_feed in homes):
                    raise
                kept[way] = str(error)
        return kept

    def _taken(
        self, requeue: Requeue, found: list[Found], kept: Mapping[Way, Mapping[Home, Any] | str]
    ) -> tuple[list[tuple[int, bytes]], int]:
        """Return what goes into the log, and of how many letters."""
        pairs: list[tuple[int, bytes]] = []
        done = 0
        for letter, home, way in found:
            had = kept[way]
            if isinstance(had, str):
                self._leave(letter, had)
                continue
            fields, raw = letter.fields, had.get(home)
            read = partial(way.take, home, raw, fields["source"], fields["position"])
            taken = None if raw is None else requeue.take(read)
            if taken is None:
                twice = ", or files of this name came twice" if home.door == "file" else ""
                self._leave(letter, f"{fields['position']} is not kept any more{twice}")
            elif isinstance(taken, str):
                self._leave(letter, taken)
            else:
                pairs += taken
                done += 1
        return pairs, done

    def _leave(self, letter: Letter, why: str) -> None:
        self.counts["left"] += 1
        self.left.append((letter.place, why))


async def _letters(
    settings: Settings, chosen: Chosen, limit: int, *, newest: bool
) -> tuple[int, list[Letter], set[str]]:
    """Return how many letters are meant, the newest or oldest of them, and which places they are found by."""
    topics = await need_topics(settings, "deadletters")
    options, topic = kafka_options(settings), topics["deadletters"]
    best: Callable[..., list[Letter]] = nlargest if newest else nsmallest
    count = 0
    found: list[Letter] = []
    met: set[str] = set()
    for partition in range(DEADLETTERS_PARTITIONS):
        async for records in read_to_end(options, topic, partition):
            letters = [
                letter
                for record in records
                if (letter := read_letter(topic, partition, record.offset, record.value or b""))
                and chosen.holds(letter)
            ]
            count += len(letters)
            names = {name for letter in letters for name in (letter.place, letter.fields["position"])}
            met |= names.intersection(chosen.places)
            found = best(limit, [*found, *letters], key=lambda letter: letter.failed_at)
    return count, found, met


def _rows(letters: list[Letter]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for letter in letters:
        fields, home = letter.fields, home_of(letter)
        rows.append(
            (
                f"{datetime.fromtimestamp(letter.failed_at / 1e6, UTC):%Y-%m-%d %H:%M:%S}",
                letter.place,
                fields["stage"],
                fields["reason"],
                fields["source"],
                fields["position"],
                fields["detail"],
                home if isinstance(home, str) else "yes",
            )
        )
    return rows


def _since(text: str | None) -> int:
    return 0 if text is None else since_when("--since", text)
