"""`touchpoint map check`: what a column map makes of a sample, column by column, and what fails."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors.column_map import read_map
from connectors.map_check import MapCheck, RowTold, moment
from engine.cli.console import say, say_json, table
from engine.errors import InputError
from engine.identity import Identity
from engine.settings import load_settings

PROBLEMS = 1


def command(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="A column map: a .yaml file, or the name of one that ships.")
    ],
    sample: Annotated[Path, typer.Argument(metavar="SAMPLE", help="Rows as they land, plain or gzip.")],
    rows: Annotated[
        int, typer.Option("--rows", min=0, max=1_000, metavar="N", help="Rows to show column by column.")
    ] = 5,
    show: Annotated[
        bool, typer.Option("--show", help="Show identities and phone numbers as they are, not hidden.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Read a sample by a column map: show its first rows as records, and count over all of them.

    Each row is shown column by column: its text, the field it becomes, the value or what is wrong with it.
    The counts say what was refused and where first, which fields no row fills, which columns nobody reads,
    how kinds and identities are spread, whether times are plausible and the natural key tells rows apart.

    Exit code 1: the map has mistakes, no row became a record, more than 5 % were refused, rows share an id,
    or times are ahead of the clock.
    """
    settings = load_settings()
    columns, mistakes = read_map(file)
    if columns is None:
        _say_mistakes(mistakes, as_json=as_json)
        raise typer.Exit(PROBLEMS)
    check = MapCheck(
        columns,
        Identity(settings.key_bytes, settings.home_cc),
        shown=rows,
        now=time.time_ns() // 1_000,
        open=show,
    )
    check.read(sample)
    findings = check.findings.as_dict()
    if as_json:
        shown = [row.as_dict() for row in check.rows]
        say_json({"map": columns.map, "mistakes": [], **findings, "rows": shown})
    else:
        for row in check.rows:
            _say_row(row)
        _say_counts(columns.map, findings)
    if findings["problems"]:
        raise typer.Exit(PROBLEMS)


def _say_mistakes(mistakes: list[InputError], *, as_json: bool) -> None:
    if as_json:
        told = [{"where": each.where, "expected": each.expected, "was": str(each.was)} for each in mistakes]
        say_json({"mistakes": told})
        return
    for mistake in mistakes:
        say(str(mistake))
    say(f"{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''} in the map; the sample was not read")


def _say_row(row: RowTold) -> None:
    say(f"line {row.line}: {row.outcome}{f' ({row.detail})' if row.detail else ''}")
    table(
        ("column", "named", "text", "field", "value"),
        [
            (
                str(told.column) if told.column else "",
                told.named.partition(",")[0],
                told.text,
                told.field,
                told.problem or told.value,
            )
            for told in row.values
        ],
    )
    say()


def _say_counts(name: str, found: dict[str, Any]) -> None:
    parts = [f"{found[part]:,} {part}" for part in ("applied", "refused", "skipped", "headers", "blank")]
    say(f"{name}: {found['lines']:,} lines = {' + '.join(parts)}")
    if found["cut"]:
        say(f"not read to its end: {found['cut']}")
    _say_table("refused", ("reason", "rows", "first line", "for instance"), found["reasons"])
    damaged = [{"column": column, "rows": count} for column, count in found["damaged"].items()]
    _say_table("damaged, and not refused for it", ("column", "rows"), damaged)
    _say_table("kinds", ("kind", "rows", "share"), found["kinds"])
    _say_table("fields", ("field", "rows", "share"), found["fields"])
    identity = [{**each, "given": " and ".join(each["given"])} for each in found["identity"]]
    _say_table(f"identity of {found['subscribers']:,} subscribers", ("given", "rows", "share"), identity)
    if found["times"]:
        earliest, latest = moment(found["times"]["earliest"]), moment(found["times"]["latest"])
        say(f"\ntimes: {earliest} to {latest}, {found['times']['ahead']:,} ahead of the clock")
    say(f"ids: {found['ids']['copies']:,} rows came again, {found['ids']['clashes']:,} others share an id")
    widths = ", ".join(f"{width} ({count:,} rows)" for width, count in found["widths"].items())
    say(f"columns per row: {widths or 'none'}")
    if found["never_filled"]:
        say(f"fields that no row fills: {', '.join(found['never_filled'])}")
    if found["unused_columns"]:
        unused = [
            f"{each['column']}{f' {name}' if (name := each['named'].partition(',')[0]) else ''}"
            for each in found["unused_columns"]
        ]
        say(f"columns with text that nobody reads: {', '.join(unused)}")
    say()
    for problem in found["problems"]:
        say(f"problem: {problem}")
    if not found["problems"]:
        say("no problem found")


def _say_table(title: str, head: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    say(f"\n{title}")
    keys = {"first line": "first_line", "for instance": "detail"}
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
