"""A folder of rules on its way into force: parsed, checked, tested, then one set (`examine`).

Whatever is wrong raises, so that the set in force before stays. `touchpoint rules publish`, `rules watch` and
the embedded run all come through here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from engine.errors import InputError, RulesError, RuleTestsError
from engine.language import words
from engine.language.loader import load_dir
from engine.language.model import RuleSet
from engine.language.problems import Problem
from engine.published import Published, files_of
from engine.rule_tests.report import failures
from engine.rule_tests.runner import run_files

BY_AT_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """A set that may come into force."""

    ruleset: RuleSet
    published: Published
    warnings: tuple[Problem, ...]
    cases: int
    """Of rule tests, all passed."""


def examine(folder: Path, by: str, at: int, home_cc: str, *, strict: bool = False) -> Candidate:
    """Check the rules of a folder and run their tests. `at`: now, µs UTC; `strict`: no warnings either.

    Raises `RulesError` with every problem, `RuleTestsError` with every case that fails, `InputError` for a
    folder that is none or changes meanwhile, or a name of nobody.
    """
    by = name_of_author(by)
    files = files_of(folder)
    loaded = load_dir(folder, home_cc=home_cc, review=datetime.fromtimestamp(at / 1e6, UTC))
    wanted = loaded.problems if strict else loaded.errors
    if wanted or loaded.ruleset is None:
        raise RulesError(wanted)
    if not loaded.ruleset.rules:
        raise InputError(str(folder), "at least one rule", "none: published, it would end all there are")
    timezone, failed, cases = loaded.ruleset.policy.timezone, list[str](), 0
    for result in run_files(loaded.ruleset, loaded.tests, home_cc):
        cases += len(result.results)
        failed += failures(result, str(folder / result.file.path), timezone)
    if failed:
        raise RuleTestsError(failed, cases)
    if files != files_of(folder):
        raise InputError(str(folder), "files that stand still while they are checked", "a change")
    published = Published(loaded.ruleset.hash, by, at, dict(loaded.deciding))
    return Candidate(loaded.ruleset, published, loaded.problems, cases)


def name_of_author(by: str) -> str:
    """Return the name of whoever changes rules, trimmed; raise `InputError` if it is none."""
    name = by.strip()
    if not 1 <= len(name) <= BY_AT_MOST:
        raise InputError("--by", f"a name of 1 to {BY_AT_MOST} characters", by)
    return name


def check_canary(spec: str, rules: RuleSet) -> None:
    """Raise `InputError` unless this is a share, or a place or group of the set."""
    if spec in rules.catalog.places or spec in rules.catalog.groups:
        return
    try:
        words.share(spec)
    except words.Unreadable:
        raise InputError(
            "--canary", "a share such as `5%`, or a place or group of these rules", spec
        ) from None
