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

from connectors.column_map import ColumnMap
from connectors.kafka_bindings import KafkaBindings
from connectors.kafka_inlet import KafkaInlet
from connectors.kafka_read import read_at, read_to_end
from connectors.landing import lines_at
from connectors.xdr_files import Rows
from engine.care.letters import Chosen, Home, Letter, home_of, pick, read_letter
from engine.care.requeue import Requeue, TakeRow
from engine.cli.console import note, say, say_json, table
from engine.cli.inputs import since_when
from engine.cli.need import need_topics
from engine.deployment.clients import kafka_options
from engine.deployment.common import columns_of, now_us
from engine.errors import InputError, LogError
from engine.identity import Identity
from engine.intake import Intake
from engine.settings import Settings, load_settings, require
from engine.topics import DEADLETTERS_PARTITIONS

LEFT = 1
_PLACE = re.compile(r"[^\n]+:[0-9]+(#[0-9]+)?")
"""Of a letter, or of a record as letters name it: FILE:LINE, PARTITION:OFFSET, its number in an array."""
Place = tuple[str, int, int]
"""`Home.name`, partition, offset."""
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

    The record is taken from where it stood (the log, the foreign topic, a file of the landing directory) as
    long as it is kept there: letters hide long numbers, and the time of a record is one. It goes through
    intake again, by the column map of the settings. One that stands in several letters is requeued once.
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
        self._done: set[tuple[str, str]] = set()

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
        columns = columns_of(settings)
        rows = None if columns is None else partial(_rows_by, columns)
        requeue = Requeue(identity, settings.partitions, now_us, rows)
        try:
            await bindings.load(identity)
            if not self.dry_run:
                await inlet.resume()
            for at in range(0, len(letters), BATCH):
                homes = self._homes(letters[at : at + BATCH])
                kept = await self._read(options, topics["events"], homes)
                pairs, done = self._taken(requeue, homes, kept)
                if pairs and not self.dry_run:
                    await inlet.append(pairs, b"")
                self.counts["requeued"] += done
                self.counts["records"] += len(pairs)
        finally:
            await bindings.close()
            await inlet.close()

    def _homes(self, letters: list[Letter]) -> list[tuple[Letter, Home]]:
        """Find where the records are, each once."""
        found = []
        for letter in letters:
            self.counts["letters"] += 1
            home = home_of(letter)
            # a record is known by where it stood: two letters of one crash name the same
            name = letter.fields["stage"], letter.fields["position"]
            if isinstance(home, str):
                self._leave(letter, home)
            elif home.door == "topic" and home.name != self.settings.foreign_topic:
                self._leave(letter, f"expected the topic of TOUCHPOINT_FOREIGN_TOPIC, was {home.name}")
            elif home.door == "file" and self.settings.landing is None:
                self._leave(letter, f"expected TOUCHPOINT_LANDING to find {home.name}, was not given")
            elif name in self._done:
                self.counts["repeats"] += 1
            else:
                self._done.add(name)
                found.append((letter, home))
        return found

    async def _read(
        self, options: Mapping[str, Any], events: str, homes: list[tuple[Letter, Home]]
    ) -> dict[Place, bytes]:
        """Read the messages that are kept."""
        found: dict[Place, bytes] = {}
        servers = self.settings.foreign_servers
        foreign = {**options, "bootstrap_servers": servers} if servers else options
        wanted: dict[tuple[str, str], set[tuple[int, int]]] = {}
        for _, home in homes:
            wanted.setdefault((home.door, home.name), set()).add((home.partition, home.offset))
        for (door, name), places in wanted.items():
            if door == "file":
                assert self.settings.landing is not None
                numbers = {number for _, number in places}
                read = lines_at(self.settings.landing, name, numbers, self.settings.key_bytes)
                found.update({(name, 0, number): line for number, line in read.items()})
                continue
            ours = door == "log"
            kept = await read_at(options if ours else foreign, events if ours else name, places)
            found.update({(name, *place): value for place, value in kept.items()})
        return found

    def _taken(
        self,
        requeue: Requeue,
        homes: list[tuple[Letter, Home]],
        kept: Mapping[Place, bytes],
    ) -> tuple[list[tuple[int, bytes]], int]:
        """Return what goes into the log, and of how many letters."""
        pairs: list[tuple[int, bytes]] = []
        done = 0
        for letter, home in homes:
            message = kept.get((home.name, home.partition, home.offset))
            raw = None if message is None else pick(message, home.element)
            if raw is None:
                twice = ", or files of this name came twice" if home.door == "file" else ""
                self._leave(letter, f"{letter.fields['position']} is not kept any more{twice}")
                continue
            taken = requeue.take(letter, home, raw)
            if isinstance(taken, str):
                self._leave(letter, taken)
                continue
            pairs += taken
            done += 1
        return pairs, done

    def _leave(self, letter: Letter, why: str) -> None:
        self.counts["left"] += 1
        self.left.append((letter.place, why))


def _rows_by(columns: ColumnMap, intake: Intake) -> TakeRow:
    return Rows(columns, intake).take


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
