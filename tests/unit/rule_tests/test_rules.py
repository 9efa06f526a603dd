"""Every rule test of the project and of the examples passes on the real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.language.loader import load_dir
from engine.language.testing import lacking
from engine.rule_tests.coverage import cover
from engine.rule_tests.runner import run_files

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("folder", "least"),
    [(ROOT / "rules", 400), (ROOT / "tests" / "examples" / "rules", 19)],
    ids=["own", "ex"],
)
def test_all_cases_pass(folder: Path, least: int) -> None:
    loaded = load_dir(folder)
    assert loaded.errors == ()
    assert loaded.ruleset is not None
    results = list(run_files(loaded.ruleset, loaded.tests))
    failed = [
        (result.file.path, each.case.line, each.verdict.problems)
        for result in results
        for each in result.results
        if not each.verdict.passed
    ]
    assert failed == []
    assert sum(result.passed for result in results) >= least


def test_the_projects_own_tests_decide_every_line_of_its_rules() -> None:
    loaded = load_dir(ROOT / "rules")
    assert loaded.ruleset is not None
    covered = [
        cover(loaded.ruleset, result.file.rule, result.results)
        for result in run_files(loaded.ruleset, loaded.tests)
    ]
    assert {each.rule.name for each in covered} == set(loaded.ruleset.rules)
    assert [(c.rule.name, x.line.label) for c in covered for x in c.lines if not x.decided] == []
    # a year's cap has no room in a year
    assert {c.rule.name for c in covered for x in c.lines if x.could_be} <= {"first-internet-use"}
    for file in loaded.tests:
        assert lacking(file.cases) == ""
