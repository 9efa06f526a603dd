"""`touchpoint test`: the tests that stand beside the rules, run on the real engine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.console import note, say, say_json, unwritable
from engine.cli.test_run import TestRun
from engine.language.loader import load_dir
from engine.rule_tests.coverage import percent
from engine.rule_tests.coverage_report import coverage_line, coverage_sum, findings, written
from engine.rule_tests.junit import junit
from engine.rule_tests.report import BAD, GOOD, failures, file_line, summary
from engine.rule_tests.runner import FileResult
from engine.settings import load_settings

FAILED = 1
APPROVAL = ("R202", "R211")
"""A rule is tested before it is approved."""


def command(
    path: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder with rules and their tests; or one of these files.")
    ],
    rule: Annotated[
        list[str] | None,
        typer.Option("--rule", metavar="NAME", help="Only the tests of this rule; may be given again."),
    ] = None,
    text: Annotated[
        str,
        typer.Option("-k", metavar="TEXT", help="Only cases whose rule or sentence has TEXT in it."),
    ] = "",
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Tell which lines of the rules no case decides.")
    ] = False,
    fail_under: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT", min=0, max=100, help="Exit with 1 if fewer lines are decided; with --coverage."
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="A live rule without an offer and a refusal in its tests fails.")
    ] = False,
    to_junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the results as JUnit XML too.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the results as JSON, decisions included.")
    ] = False,
) -> None:
    """Run the cases of every `*.test.yaml` below DIR on the real engine.

    Each case has the rule alone with its policy and catalogue, live, and runs 48 hours past its last event. A
    case that fails shows what was expected, what was, and every decision that was made. A file with a mistake
    does not keep the others from running. Exit code 1 if a case fails, if a rule or a test file has a
    mistake, or if there are no tests.
    """
    home_cc = load_settings().home_cc
    run = TestRun(path, load_dir(path, home_cc=home_cc, ignore=APPROVAL), home_cc, rule or [], text)
    for result, shown in run.results():
        if not as_json:
            _show(result, shown, run.timezone)
    if coverage or fail_under is not None:
        run.measure()
    if to_junit is not None:
        _write(to_junit, junit(run.done, run.loaded.errors, run.timezone))
    if as_json:
        say_json(run.to_json())
    else:
        _close(run)
    failed = run.failed or (strict and bool(run.warnings))
    share = percent(run.coverages)
    if fail_under is not None and share < fail_under:
        note(f"--fail-under: expected {fail_under:g}% of the lines decided, was {written(share)}")
        failed = True
    if failed:
        raise typer.Exit(FAILED)


def _show(result: FileResult, shown: str, timezone: str) -> None:
    line = file_line(result, shown)
    line = line.replace(GOOD, typer.style(GOOD, fg="green")).replace(BAD, typer.style(BAD, fg="red"))
    say(line)
    blocks = list(failures(result, shown, timezone))
    if blocks:
        say("\n" + "\n\n".join(blocks) + "\n")


def _close(run: TestRun) -> None:
    """Print what was wrong with files that could not be run, coverage, warnings and the closing line."""
    for problem in run.loaded.errors:
        say(f"\n{problem.pretty()}")
    if run.warnings:
        say()
    for problem in run.warnings:
        say(str(problem))
        if problem.hint:
            say(f"  hint: {problem.hint}")
    errors = len(run.loaded.errors)
    if errors:
        what = "no test was run" if run.rules is None else "these files were not tested"
        say(f"\n{_count(errors, 'error')}: {what}")
    elif not run.done:
        chosen = bool(run.names or run.text)
        hint = (
            "no case is of that rule and text"
            if chosen
            else "a test of RULE stands beside it in RULE.test.yaml"
        )
        say(f"no tests in {run.path}: {hint}")
    if run.coverages:
        say()
    for coverage, source in zip(run.coverages, run.sources, strict=True):
        tested = any(result.file.rule == coverage.rule.name for result, _ in run.done)
        say(coverage_line(coverage, source.path) + ("" if tested else ": it has no test"))
        for finding in findings(coverage, source) if tested else ():
            say(f"  {finding}")
    if run.done:
        say(f"\n{summary([result for result, _ in run.done])}")
    if run.coverages:
        say(coverage_sum(run.coverages))


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise unwritable(path, "a file", error) from None


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
