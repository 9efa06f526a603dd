"""`touchpoint test`: what it prints and how it ends."""

from __future__ import annotations

import shutil
from pathlib import Path
from xml.etree import ElementTree

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


def test_a_broken_rule_does_not_keep_the_others_from_their_tests(rules: Path) -> None:
    change(rules / "campus" / "mall-dwell.yaml", "stays_in: ", "stay_in: ")
    result = run(str(rules))
    assert result.exit_code == 1
    assert "mall-dwell.yaml:8:3: `stay_in`" in result.stdout
    assert "1 error: these files were not tested" in result.stdout
    assert result.stdout.endswith("3 files, 16 cases: 16 passed\n")


def test_a_rule_that_is_no_text_does_not_either(rules: Path) -> None:
    (rules / "campus" / "campus-welcome.yaml").write_bytes(b"rule: \xff")
    result = run(str(rules))
    assert result.exit_code == 1
    assert result.stdout.endswith("4 files, 19 cases: 19 passed\n")


@pytest.mark.parametrize("file", ["policy.yaml", "catalog/places.yaml"])
def test_with_a_broken_house_nothing_runs(rules: Path, file: str) -> None:
    (rules / file).write_bytes(b"a: [\xff")
    result = run(str(rules))
    assert result.exit_code == 1
    assert result.stdout.endswith("no test was run\n")
    assert "cases" not in result.stdout


def test_a_test_file_without_cases_is_an_error(rules: Path) -> None:
    file = rules / "campus" / "mall-dwell.test.yaml"
    file.write_text("tests: mall-dwell\nstarts: 2026-09-05 10:00\ncases: []\n")
    result = run(str(file))
    assert result.exit_code == 1
    assert f"{file}:3:8: expected at least 1 of cases" in result.stdout or "[R108]" in result.stdout


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


# -- which cases ---------------------------------------------------------------------------------------------


def test_the_rules_that_are_named_are_tested() -> None:
    result = run(str(EXAMPLES), "--rule", "mall-dwell", "--rule", "competitor-calls")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "2 files, 9 cases: 9 passed")


def test_a_rule_that_is_not_there_is_named_with_a_guess() -> None:
    result = run(str(EXAMPLES), "--rule", "mall-dwel")
    assert result.exit_code == 2
    assert "--rule: expected a rule of" in result.stderr
    assert "did you mean `mall-dwell`?" in result.stderr


def test_cases_are_chosen_by_a_text_of_rule_or_sentence() -> None:
    result = run(str(EXAMPLES), "-k", "MINUTES in one")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "1 file, 1 case: 1 passed")
    assert "warning" not in result.stdout, "a part of the cases says nothing about what there is"
    nothing = run(str(EXAMPLES), "-k", "no case says this")
    assert (nothing.exit_code, "no case is of that rule and text" in nothing.stdout) == (1, True)


# -- enough tests --------------------------------------------------------------------------------------------


def test_a_live_rule_with_too_few_tests_is_a_warning_and_fails_if_strict(rules: Path) -> None:
    file = rules / "service" / "competitor-calls.test.yaml"
    text = file.read_text()
    file.write_text(text[: text.index("  - case:", text.index("  - case:") + 1)])
    rule = f"{rules}/service/competitor-calls.yaml"
    said = f"{rule}:4:1: warning: live, but no case that passes expects a refusal (`nothing`, or `then`)"
    for options, code in (([], 0), (["--strict"], 1)):
        result = run(str(rules), "--rule", "competitor-calls", *options)
        assert result.exit_code == code
        assert said in result.stdout


def test_a_case_that_fails_is_no_proof(rules: Path) -> None:
    change(rules / "service" / "competitor-calls.test.yaml", "network.months: 30", "network.months: 1")
    result = run(str(rules), "--rule", "competitor-calls", "--json")
    (warning,) = orjson.loads(result.stdout)["warnings"]
    assert warning["message"] == "live, but no case that passes expects an offer"


def test_that_the_control_arm_gets_nothing_is_no_refusal(rules: Path) -> None:
    file = rules / "service" / "competitor-calls.test.yaml"
    text = file.read_text()
    held = text[: text.index("  - case:", text.index("  - case:") + 1)] + (
        "  - case: held out\n    arm: control\n    events: [{at: +0h, happens: call.out, number: 10010,"
        " duration: 95s, times: 3, every: 1h}]\n    expect: nothing\n    because: holdout\n"
    )
    file.write_text(held)
    result = run(str(rules), "--rule", "competitor-calls", "--strict")
    assert result.exit_code == 1
    assert "1 file, 2 cases: 2 passed" in result.stdout
    assert "no case that passes expects a refusal" in result.stdout


@pytest.mark.parametrize(
    ("more", "line", "when"),
    [
        ("  - {case: no call, events: [], expect: nothing, because: when}\n", 13, "in it"),
        ("    then: when\n", 6, "after the last offer"),
    ],
)
def test_a_refusal_that_cannot_fail_is_none(rules: Path, more: str, line: int, when: str) -> None:
    file = rules / "service" / "competitor-calls.test.yaml"
    text = file.read_text()
    first = text[: text.index("  - case:", text.index("  - case:") + 1)]
    file.write_text(first.rstrip() + "\n" + more)
    result = run(str(rules), "--rule", "competitor-calls", "--strict")
    assert result.exit_code == 1
    assert " passed" in result.stdout
    assert " failed" not in result.stdout
    assert "no case that passes expects a refusal" in result.stdout
    hint = f"the case of line {line} says `when`, but nothing happens {when}: it can't fail"
    assert f"  hint: {hint}\n" in result.stdout


def test_a_draft_needs_no_tests(rules: Path) -> None:
    change(rules / "campus" / "campus-welcome.yaml", "status: live", "status: draft")
    assert run(str(rules), "--rule", "campus-silent", "--rule", "campus-welcome", "--strict").exit_code == 0


# -- coverage ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("least", "code"), [("30", 0), ("30.1", 1), ("0", 0)])
def test_too_few_lines_decided_is_a_failure(least: str, code: int) -> None:
    result = run(str(EXAMPLES), "--rule", "mall-dwell", "--fail-under", least)
    assert result.exit_code == code
    assert "mall-dwell.yaml  3 of 10 lines decided" in result.stdout
    assert ("expected 30.1% of the lines decided, was 30%" in result.stderr) is bool(code)


def test_a_share_is_a_percentage() -> None:
    assert run(str(EXAMPLES), "--fail-under", "101").exit_code == 2


def test_a_rule_without_tests_counts_with_all_its_lines() -> None:
    body = orjson.loads(run(str(EXAMPLES), "--coverage", "--json").stdout)["coverage"]
    untested = next(rule for rule in body["rules"] if rule["rule"] == "sms-heavy")
    assert untested["decided"] == 0
    assert body["lines"] == sum(len(rule["lines"]) for rule in body["rules"])
    assert body["decided"] == sum(line["decided"] for rule in body["rules"] for line in rule["lines"])


# -- JUnit ---------------------------------------------------------------------------------------------------

NUMBERS = {"tests": int, "failures": int, "errors": int, "skipped": int, "line": int, "time": float}
ATTRIBUTES = {
    "testsuites": {"name", "tests", "failures", "errors", "time"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time"},
    "testcase": {"name", "classname", "file", "line", "time"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"testcase"},
    "testcase": {"failure", "error"},
    "failure": set[str](),
    "error": set[str](),
}
"""What the readers of Jenkins and GitLab know of this form, as far as it is used here."""


def test_the_report_has_the_form_that_build_servers_read(rules: Path, tmp_path: Path) -> None:
    change(rules / "campus" / "mall-dwell.test.yaml", "arpu: 80 yuan", "arpu: 8 yuan")
    change(rules / "campus" / "campus-silent.test.yaml", "expect:", "expects:")
    report = tmp_path / "report.xml"
    assert run(str(rules), "--junit", str(report)).exit_code == 1
    root = ElementTree.parse(report).getroot()
    assert root.tag == "testsuites"
    for element in root.iter():
        assert set(element.attrib) == ATTRIBUTES[element.tag]
        assert {child.tag for child in element} <= CHILDREN[element.tag]
        assert all(NUMBERS[name](value) >= 0 for name, value in element.attrib.items() if name in NUMBERS)
    for parent in (root, *root.findall("testsuite")):
        for count, found in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
            assert int(parent.attrib[count]) == len(list(parent.iter(found)))
    (broken,) = root.iterfind("testsuite/testcase[error]")
    assert broken.attrib["file"] == f"{rules}/campus/campus-silent.test.yaml"
    failed = root.findall("testsuite/testcase[failure]")
    assert [case.attrib["line"] for case in failed] == ["6", "12"]
    assert failed[0].attrib["classname"].endswith("rules.campus.mall-dwell")
    assert "expected an offer of mall-coupon at +30m" in (failed[0][0].text or "")
    assert float(root.attrib["time"]) > 0


def test_characters_that_no_xml_may_hold_are_replaced(rules: Path, tmp_path: Path) -> None:
    file = rules / "campus" / "mall-dwell.test.yaml"
    change(file, "case: thirty minutes in one mall", 'case: "\\ufffe & <half an hour>"')
    report = tmp_path / "report.xml"
    assert run(str(file), "--junit", str(report)).exit_code == 0
    names = [case.attrib["name"] for case in ElementTree.parse(report).iter("testcase")]
    assert names[0] == "\ufffd & <half an hour>"


def test_a_report_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    result = run(str(EXAMPLES), "--junit", str(tmp_path / "no" / "report.xml"))
    assert result.exit_code == 2
    assert "expected a file that can be written" in result.stderr
