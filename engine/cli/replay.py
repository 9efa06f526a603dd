"""`touchpoint replay`: recorded events through rules, as live would have decided."""

from __future__ import annotations

import re
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from engine.backtest.prices import Prices
from engine.backtest.report import Report
from engine.cli.backtest import FILES, Backtest, Summary, is_balanced
from engine.cli.console import ManyValues, note, progress, say, say_json, table
from engine.cli.inputs import column_map, length_of_time, lines_in, load_rules, moment
from engine.cli.report_view import show_report
from engine.cli.study import Version, Wanted
from engine.errors import InputError
from engine.garbage import calm_collector
from engine.language.folders import read_folder
from engine.language.model import RuleSet
from engine.language.words import Unreadable, amount
from engine.settings import load_settings

COMMAND_CLASS = ManyValues
_SHOWN = 12
"""Reasons in the table; summary.json has them all."""
_OUTCOMES = ("offer", "held", "control", "shadow", "refused")


def command(
    rules: Annotated[Path, typer.Option(metavar="DIR", help="Folder of rules, policy and catalogue.")],
    events: Annotated[
        list[Path], typer.Option(metavar="FILE...", help="Files of events, plain or gzip, merged by time.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write to; made if missing.")],
    map: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE", help="Column map of delimited files, or its .yaml; else JSON lines."
        ),
    ] = None,
    profiles: Annotated[
        list[Path] | None, typer.Option(metavar="FILE...", help="Profiles, applied before the first event.")
    ] = None,
    disorder: Annotated[
        str,
        typer.Option(metavar="TIME", help="How far the files may be out of order: 30m; ticks wait for it."),
    ] = "0",
    until: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Drop what is later: ISO (without offset in the policy's timezone) or µs."
        ),
    ] = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Name the subscribers in decisions.jsonl: IMSI, +MSISDN or id.")
    ] = False,
    report: Annotated[
        bool,
        typer.Option(
            "--report", help="Write report.json and report.html: gates, hours, overlap, near misses."
        ),
    ] = False,
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Rules of before: report who gains and who loses an offer. Means --report."
        ),
    ] = None,
    sms_cost: Annotated[
        str | None,
        typer.Option(metavar="YUAN", help="Price of an SMS part, else the policy's. Means --report."),
    ] = None,
    mms_cost: Annotated[
        str | None, typer.Option(metavar="YUAN", help="Price of an MMS, else the policy's. Means --report.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON; with --report the report.")
    ] = False,
) -> None:
    """Run recorded events through rules and write what would have been decided.

    DIR gets decisions.jsonl (every decision, sorted by time and id), summary.json and deadletters.jsonl (what
    was refused, where and why; long numbers hidden); with --report also report.json and report.html, with
    --against gains.jsonl and losses.jsonl. The same input gives the same bytes.

    Exit code 0: done, however many records were refused; 2: a file, the rules or an option is wrong.
    """
    settings = load_settings()
    given = price("--sms-cost", sms_cost), price("--mms-cost", mms_cost)
    ruleset = load_rules(rules, settings)
    wanted = None
    if report or against is not None or any(one is not None for one in given):
        prices = Prices.of(ruleset.policy, *given)
        before = None if against is None else version(against, load_rules(against, settings))
        wanted = Wanted(prices, version(rules, ruleset), before)
    backtest = Backtest(
        rules=ruleset,
        settings=settings,
        events=events,
        profiles=profiles or [],
        columns=column_map(map),
        disorder=length_of_time("--disorder", disorder),
        until=None if until is None else moment("--until", until, ruleset.policy.timezone),
        reveal=reveal,
        wanted=wanted,
    )
    calm_collector()
    began = time.monotonic()
    total = lines_in(events) if sys.stderr.isatty() else None
    with progress("replaying", total) as advance:
        summary, made = backtest.run(out, advance)
    took = time.monotonic() - began
    if as_json:
        say_json(summary if made is None else made)
    else:
        show(summary, took, made)
        files = FILES + (wanted.files if wanted is not None else ())
        say(f"\nwritten: {', '.join(str(out / name) for name in files)}")
    if map is None and summary["refused"] == summary["read"] > 0:
        note("every record was refused: are these delimited files, for --map?")
    if not is_balanced(summary):
        note("the summary does not balance: a mistake of this program, please report it")
        raise typer.Exit(1)


def version(folder: Path, ruleset: RuleSet) -> Version:
    """Return a set of rules with the texts of its files."""
    return Version(str(folder), ruleset, read_folder(folder).texts)


def price(option: str, text: str | None) -> Decimal | None:
    """Read `0.05`, `0.05 yuan` or `5 fen` as yuan."""
    if text is None:
        return None
    try:
        found = Decimal(str(amount(f"{text} yuan" if re.fullmatch(r"[0-9.]+", text) else text, "money")))
    except Unreadable:
        found = Decimal(-1)
    if found < 0:
        raise InputError(option, "an amount of money such as 0.05 or 5 fen", text)
    return found


def show(summary: Summary, seconds: float, report: Report | None = None) -> None:
    """Print what happened: records, lateness; rules and reasons, or the whole report."""
    read = summary["read"]
    say(f"{read:,} records read in {seconds:.1f} s: {read / max(seconds, 1e-6):,.0f} per second")
    say()
    rows: list[tuple[str, int, str]] = [
        ("applied", summary["applied"], ""),
        ("duplicate", summary["duplicate"], ""),
        ("late", summary["late"], "dropped: over 1 h late, business records over 48 h"),
        ("refused", summary["refused"], _listed(summary["refused_by"])),
    ]
    table(("records", "number", ""), rows)
    unfit = summary["profiles"]["refused"]
    if unfit:
        say(f"profiles refused: {unfit:,} of {summary['profiles']['read']:,}")
    lateness = summary["lateness"]
    late = lateness["late_by_own_order"] + lateness["late_by_ticks"]
    if late:
        say()
        share = {name: f"{count / read:.2%}" for name, count in lateness.items()}
        table(
            ("late records", "number", "of all read"),
            [
                ("behind their own subscriber's", lateness["late_by_own_order"], share["late_by_own_order"]),
                ("behind a tick only", lateness["late_by_ticks"], share["late_by_ticks"]),
                ("  within patience", lateness["within_patience"], share["within_patience"]),
                ("  beyond patience: fired nothing", lateness["beyond_patience"], share["beyond_patience"]),
                ("  dropped", lateness["dropped"], share["dropped"]),
            ],
        )
    say()
    if report is None:
        _show_rules(summary)
    else:
        show_report(report)


def _show_rules(summary: Summary) -> None:
    rows: list[list[object]] = []
    for rule, fates in summary["decisions"].items():
        refused = {fate.partition(":")[2]: n for fate, n in fates.items() if fate.startswith("refused:")}
        most = max(refused, key=lambda reason: (refused[reason], reason), default="")
        counts = {**fates, "refused": sum(refused.values())}
        rows.append([rule, *(counts.get(outcome, 0) for outcome in _OUTCOMES), most])
    if not rows:
        say("no rule had an instant")
        return
    whole = summary["decisions_by_outcome"]
    rows.append(["all rules", *(whole.get(outcome, 0) for outcome in _OUTCOMES), ""])
    table(("rule", *_OUTCOMES, "mostly"), rows)
    reasons = list(summary["decisions_by_reason"].items())
    if reasons:
        say()
        table(("refused because", "number"), reasons[:_SHOWN])
        if len(reasons) > _SHOWN:
            say(f"and {len(reasons) - _SHOWN} more reasons in summary.json")


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
