"""The pages about problems are what the checks make of them, and every example does what it says."""

from __future__ import annotations

import pytest

from engine.language.checks.codes import ALL
from tools.problem_examples import run
from tools.problem_pages import FOLDER, INDEX, TITLES, pages


def test_the_committed_pages_are_the_generated_ones() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    assert committed == pages(), "python -m tools.problem_pages"


@pytest.mark.parametrize("code", ALL)
def test_the_bad_example_has_the_problem_at_a_place_it_shows(code: str) -> None:
    here = [found.problem for found in run(ALL[code].bad, ALL[code].command) if found.line is not None]
    assert code in [problem.code for problem in here]
    assert ALL[code].level in [problem.severity for problem in here if problem.code == code]


@pytest.mark.parametrize("code", ALL)
def test_the_good_example_has_no_problem(code: str) -> None:
    assert [found.problem.pretty() for found in run(ALL[code].good, ALL[code].command)] == []


def test_the_list_links_every_page() -> None:
    made = pages()
    assert [code for code in ALL if f"[{code}]({code}.md)" not in made[INDEX]] == []
    assert {code[:2] for code in ALL} <= set(TITLES)
