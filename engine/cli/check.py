"""`touchpoint check`: read rules, report every mistake with its position."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Annotated, Final

import typer

from engine import __version__
from engine.cli.console import say, say_json, table
from engine.errors import InputError
from engine.language.beside import AMONG, beside
from engine.language.cost import MessageCost
from engine.language.folders import home_of, set_of
from engine.language.loader import OTHER_FILE, load_dir
from engine.language.problems import Problem, render
from engine.language.sarif import sarif
from engine.language.words import Unreadable, day
from engine.settings import load_settings
from engine.text import plain

USUAL: Final = Path("rules")
"""Where `touchpoint approve` looks for a rule."""
_APPROVE: Final = "touchpoint approve "


def command(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Folders of rules, or rule files.")],
    catalog: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder with policy.yaml and catalog/; else PATH itself, or the nearest folder above it.",
        ),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="DATE", help="The day to compare dates with; else today."),
    ] = None,
    cost: Annotated[
        bool, typer.Option("--cost", help="List the messages too: SMS parts and price at their longest.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 on warnings too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Problems as JSON.")] = False,
    as_sarif: Annotated[bool, typer.Option("--sarif", help="Problems as SARIF 2.1.0.")] = False,
) -> None:
    """Read rules, policy, catalogue and rule tests, and report every mistake with file, line and column.

    Rules are held against each other too: duplicates, rules that always come second, rules that compete. A
    file, or a part of a set, is held against the whole set around it, unless --catalog is given; for policy,
    approvals or catalogue the whole set is checked. These
    findings are warnings, as are live rules without a recorded approval, without a test that sends and one
    that refuses, or past their dates.

    Exit code 0: no error (with --strict: no problem at all); 1: there is one; 2: PATH is not there.
    """
    if as_json and as_sarif:
        raise InputError("check", "one of --json and --sarif", "both")
    settings = load_settings()
    now = _noon(on)
    rules: set[Path] = set()
    costs: dict[MessageCost, None] = {}
    found: dict[object, Problem] = {}
    for path in paths if catalog is not None else map(set_of, paths):
        loaded = load_dir(path, catalog=catalog, home_cc=settings.home_cc, review=now)
        costs.update(dict.fromkeys(loaded.costs))
        rules.update(Path(file).resolve() for file in loaded.rule_paths)
        around = beside(path, home_cc=settings.home_cc, review=now) if catalog is None else None
        # a part of a set among itself is told as the set tells it
        own = [one for one in loaded.problems if around is None or one.code not in AMONG]
        _add(found, _say_where((*own, *(around or ())), home_of(path, catalog)))
    problems = sorted(found.values(), key=lambda problem: problem.order)
    errors = sum(problem.severity == "error" for problem in problems)
    if as_sarif:
        say_json(sarif(problems, __version__))
    elif as_json:
        said = [problem.to_json() for problem in problems]
        result = {"rules": len(rules), "errors": errors, "warnings": len(problems) - errors, "problems": said}
        say_json({**result, "costs": list(map(asdict, costs))} if cost else result)
    else:
        typer.echo(render(problems, len(rules)), nl=False)
        if cost:
            _show(list(costs))
    if errors or (strict and problems):
        raise typer.Exit(1)


def _add(found: dict[object, Problem], problems: Iterable[Problem]) -> None:
    """Add problems, each once, in however many ways its file was named."""
    for problem in problems:
        place = Path(problem.path).resolve(), problem.line, problem.col
        said = OTHER_FILE.sub(lambda other: str(Path(other[0]).resolve()), problem.message)
        found.setdefault((place, problem.code, said), problem)


def _say_where(problems: Iterable[Problem], home: Path) -> Iterator[Problem]:
    """Have hints to approve a rule name the folder that it is in, where that is not the usual one."""
    usual = home.resolve() == USUAL.resolve()
    for problem in problems:
        if usual or _APPROVE not in problem.hint:
            yield problem
        else:
            yield replace(problem, hint=f"{problem.hint} --rules {quote(str(home))}")


def _noon(on: str | None) -> datetime:
    """Return now; of a given day noon UTC, which is that day nearly everywhere."""
    if on is None:
        return datetime.fromtimestamp(time.time(), UTC)
    try:
        date = day(on)
    except Unreadable:
        raise InputError("--on", "a date such as 2026-09-01", on) from None
    return datetime(date.year, date.month, date.day, 12, tzinfo=UTC)


def _show(costs: list[MessageCost]) -> None:
    say()
    if not costs:
        say("no rule without errors, so no message to count")
        return
    rows = [
        (
            each.rule,
            each.number,
            each.channel,
            each.characters,
            each.parts if each.channel == "sms" else "-",
            "-" if each.yuan is None else plain(each.yuan),
        )
        for each in sorted(costs, key=lambda each: (each.rule, each.number))
    ]
    table(("rule", "message", "channel", "characters", "SMS parts", "yuan each"), rows)
    if all(each.yuan is None for each in costs):
        say("to see prices, add `cost: {sms: 0.05 yuan, mms: 0.30 yuan}` to policy.yaml")
