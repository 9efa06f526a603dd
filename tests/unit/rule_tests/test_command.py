"""`touchpoint test`: what it prints and how it ends."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from engine.cli.main import app
from tests.unit.rule_tests.support import EXAMPLES


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLES, tmp_path / "rules"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["test", *arguments])


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_every_file_has_its_ticks_and_the_end_its_sum() -> None:
    result = run(str(EXAMPLES))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert f"{EXAMPLES}/campus/mall-dwell.test.yaml  ✓✓✓  3 of 3 cases" in lines
    assert lines[-1] == "4 files, 19 cases: 19 passed"


def test_one_file_is_tested_with_its_rule() -> None:
    result = run(str(EXAMPLES / "campus" / "mall-dwell.test.yaml"))
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "1 file, 3 cases: 3 passed"


def test_a_case_that_fails_shows_where_what_and_what_happened(rules: Path) -> None:
    file = rules / "campus" / "mall-dwell.test.yaml"
    change(file, "arpu: 80 yuan", "arpu: 8 yuan")
    result = run(str(file))
    assert result.exit_code == 1
    assert f"{file}  ✗✗✓  1 of 3 cases" in result.stdout
    expected = f"""
{file}:6: thirty minutes in one mall
  line 10: expected an offer of mall-coupon at +30m, was none, because who.arpu
  what happened:
    +30m  Sat 14:30:00  refused who.arpu (8)  (line 8)
"""
    assert expected in result.stdout
    assert result.stdout.endswith("1 file, 3 cases: 1 passed, 2 failed\n")


def test_machines_get_all_of_it(rules: Path) -> None:
    change(rules / "campus" / "mall-dwell.test.yaml", "arpu: 80 yuan", "arpu: 8 yuan")
    result = run(str(rules), "--json")
    assert result.exit_code == 1
    body = orjson.loads(result.stdout)
    assert (body["passed"], body["failed"], body["problems"]) == (17, 2, [])
    (file,) = [file for file in body["files"] if file["rule"] == "mall-dwell"]
    assert [case["passed"] for case in file["cases"]] == [False, False, True]
    assert file["cases"][0]["decisions"][0]["reason"] == "who.arpu"


def test_a_test_of_a_rule_that_is_not_there_is_an_error(rules: Path) -> None:
    (rules / "campus" / "mall-dwell.yaml").unlink()
    result = run(str(rules))
    assert result.exit_code == 1
    assert "mall-dwell.test.yaml:1:8: no rule `mall-dwell`" in result.stdout
    assert result.stdout.endswith("3 files, 16 cases: 16 passed\n")


def test_with_a_broken_rule_nothing_runs(rules: Path) -> None:
    change(rules / "campus" / "mall-dwell.yaml", "stays_in: ", "stay_in: ")
    result = run(str(rules))
    assert result.exit_code == 1
    assert "no test was run" in result.stdout


def test_a_folder_without_tests_does_not_pass(rules: Path) -> None:
    for file in rules.rglob("*.test.yaml"):
        file.unlink()
    result = run(str(rules))
    assert result.exit_code == 1
    assert result.stdout == f"no tests in {rules}: a test of RULE stands beside it in RULE.test.yaml\n"


def test_a_folder_that_is_not_there_is_said() -> None:
    result = run("nowhere")
    assert result.exit_code == 2
    assert "expected a folder or file that exists" in result.stderr
