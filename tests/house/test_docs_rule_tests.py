"""The page about rule tests: its commands print what it shows, its further cases pass and decide."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import get_args

import pytest

from engine.language.checks.reasons import REASONS
from engine.language.checks.verbs import COMPANIONS, VERBS
from engine.language.loader import load_dir
from engine.language.model import Limits
from engine.language.testing import Verb
from engine.rule_tests.coverage import cover
from engine.rule_tests.runner import run_files
from tests.house.pages import blocks, commands, missing, program_arguments, run
from tests.house.test_docs import write
from tests.testdata import CHECKOUT

PAGE = "docs/rules/tests.md"
TEXT = (CHECKOUT / PAGE).read_text(encoding="utf-8")
CASES = [block for block in blocks(PAGE) if block.info == "yaml case"]


def test_the_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    write(PAGE, tmp_path, wrong=True)
    wrong = [Path(block.file).name.split(".")[0] for block in blocks(PAGE) if "wrong" in block.info]
    checked = 0
    for block, below in pairwise(blocks(PAGE)):
        for words in commands(block) if block.info == "sh" else ():
            arguments = program_arguments(words)
            assert arguments is not None
            assert below.info == "text", str(block)
            done = run(arguments, tmp_path)
            assert done.returncode == (arguments[1] == "rules" or any(name in arguments[1] for name in wrong))
            assert missing(below.text, done.stdout) == [], str(below)
            checked += 1
    assert checked == 5
    assert (tmp_path / "report.xml").exists()


@pytest.mark.parametrize("nth", range(len(CASES)))
def test_the_further_cases_pass(nth: int, tmp_path: Path) -> None:
    write(PAGE, tmp_path)
    file = tmp_path / "rules" / "city" / "mall-evening.test.yaml"
    more = "".join(f"  {line}\n" if line else "\n" for line in CASES[nth].text.splitlines())
    file.write_text(file.read_text(encoding="utf-8") + "\n" + more, encoding="utf-8")
    loaded = load_dir(file)
    assert [problem.pretty() for problem in loaded.problems] == []
    assert loaded.ruleset is not None
    (result,) = run_files(loaded.ruleset, loaded.tests)
    assert [each.verdict.problems for each in result.results if not each.verdict.passed] == []
    if nth == 0:  # "these cases decide the rest"
        covered = cover(loaded.ruleset, "mall-evening", result.results)
        assert [
            (each.line.label, each.could_be) for each in covered.lines if each.could_be or not each.by
        ] == []


def test_the_page_names_every_event_line_and_every_reason() -> None:
    events = TEXT.split("\n### events\n")[1].split("\n### ")[0]
    assert [verb for verb in get_args(Verb) if f"{verb}:" not in events] == []
    reasons = TEXT.split("\n### because, then\n")[1].split("\n## ")[0].replace("consent.PURPOSE", "consent")
    alone = [r for r in REASONS if not r.startswith("consent.") and r != "arbitration"]
    assert [reason for reason in alone if not re.search(rf"[` ]{re.escape(reason)}[` ]", reasons)] == []


def test_the_page_names_every_kind_of_line() -> None:
    table = TEXT.split("| line | without it |")[1].split("\n\n")[0]
    words = {*VERBS, *(word for required, optional in COMPANIONS.values() for word in (*required, *optional))}
    assert sorted(word for word in words if not re.search(rf"`{word}[`.:]", table)) == []
    limits = [name for name in Limits.__dataclass_fields__ if f"`limits.{name}`" not in table]
    assert limits == ["priority", "holdout"]
    assert all(name in TEXT.split("Not asked, because")[1].split("\n\n")[0] for name in limits)
