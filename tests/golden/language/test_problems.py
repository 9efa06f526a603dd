"""What authors see when they are wrong, word for word.

A case file holds a bundle of virtual files (`=== path`), laid over the policy and catalogue of the examples;
beside it stands what `check` says. `TOUCHPOINT_UPDATE_GOLDEN=1` writes the answers anew: read the difference
before you keep it.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.language.checks.codes import ALL
from engine.language.folders import read_folder
from engine.language.loader import load_dir, load_texts
from engine.language.problems import render

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"
CASES = sorted((HERE / "cases").glob("*.txt"))
REVIEWED = sorted((HERE / "reviewed").glob("*.txt"))
AS_OF = datetime(2026, 9, 5, tzinfo=UTC)
"""The day of the reviews."""


def bundle(text: str) -> dict[str, str]:
    """Split `=== path` sections into files, over the examples' policy and catalogue.

    A bundle that brings its own catalogue or policy stands for itself.
    """
    parts = re.split(r"^=== (.+)\n", text, flags=re.MULTILINE)
    files = dict(zip(parts[1::2], parts[2::2], strict=True))
    if any(path.startswith("catalog/") for path in files):
        return files
    house = read_folder(EXAMPLES / "rules").texts
    house = {path: t for path, t in house.items() if path == "policy.yaml" or path.startswith("catalog/")}
    return house | files


def compare(shown: str, expected: Path) -> None:
    if os.environ.get("TOUCHPOINT_UPDATE_GOLDEN"):
        expected.write_text(shown)
    assert shown == expected.read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_report(case: Path) -> None:
    loaded = load_texts(bundle(case.read_text()))
    compare(render(loaded.problems, loaded.rule_files), case.with_suffix(".out"))


@pytest.mark.parametrize("case", REVIEWED, ids=lambda path: path.stem)
def test_review(case: Path) -> None:
    loaded = load_texts(bundle(case.read_text()), review=AS_OF)
    compare(render(loaded.problems, loaded.rule_files), case.with_suffix(".out"))


def test_the_cases_show_every_code_that_texts_can_have() -> None:
    shown = [load_texts(bundle(case.read_text())) for case in CASES]
    shown += [load_texts(bundle(case.read_text()), review=AS_OF) for case in REVIEWED]
    seen = {problem.code for loaded in shown for problem in loaded.problems}
    # files that are missing or no text: test_loader; what only `places check` says: golden/places
    in_other_tests = {"R005", "R006", "R708", "R709", "R710"}
    assert set(ALL) - in_other_tests <= seen | {"R104", "R401"}


def test_the_cases_show_many_problems() -> None:
    said = {
        line
        for case in CASES
        for line in re.findall(r"^\S+:\d+:\d+: (.+)", case.with_suffix(".out").read_text(), re.MULTILINE)
    }
    assert len(said) >= 200


def bad_examples(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(HERE)
    loaded = load_dir(Path("../../examples/bad"), catalog=Path("../../examples/rules"))
    return render(loaded.problems, loaded.rule_files)


def test_bad_examples_word_for_word(monkeypatch: pytest.MonkeyPatch) -> None:
    compare(bad_examples(monkeypatch), HERE / "bad.out")


def test_bad_examples_have_the_positions_and_causes_that_were_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def places(report: str) -> list[tuple[str, ...]]:
        return re.findall(r"^\S*?(\w+\.yaml):(\d+):(\d+): .* \[(R\d+)\]$", report, flags=re.MULTILINE)

    asked = places((EXAMPLES / "bad" / "expected.out").read_text())
    assert len(asked) == 29
    assert places(bad_examples(monkeypatch)) == asked
