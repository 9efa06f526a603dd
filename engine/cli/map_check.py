"""`touchpoint map check`: what a map makes of a sample, column by column or path by path, and what fails."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.column_map import name_and_meaning, read_map
from connectors.field_map import is_field_map, read_field_map
from connectors.map_check import MapCheck, RowTold
from connectors.message_check import MessageCheck, RecordTold
from connectors.sample_shown import moment
from engine.cli.console import say, say_json, table
from engine.errors import InputError
from engine.identity import Identity
from engine.settings import Settings, load_settings

PROBLEMS = 1
PATHS = 40
"""Paths that nobody reads, of which so many are named."""


def command(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A map: a .yaml file, or the name of one that ships.")
    ],
    sample: Annotated[
        Path,
        typer.Argument(metavar="SAMPLE", help="Rows as they land, or JSON messages, one a line; or gzip."),
    ],
    rows: Annotated[
        int, typer.Option("--rows", min=0, max=1_000, metavar="N", help="Rows or records to show in full.")
    ] = 5,
    show: Annotated[
        bool, typer.Option("--show", help="Show identities and phone numbers as they are, not hidden.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Read a sample by a map: show its first rows as records, and count over all of them.

    Rows by a column map are shown column by column: the text, the field it becomes, the value or what is
    wrong with it. Messages by a field map are shown path by path. The counts say what was refused and where
    first, which fields are never filled, which columns or paths nobody reads, how kinds and identities are
    spread, whether times are plausible and the natural key tells rows apart.

    Exit code 1: the map has mistakes, nothing became a record, more than 5 % were refused, rows share an id,
    or times are ahead of the clock.
    """
    settings = load_settings()
    check = _check(file, settings, rows, show=show, as_json=as_json)
    check.read(sample)
    findings = check.findings.as_dict()
    name = check.columns.map if isinstance(check, MapCheck) else check.fields.map
    if as_json:
        shown = [row.as_dict() for row in check.rows]
        say_json({"map": name, "mistakes": [], **findings, "rows": shown})
    else:
        for row in check.rows:
            _say_row(row, check.HEAD)
        _say_counts(name, findings)
    if findings["problems"]:
        raise typer.Exit(PROBLEMS)


def _check(file: str, settings: Settings, rows: int, *, show: bool, as_json: bool) -> MapCheck | MessageCheck:
    """Return what reads samples by a map; exit with its mistakes, if it has any."""
    identity = Identity(settings.key_bytes, settings.home_cc)
    now = time.time_ns() // 1_000
    if is_field_map(file):
        fields, mistakes = read_field_map(file)
        if fields is not None:
            return MessageCheck(fields, identity, rows, now, open=show)
    else:
        columns, mistakes = read_map(file)
        if columns is not None:
            return MapCheck(columns, identity, rows, now, open=show)
    _say_mistakes(mistakes, as_json=as_json)
    raise typer.Exit(PROBLEMS)


def _say_mistakes(mistakes: list[InputError], *, as_json: bool) -> None:
    if as_json:
        told = [{"where": each.where, "expected": each.expected, "was": str(each.was)} for each in mistakes]
        say_json({"mistakes": told})
        return
    for mistake in mistakes:
        say(str(mistake))
    say(f"{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''} in the map; the sample was not read")


def _say_row(row: RowTold | RecordTold, head: tuple[str, ...]) -> None:
    say(f"{row.place}: {row.outcome}{f' ({row.detail})' if row.detail else ''}")
    if row.values:
        table(head, [told.cells() for told in row.values])
    say()


def _say_counts(name: str, found: dict[str, Any]) -> None:
    unit = "records" if "messages" in found else "rows"
    if "messages" in found:
        lines = _sum(found, "lines", ("messages", "blank"))
        say(f"{name}: {lines}; {_sum(found, 'records', ('applied', 'refused', 'skipped'))}")
        if found["empty"]:
            say(f"messages with no record in them: {found['empty']:,}")
    else:
        parts = ("applied", "refused", "skipped", "headers", "blank")
        say(f"{name}: {_sum(found, 'lines', parts)}")
    if found["cut"]:
        say(f"not read to its end: {found['cut']}")
    _say_table("refused", ("reason", unit, "first line", "for instance"), found["reasons"])
    damaged = [{"column": column, "rows": count} for column, count in found["damaged"].items()]
    _say_table("damaged, and not refused for it", ("column", unit), damaged)
    _say_table("kinds", ("kind", unit, "share"), found["kinds"])
    _say_table("fields", ("field", unit, "share"), found["fields"])
    identity = [{**each, "given": " and ".join(each["given"])} for each in found["identity"]]
    _say_table(f"identity of {found['subscribers']:,} subscribers", ("given", unit, "share"), identity)
    if found["times"]:
        earliest, latest = moment(found["times"]["earliest"]), moment(found["times"]["latest"])
        say(f"\ntimes: {earliest} to {latest}, {found['times']['ahead']:,} ahead of the clock")
    say(f"ids: {found['ids']['copies']:,} {unit} came again, {found['ids']['clashes']:,} others share an id")
    if "widths" in found:
        widths = ", ".join(f"{width} ({count:,} rows)" for width, count in found["widths"].items())
        say(f"columns per row: {widths or 'none'}")
    if found["never_filled"]:
        say(f"fields that no {unit[:-1]} fills: {', '.join(found['never_filled'])}")
    if found.get("unused_columns"):
        unused = [
            f"{each['column']}{f' {name}' if (name := name_and_meaning(each['named'])[0]) else ''}"
            for each in found["unused_columns"]
        ]
        say(f"columns with text that nobody reads: {', '.join(unused)}")
    if found.get("unused_paths"):
        paths = [each["path"] for each in found["unused_paths"]]
        more = f", and {len(paths) - PATHS:,} more" if len(paths) > PATHS else ""
        say(f"paths with values that nobody reads: {', '.join(paths[:PATHS])}{more}")
    if found.get("not_in_a_sample"):
        say(
            f"stands around messages, not in a sample, and is left empty here, "
            f"@timestamp the time of now: {', '.join(found['not_in_a_sample'])}"
        )
    say()
    for problem in found["problems"]:
        say(f"problem: {problem}")
    if not found["problems"]:
        say("no problem found")


def _sum(found: dict[str, Any], whole: str, parts: tuple[str, ...]) -> str:
    return f"{found[whole]:,} {whole} = {' + '.join(f'{found[part]:,} {part}' for part in parts)}"


def _say_table(title: str, head: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    say(f"\n{title}")
    keys = {"first line": "first_line", "for instance": "detail", "records": "rows"}
    table(
        head,
        [
            tuple(
                f"{row['share']:.1%}" if column == "share" else row[keys.get(column, column)]
                for column in head
            )
            for row in rows
        ],
    )
