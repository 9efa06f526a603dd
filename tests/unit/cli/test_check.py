"""`touchpoint check`: problems with positions, a count, an exit code."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest

from tests.unit.cli.support import RULE, Touchpoint


def test_good_rules(touchpoint: Touchpoint, rules: Path) -> None:
    (rules / "team" / "hall-visit.yaml").write_text(RULE.replace("status: live", "status: draft"))
    done = touchpoint("check", rules)
    assert (done.exit_code, done.stdout) == (0, "1 rule, 0 problems\n")


def test_an_error_is_shown_with_its_position(touchpoint: Touchpoint, rules: Path) -> None:
    path = rules / "team" / "hall-visit.yaml"
    path.write_text(RULE.replace("enters: hall", "enters: hal"))
    failed = touchpoint("check", rules)
    assert failed.exit_code == 1
    assert f"{path}:8:16: no place `hal` in the catalogue [R204]" in failed.stdout
    assert "did you mean `hall`?" in failed.stdout
    assert failed.stdout.endswith("1 rule, 1 problem\n")


def test_json(touchpoint: Touchpoint, rules: Path) -> None:
    (rules / "team" / "hall-visit.yaml").write_text(RULE.replace("priority: 50", "priority: 500"))
    failed = touchpoint("check", rules, "--json")
    assert failed.exit_code == 1
    said = orjson.loads(failed.stdout)
    assert (said["rules"], said["errors"], said["warnings"]) == (1, 1, 0)
    assert [(p["line"], p["code"], p["severity"]) for p in said["problems"]] == [(14, "R108", "error")]


def test_a_warning_is_an_error_only_when_strict(touchpoint: Touchpoint, rules: Path) -> None:
    (rules / "catalog" / "places.yaml").write_text("hall: {name: 营业厅, cells: [the one by the door]}\n")
    assert touchpoint("check", rules).exit_code == 0
    failed = touchpoint("check", rules, "--strict")
    assert failed.exit_code == 1
    assert "warning: " in failed.stdout


def test_one_file_and_its_folder_report_a_problem_once(touchpoint: Touchpoint, rules: Path) -> None:
    path = rules / "team" / "hall-visit.yaml"
    path.write_text(RULE.replace("tier:", "teir:"))
    failed = touchpoint("check", path, path, "--json")
    assert failed.exit_code == 1
    assert len(orjson.loads(failed.stdout)["problems"]) == 1


def test_a_file_or_a_part_is_held_against_the_set_around_it(
    touchpoint: Touchpoint, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    twin = rules / "others" / "hall-twin.yaml"
    twin.parent.mkdir()
    twin.write_text(RULE.replace("rule: hall-visit", "rule: hall-twin"))
    (rules / "others" / "hall-visit.yaml").write_text(RULE)

    def codes(*paths: object) -> list[str]:
        found = orjson.loads(touchpoint("check", *paths, "--json").stdout)["problems"]
        assert all(Path(problem["path"]).exists() for problem in found)
        return [problem["code"] for problem in found if problem["code"].startswith("R50")]

    whole = codes(rules)
    assert {"R501", "R502"} <= set(whole)
    assert "R502" in codes(twin)
    assert "R502" not in codes(twin, "--catalog", rules)
    parts = codes(rules / "team", rules / "others")
    assert sorted(parts) == sorted(whole)
    assert sorted(codes(rules, rules / "team", twin)) == sorted(whole), "each once"
    monkeypatch.chdir(twin.parent)
    assert "R502" in codes("./hall-twin.yaml")


def test_the_catalogue_of_another_folder(touchpoint: Touchpoint, rules: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "hall-visit.yaml"
    moved.parent.mkdir()
    moved.write_text(RULE)
    assert touchpoint("check", moved.parent).exit_code == 1
    assert touchpoint("check", moved.parent, "--catalog", rules).exit_code == 0


def test_the_day_that_dates_are_compared_with(touchpoint: Touchpoint, rules: Path) -> None:
    assert "[R405]" not in touchpoint("check", rules, "--on", "2026-09-30").stdout
    assert "[R405]" in touchpoint("check", rules, "--on", "2026-10-01").stdout
    failed = touchpoint("check", rules, "--on", "tomorrow")
    assert failed.exit_code == 2
    assert "--on: expected a date such as 2026-09-01, was 'tomorrow'" in failed.stderr


def test_what_messages_cost(touchpoint: Touchpoint, rules: Path) -> None:
    free = touchpoint("check", rules, "--cost").stdout
    assert free.endswith("to see prices, add `cost: {sms: 0.05 yuan, mms: 0.30 yuan}` to policy.yaml\n")
    policy = rules / "policy.yaml"
    policy.write_text(policy.read_text() + "cost: {sms: 0.05 yuan}\n")
    shown = touchpoint("check", rules, "--cost").stdout.splitlines()
    assert shown[-2].split() == "rule message channel characters SMS parts yuan each".split()
    assert shown[-1].split() == "hall-visit 1 sms 25 1 0.05".split()
    costs = orjson.loads(touchpoint("check", rules, "--cost", "--json").stdout)["costs"]
    assert costs == [
        {"rule": "hall-visit", "number": 1, "channel": "sms", "characters": 25, "parts": 1, "yuan": 0.05}
    ]
    (rules / "team" / "hall-visit.yaml").write_text("rule: x\n")
    assert "no rule without errors" in touchpoint("check", rules, "--cost").stdout


def test_a_folder_that_is_not_there(touchpoint: Touchpoint, tmp_path: Path) -> None:
    failed = touchpoint("check", tmp_path / "nowhere")
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert "expected a folder or file that exists" in failed.stderr


def test_sarif(touchpoint: Touchpoint, rules: Path) -> None:
    (rules / "team" / "hall-visit.yaml").write_text(RULE.replace("priority: 50", "priority: 500"))
    failed = touchpoint("check", rules, "--sarif")
    assert failed.exit_code == 1
    [run] = orjson.loads(failed.stdout)["runs"]
    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [("R108", "error")]


def test_json_and_sarif_exclude_each_other(touchpoint: Touchpoint, rules: Path) -> None:
    failed = touchpoint("check", rules, "--json", "--sarif")
    assert failed.exit_code == 2
    assert "expected one of --json and --sarif, was 'both'" in failed.stderr


def test_a_part_of_the_house_is_checked_with_the_whole_set(
    touchpoint: Touchpoint, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(rules.parent)
    rules = Path(rules.name)
    products = rules / "catalog" / "products.yaml"
    products.write_text(products.read_text(encoding="utf-8").replace("gift", "gifd"), encoding="utf-8")
    found = [
        touchpoint("check", path) for path in (rules, products, rules / "policy.yaml", rules / "catalog")
    ]
    assert "R301" in found[0].stdout
    assert {(one.exit_code, one.stdout) for one in found} == {(1, found[0].stdout)}


def test_what_the_house_lacks_is_told_at_its_place(touchpoint: Touchpoint, rules: Path) -> None:
    rule = rules / "team" / "hall-visit.yaml"
    (rules / "policy.yaml").rename(rules / "saved")
    for path in (rules, rule, rules / "catalog", rules / "catalog" / "products.yaml"):
        found = orjson.loads(touchpoint("check", path, "--json").stdout)["problems"]
        errors = [one for one in found if one["severity"] == "error"]
        assert [(Path(one["path"]).resolve(), one["code"]) for one in errors] == [
            (rules / "policy.yaml", "R005")
        ], path
    (rules / "saved").rename(rules / "policy.yaml")
    (rules / "catalog").rename(rules / "catalogue")
    for path in (rules, rule, rules / "policy.yaml"):
        found = orjson.loads(touchpoint("check", path, "--json").stdout)["problems"]
        errors = [one for one in found if one["severity"] == "error"]
        assert [(Path(one["path"]).resolve(), one["code"]) for one in errors] == [(rules / "catalog", "R005")]


def test_a_file_that_is_no_part_of_a_set_is_refused(touchpoint: Touchpoint, rules: Path) -> None:
    (rules / "notes.txt").write_text("hello", encoding="utf-8")
    result = touchpoint("check", rules / "notes.txt")
    assert result.exit_code == 2
    assert "expected a folder, or a .yaml file, of rules" in result.stderr


def test_a_file_named_twice_is_counted_once(
    touchpoint: Touchpoint, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(rules.parent)
    rules = Path(rules.name)
    once = touchpoint("check", rules).stdout
    [file] = [path for path in (rules / "team").glob("*.yaml") if ".test." not in path.name][:1]
    assert touchpoint("check", file, file, rules).stdout == once


def test_hints_to_approve_name_the_folder_of_the_rule(touchpoint: Touchpoint, rules: Path) -> None:
    said = touchpoint("check", rules).stdout
    hints = [line for line in said.splitlines() if "touchpoint approve" in line]
    assert hints
    assert all(line.endswith(f"--rules {rules}") for line in hints)


def test_hints_of_two_sets_name_each_its_own_folder(
    touchpoint: Touchpoint, rules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(rules.parent)
    shutil.copytree(rules, "other")
    found = orjson.loads(touchpoint("check", rules.name, "other", "--json").stdout)["problems"]
    hints = {one["path"].split("/")[0]: one["hint"] for one in found if one["code"] == "R212"}
    assert "--rules" not in hints["rules"]
    assert hints["other"].endswith(" --rules other")
