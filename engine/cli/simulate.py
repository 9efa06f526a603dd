"""`touchpoint simulate`: a simulated city as files; `simulate profiles`: profiles for a real feed."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final, cast

import orjson
import typer

from connectors.city import UNTHINNED, City, CityOptions, profiles_for, with_faults, write
from engine.cli.console import ManyValues, note, progress, say, table, unwritable
from engine.cli.inputs import Feed, column_map, load_rules, moment
from engine.errors import InputError
from engine.settings import Settings, load_settings

if TYPE_CHECKING:
    from connectors.city.push import Pushed, TopicPush

COMMAND_CLASS = ManyValues
BATCH_AT_MOST: Final = 1_000
"""Records of one message: some 400 bytes each, and brokers refuse messages of 1 MB."""
STOPPED: Final = 130
"""Exit code of a command stopped by Ctrl-C."""
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
    compress: Annotated[
        bool, typer.Option("--gzip", help="Write events.jsonl.gz, and xDR files as .gz.")
    ] = False,
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=RATE...", help="Rates of faults and habits, 0 to 1 (docs/simulator.md)."),
    ] = None,
    no_faults: Annotated[
        bool, typer.Option("--no-faults", help="A clean feed, but for the faults of --fault.")
    ] = False,
    service_requests: Annotated[
        bool, typer.Option("--service-requests", help="Thin out nothing: 15 service requests per busy hour.")
    ] = False,
    xdr: Annotated[
        bool, typer.Option("--xdr", help="What an S1-MME probe sees as delimited files in DIR/xdr.")
    ] = False,
    cells: Annotated[
        bool, typer.Option("--cells", help="Write cells.csv and places.geojson too: where everything is.")
    ] = False,
    kafka: Annotated[
        str, typer.Option(metavar="TOPIC", help="Push the records to a topic, not to events.jsonl.")
    ] = "",
    rate: Annotated[
        str | None,
        typer.Option(metavar="N/s", help="With --kafka: records per second; 0, the usual: all it can."),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option(metavar="N", help="With --kafka: records per message, usually 1; an array beyond it."),
    ] = None,
) -> None:
    """Write a simulated city: events.jsonl (what reaches us, faults included), profiles.jsonl, truth.jsonl.

    The truth is what really happened, and what was done to which record. See also: touchpoint simulate
    profiles --help.
    """
    for name, given in (("--rate", rate), ("--batch", batch)):
        if given is not None and not kafka:
            raise InputError(name, "--kafka TOPIC beside it", "not given")
    settings = load_settings()
    ruleset = load_rules(rules or settings.rules, settings)
    zone = ruleset.policy.timezone
    options = CityOptions(timezone=zone, lively=lively)
    if service_requests:
        options = replace(options, sights=UNTHINNED)
    options = with_faults(options, _rates(fault or []), none_else=no_faults)
    begin = moment("--start", start, zone)
    city = City(seed, subscribers, ruleset.catalog, start=begin, options=options)
    if kafka:
        records = 1 if batch is None else batch
        if not 1 <= records <= BATCH_AT_MOST:
            raise InputError("--batch", f"1 to {BATCH_AT_MOST} records per message", records)
        _push(
            city,
            hours,
            out,
            _topic(settings, kafka, rate or "0", records),
            compress=compress,
            xdr=xdr,
            maps=cells,
        )
        return
    with progress("simulating", 1000) as advance:
        written = write(
            city,
            hours,
            out,
            lambda count, share: advance(int(share * 1000), f"{count:,} records"),
            compress=compress,
            xdr=xdr,
            maps=cells,
        )
    table(("file", "lines"), [(str(file), count) for file, count in written.parts])


def _rates(given: list[str]) -> dict[str, float]:
    """Read NAME=RATE."""
    rates: dict[str, float] = {}
    for text in given:
        name, _, rate = text.partition("=")
        try:
            rates[name] = float(rate)
        except ValueError:
            raise InputError("--fault", "NAME=RATE such as duplicates=0.01", text) from None
    return rates


def _topic(settings: Settings, topic: str, rate: str, batch: int) -> TopicPush:
    """Return the way into a topic; Kafka's clients are imported only where they are needed."""
    from connectors.city.push import TopicPush
    from engine.deployment.clients import kafka_options

    try:
        per_second = float(rate.removesuffix("/s"))
    except ValueError:
        raise InputError("--rate", "records per second such as 5000/s, or 0 for all it can", rate) from None
    return TopicPush(topic, kafka_options(settings), rate=per_second, batch=batch)


def _push(
    city: City, hours: float, out: Path, topic: TopicPush, *, compress: bool, xdr: bool, maps: bool
) -> None:
    """Push the records, write all else, and say what was reached; exit code 130 if it was stopped."""
    reached: list[Pushed] = []

    def push(rows: Iterator[dict[str, Any]]) -> int:
        reached.append(topic.run(rows))
        return reached[0].records

    with progress(f"pushing to {topic.topic}", 1000) as advance:
        share = 0.0

        def note_share(_count: int, done: float) -> None:
            nonlocal share
            share = done

        def told(records: int, seconds: float) -> None:
            advance(int(share * 1000), f"{records:,} records, {records / max(seconds, 0.001):,.0f}/s")

        topic.told = told
        written = write(city, hours, out, note_share, compress=compress, xdr=xdr, maps=maps, push=push)
    pushed = reached[0]
    rows = [(str(file), count) for file, count in written.parts[1:]]
    table(("file or topic", "lines"), [(f"topic {topic.topic}", pushed.records), *rows])
    how = f"{pushed.messages:,} messages in {pushed.seconds:.1f} s, {pushed.rate:,.0f} records/s"
    if topic.rate:
        how += f" of {topic.rate:,.0f} wanted"
    note(f"{'stopped: ' if pushed.stopped else ''}{how}")
    if pushed.stopped:
        raise typer.Exit(STOPPED)


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
