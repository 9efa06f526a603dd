"""`touchpoint approve`: who may, what is recorded, what the next check says."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.approving import approve
from engine.language.approvals import Approval
from tests.unit.cli.support import RULE, Touchpoint

DAY = ("--on", "2026-09-05")


def test_from_a_warning_to_a_record_to_a_stale_one(touchpoint: Touchpoint, rules: Path) -> None:
    file = rules / "team" / "hall-visit.yaml"
    assert "[R212]" in touchpoint("check", rules, *DAY).stdout
    done = touchpoint("approve", "hall-visit", "--by", "lead", "--rules", rules)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith(
        f"lead approves `hall-visit` (Someone comes to the hall) as it stands in {file}"
    )
    assert "[R212]" not in touchpoint("check", rules, *DAY).stdout
    file.write_text(RULE.replace("at_most: 1 in 1d", "at_most: 2 in 1d"))
    stale = touchpoint("check", rules, *DAY)
    assert stale.exit_code == 1
    assert f"{file}:6:14: the rule has changed since lead approved it" in stale.stdout
    assert touchpoint("test", rules).exit_code == 1
    assert touchpoint("approve", file, "--by", "lead").exit_code == 0
    assert touchpoint("check", rules, *DAY).exit_code == 0


def test_what_is_left_to_do_is_said(touchpoint: Touchpoint, rules: Path) -> None:
    done = touchpoint("approve", "hall-visit", "--by", "somebody", "--rules", rules)
    assert "`status: live` and `approved_by: somebody` in " in done.stdout
    assert "the record says that somebody approved this rule" in touchpoint("check", rules, *DAY).stdout


def test_who_may_not(touchpoint: Touchpoint, rules: Path) -> None:
    for by, said in (
        ("Team", "--by: expected somebody other than `team`, who owns `hall-visit`, was 'Team'"),
        ("ＴＥＡＭ", "--by: expected somebody other than `team`, who owns `hall-visit`, was 'ＴＥＡＭ'"),
        ("teaｍ", "--by: expected somebody other than `team`, who owns `hall-visit`, was 'teaｍ'"),
        (" ", "--by: expected a name of 1 to 200 characters"),
        ("a\nb", "--by: expected a name of 1 to 200 characters"),
        ("x" * 201, "--by: expected a name of 1 to 200 characters"),
    ):
        failed = touchpoint("approve", "hall-visit", "--by", by, "--rules", rules)
        assert (failed.exit_code, failed.stdout) == (2, "")
        assert said in failed.stderr
    assert not (rules / "approvals.yaml").exists()


def test_what_may_not_be_approved(touchpoint: Touchpoint, rules: Path) -> None:
    file = rules / "team" / "hall-visit.yaml"
    file.write_text(RULE.replace("enters: hall", "enters: hal"))
    failed = touchpoint("approve", "hall-visit", "--by", "lead", "--rules", rules)
    assert failed.exit_code == 2
    assert "no place `hal` in the catalogue [R204]" in failed.stderr
    file.write_text(RULE)
    failed = touchpoint("approve", "hall-vist", "--by", "lead", "--rules", rules)
    assert failed.exit_code == 2
    assert "did you mean `hall-visit`?" in failed.stderr
    failed = touchpoint("approve", rules / "policy.yaml", "--by", "lead")
    assert "RULE: expected the file of a rule" in failed.stderr
    failed = touchpoint("approve", "hall-visit", "--by", "lead", "--rules", rules / "nowhere")
    assert "--rules: expected a folder that exists" in failed.stderr
    (rules / "approvals.yaml").write_text("hall-visit: yes\n")
    failed = touchpoint("approve", "hall-visit", "--by", "lead", "--rules", rules)
    assert failed.exit_code == 2
    assert "approvals.yaml:1:13: expected `{at: …, by: …, hash: …}`" in failed.stderr


def test_a_rule_its_owner_approved_can_be_approved_by_another(touchpoint: Touchpoint, rules: Path) -> None:
    (rules / "team" / "hall-visit.yaml").write_text(RULE.replace("approved_by: lead\n", ""))
    assert touchpoint("approve", "hall-visit", "--by", "lead", "--rules", rules).exit_code == 0
    approve(rules / "approvals.yaml", "hall-visit", Approval("team", "2026-09-01T08:00:00Z", "0" * 32))
    assert touchpoint("approve", "hall-visit", "--by", "lead", "--rules", rules).exit_code == 0
    assert "by: lead" in (rules / "approvals.yaml").read_text()


def test_two_at_a_time_lose_nothing(tmp_path: Path) -> None:
    file = tmp_path / "approvals.yaml"
    names = [f"rule-{number}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda name: approve(file, name, Approval(name, "2026-09-01T08:00:00Z", "0" * 32)), names
            )
        )
    text = file.read_text()
    assert [name for name in names if f"{name}: {{" not in text] == []
