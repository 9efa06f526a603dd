"""`touchpoint simulate`: a simulated city as files; `simulate profiles`: profiles for a real feed."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Annotated, Any, cast

import orjson
import typer

from connectors.city import City, CityOptions, profiles_for, write
from engine.cli.console import ManyValues, note, progress, say, table, unwritable
from engine.cli.inputs import Feed, column_map, load_rules, moment
from engine.settings import load_settings

COMMAND_CLASS = ManyValues
START = "2026-09-07T08:30+08:00"
"""A Monday morning inside every `valid` of the project's rules, whatever today is."""

Seed = Annotated[int, typer.Option(help="The same seed gives the same bytes.")]
Rules = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Rules whose places and fields to use; default $TOUCHPOINT_RULES."),
]


def command(
    seed: Seed,
    subscribers: Annotated[int, typer.Option(metavar="N", help="How many people live there.")],
    hours: Annotated[float, typer.Option(metavar="H", help="How long they live.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write to; made if missing.")],
    rules: Rules = None,
    lively: Annotated[
        bool, typer.Option("--lively", help="Many planted behaviours in the first 50 minutes: for a show.")
    ] = False,
    start: Annotated[
        str, typer.Option(metavar="ISO", help="When it begins; without offset in the policy's timezone.")
    ] = START,
    compress: Annotated[bool, typer.Option("--gzip", help="Write events.jsonl.gz.")] = False,
) -> None:
    """Write a simulated city: events.jsonl (what reaches us, faults included), profiles.jsonl, truth.jsonl.

    The truth is what really happened. See also: touchpoint simulate profiles --help.
    """
    settings = load_settings()
    ruleset = load_rules(rules or settings.rules, settings)
    zone = ruleset.policy.timezone
    options = CityOptions(timezone=zone, lively=lively)
    begin = moment("--start", start, zone)
    city = City(seed, subscribers, ruleset.catalog, start=begin, options=options)
    with progress("simulating", 1000) as advance:
        written = write(
            city,
            hours,
            out,
            lambda count, share: advance(int(share * 1000), f"{count:,} records"),
            compress=compress,
        )
    counts = (written.events, written.profiles, written.truth)
    table(("file", "lines"), [(str(file), count) for file, count in zip(written.files, counts, strict=True)])


def profiles(
    files: Annotated[list[Path], typer.Option("--from", metavar="FILE...", help="Files of the feed.")],
    seed: Seed,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Profiles file to write (.gz: compressed).")],
    map: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column map of the files, or its .yaml; else JSON lines."),
    ] = None,
    rules: Rules = None,
) -> None:
    """Write made-up profiles for the subscribers of a feed, of whom nothing but an id is known.

    A line depends on the seed, the subscriber and the catalogue only; subscribers come in the order in which
    the feed first names them.
    """
    settings = load_settings()
    ruleset = load_rules(rules or settings.rules, settings)
    feed = Feed(settings, column_map(map), named=True)

    def ids() -> Iterator[str]:
        for event in feed.events(files):
            if event.key:
                yield feed.names()[event.key]

    count = _dump(out, profiles_for(ids(), seed, ruleset.catalog))
    refused = sum(feed.intake.refused.values())
    if refused:
        note(f"{refused:,} records were refused; touchpoint replay says which and why")
    say(f"{count:,} profiles in {out}")


def _dump(out: Path, lines: Iterator[dict[str, Any]]) -> int:
    """Write JSON lines beside `out` and put them in its place once they are complete; return how many."""
    part = out.with_name(f".{out.name}.part")
    count = 0
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as plain:
            file: IO[bytes] = plain
            if out.suffix == ".gz":
                file = cast(IO[bytes], gzip.GzipFile("", "wb", 6, plain, mtime=0))
            for line in lines:
                file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
                count += 1
            if file is not plain:
                file.close()
        os.replace(part, out)
    except OSError as error:
        raise unwritable(out, "a file", error) from None
    finally:
        part.unlink(missing_ok=True)
    return count
