"""The pages about rules: every YAML example is loaded and tested, every command run, every list is whole.

A block that opens with `# PATH` is that file; all files of a page together are sets of rules, beside the
project's own. A block without a name replaces sections of the page's first rule. A block marked `wrong` holds
mistakes, which the output below it reports.
"""

from __future__ import annotations

import re
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.event_kinds import KINDS
from engine.language.checks.reasons import REASONS
from engine.language.checks.verbs import VERBS
from engine.language.loader import load_dir
from engine.language.model import RuleSet
from engine.rule_tests.runner import run_files
from engine.settings import PREFIX, Settings, roles_of
from tests.house.pages import Block, blocks, commands, missing, program_arguments, run
from tests.house.sources import files
from tests.testdata import CHECKOUT

PAGES = [
    str(path)
    for path in files()
    if path.suffix == ".md" and path.parts[0] == "docs" and path.parent.name != "problems"
]
"""Those about problems have a test of their own: they show what is wrong."""
WITH_YAML = [page for page in PAGES if any(block.info.startswith("yaml") for block in blocks(page))]
FILES = ("yaml", "csv", "json")
"""Blocks that are files without a mistake."""
GUIDE, REFERENCE = "docs/rules/guide.md", "docs/rules/reference.md"
FRAGMENTS = [block for page in PAGES for block in blocks(page) if block.info == "yaml" and not block.file]
PLAIN_OFFER = {"channel": "sms", "text": "【移动】{product.name}{product.price}。退订回R。"}
"""Fits every pattern: nothing in it comes from the match."""


def write(page: str, folder: Path, *, wrong: bool = False) -> list[Path]:
    """Write the files of a page beside the project's rules; return the sets of rules they belong to."""
    shutil.copytree(CHECKOUT / "rules", folder / "rules")
    named = [block for block in blocks(page) if block.file]
    for block in named:
        if wrong or block.info in FILES:
            path = folder / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.whole, encoding="utf-8")
    return [folder / name for name in dict.fromkeys(Path(block.file).parts[0] for block in named)]


def loaded(folder: Path, page: str) -> RuleSet:
    """Load a set of rules that may have no problem, and run its tests that the page shows."""
    found = load_dir(folder)
    assert [problem.pretty() for problem in found.problems] == []
    assert found.ruleset is not None
    shown = {Path(block.file).name for block in blocks(page)}
    tests = [test for test in found.tests if Path(test.path).name in shown]
    for result in run_files(found.ruleset, tests):
        failed = [(one.case.name, one.verdict.problems) for one in result.results if not one.verdict.passed]
        assert failed == [], result.file.path
    return found.ruleset


@pytest.mark.parametrize("page", WITH_YAML)
def test_the_examples_have_no_problem_and_their_tests_pass(page: str, tmp_path: Path) -> None:
    for folder in write(page, tmp_path):
        loaded(folder, page)


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=str)
def test_a_fragment_fits_a_rule(fragment: Block, tmp_path: Path) -> None:
    [folder] = write(fragment.page, tmp_path)
    path = next(tmp_path / block.file for block in blocks(fragment.page) if block.text.count("\nrule: "))
    rule: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506
    changed: dict[str, Any] = yaml.load(fragment.text, yaml.BaseLoader)  # noqa: S506
    assert set(changed) <= set(rule)
    rule["offer"]["send"] = [PLAIN_OFFER]
    path.write_text(yaml.safe_dump({**rule, **changed}, allow_unicode=True), encoding="utf-8")
    assert [problem.pretty() for problem in load_dir(folder).problems] == []


def test_the_commands_of_the_guide_print_what_it_shows(tmp_path: Path) -> None:
    write(GUIDE, tmp_path, wrong=True)
    wrong = {block.file for block in blocks(GUIDE) if "wrong" in block.info}
    found = blocks(GUIDE)
    checked = 0
    for block, below in pairwise(found):
        for words in commands(block) if block.info == "sh" else ():
            arguments = program_arguments(words)
            assert arguments is not None
            assert below.info == "text", str(block)
            done = run(arguments, tmp_path)
            assert done.returncode == (1 if arguments[-1] in wrong else 0), done.stderr
            assert done.stderr == ""
            assert missing(below.text, done.stdout) == [], str(below)
            checked += 1
    assert checked == 4
    assert wrong


def cells(page: str, heading: str) -> str:
    """The first cells of the rows below a heading, as text."""
    text = (CHECKOUT / page).read_text(encoding="utf-8")
    part = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return "\n".join(re.findall(r"^\| ([^|]+) \|", part, re.MULTILINE))


def test_the_reference_lists_every_kind_and_its_fields() -> None:
    listed = set(re.findall(r"[a-z]+\.[a-z]+|\b[a-z]+\b", cells(REFERENCE, "Kinds of records"))) - {"kind"}
    events = {name for name, spec in KINDS.items() if spec.group != "control"}
    assert listed == events
    page = (CHECKOUT / REFERENCE).read_text(encoding="utf-8")
    fields = {name for event in events for name in (*KINDS[event].fields, *KINDS[event].derived)}
    assert sorted(name for name in fields if f"`{name}`" not in page) == []


def test_the_reference_lists_every_reason_in_the_order_of_the_gates() -> None:
    listed = re.findall(r"`([\w.]+)`", cells(REFERENCE, "Gates and reasons"))
    asked = [reason for reason in REASONS if reason not in ("when", "holdout")]
    assert [reason for reason in listed if "FIELD" not in reason] == asked
    assert [reason for reason in listed if "FIELD" in reason] == ["who.FIELD", "except.FIELD"]


def test_the_reference_shows_every_verb() -> None:
    shown = "".join(block.text for block in blocks(REFERENCE) if block.info == "yaml")
    assert [verb for verb in VERBS if not re.search(rf"\b{verb}: ?", shown)] == []


def test_operations_list_every_setting_of_the_embedded_run() -> None:
    listed = re.findall(rf"`{PREFIX}(\w+)`", cells("docs/operations.md", "Settings"))
    assert [name.lower() for name in listed] == [
        name for name in Settings.model_fields if "run" in roles_of(name)
    ]
