"""Every rule test of the project and of the examples passes on the real engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.language.loader import load_dir
from engine.rule_tests.runner import run_files

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("folder", "least"),
    [(ROOT / "rules", 180), (ROOT / "tests" / "examples" / "rules", 19)],
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
