"""`touchpoint test`: the tests that stand beside the rules, run on the real engine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from engine.language.loader import Loaded, load_dir
from engine.rule_tests.report import BAD, GOOD, failures, file_line, summary, to_json
from engine.rule_tests.runner import FileResult, run_files
from engine.settings import load_settings

FAILED = 1
APPROVAL = ("R202", "R211")
"""A rule is tested before it is approved."""


def command(
    path: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder with rules and their tests; or one of these files.")
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON, decisions included.")
    ] = False,
) -> None:
    """Run the cases of every `*.test.yaml` below DIR on the real engine.

    Each case has the rule alone with its policy and catalogue, live, and runs 48 hours past its last event. A
    case that fails shows what was expected, what was, and every decision that was made. Exit code 1 if a case
    fails, if a rule or a test file has a mistake, or if there are no tests.
    """
    home_cc = load_settings().home_cc
    loaded = load_dir(path, home_cc=home_cc, ignore=APPROVAL)
    root = path if path.is_dir() else path.parent
    results: list[FileResult] = []
    if loaded.ruleset is not None:
        timezone = loaded.ruleset.policy.timezone
        for result in run_files(loaded.ruleset, loaded.tests, home_cc):
            results.append(result)
            if not as_json:
                _show(result, str(root / result.file.path), timezone)
    if as_json:
        _write_json(results, root, loaded)
    else:
        _close(results, loaded, path)
    if loaded.errors or not results or any(result.passed < len(result.results) for result in results):
        raise typer.Exit(FAILED)


def _show(result: FileResult, shown: str, timezone: str) -> None:
    line = file_line(result, shown)
    line = line.replace(GOOD, typer.style(GOOD, fg="green")).replace(BAD, typer.style(BAD, fg="red"))
    typer.echo(line)
    blocks = list(failures(result, shown, timezone))
    if blocks:
        typer.echo("\n" + "\n\n".join(blocks) + "\n")


def _close(results: list[FileResult], loaded: Loaded, path: Path) -> None:
    """Print what was wrong with files that could not be run, and the closing line."""
    for problem in loaded.errors:
        typer.echo(f"\n{problem.pretty()}")
    if loaded.errors:
        what = "no test was run" if loaded.ruleset is None else "these tests were not run"
        typer.echo(f"\n{_count(len(loaded.errors), 'error')}: {what}")
    elif not results:
        typer.echo(f"no tests in {path}: a test of RULE stands beside it in RULE.test.yaml")
    if results:
        typer.echo(f"\n{summary(results)}")


def _write_json(results: list[FileResult], root: Path, loaded: Loaded) -> None:
    files = [to_json(result, str(root / result.file.path)) for result in results]
    body = {
        "files": files,
        "passed": sum(result.passed for result in results),
        "failed": sum(len(result.results) - result.passed for result in results),
        "problems": [problem.to_json() for problem in loaded.errors],
    }
    typer.echo(orjson.dumps(body, option=orjson.OPT_INDENT_2).decode())


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
