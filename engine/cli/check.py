"""`touchpoint check`: read rules, report every mistake with its position."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine import __version__
from engine.cli.console import say_json
from engine.errors import InputError
from engine.language.loader import load_dir
from engine.language.problems import Problem, render
from engine.language.sarif import sarif
from engine.settings import load_settings


def command(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Folders of rules, or rule files.")],
    catalog: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder with policy.yaml and catalog/; else PATH itself, or the nearest folder above it.",
        ),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 on warnings too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Problems as JSON.")] = False,
    as_sarif: Annotated[bool, typer.Option("--sarif", help="Problems as SARIF 2.1.0.")] = False,
) -> None:
    """Read rules, policy, catalogue and rule tests, and report every mistake with file, line and column.

    Exit code 0: no error (with --strict: no problem at all); 1: there is one; 2: PATH is not there.
    """
    if as_json and as_sarif:
        raise InputError("check", "one of --json and --sarif", "both")
    settings = load_settings()
    rules = 0
    found: dict[Problem, None] = {}
    for path in paths:
        loaded = load_dir(path, catalog=catalog, home_cc=settings.home_cc)
        rules += loaded.rule_files
        found.update(dict.fromkeys(loaded.problems))
    problems = sorted(found, key=lambda problem: problem.order)
    errors = sum(problem.severity == "error" for problem in problems)
    if as_sarif:
        say_json(sarif(problems, __version__))
    elif as_json:
        said = [problem.to_json() for problem in problems]
        say_json({"rules": rules, "errors": errors, "warnings": len(problems) - errors, "problems": said})
    else:
        typer.echo(render(problems, rules), nl=False)
    if errors or (strict and problems):
        raise typer.Exit(1)
