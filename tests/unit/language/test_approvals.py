"""approvals.yaml: what an approval is of, and when it is none any more."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.approving import approve
from engine.errors import InputError, RulesError
from engine.language.approvals import HEAD, Approval, content_hash, read_approvals, written
from engine.language.checks.approval import is_same_person
from engine.language.folders import read_folder
from engine.language.loader import Loaded, decides, load_dir, load_texts
from engine.language.report import Report
from engine.language.source import Mapping, read
from engine.published import read as read_published
from engine.published import unpack
from tests.unit.cli.support import packed
from tests.unit.language.texts import codes, files, good, rule_text

NOW = datetime(2026, 9, 5, tzinfo=UTC)
LIVE = rule_text(status="live", who="{arpu: over 5 yuan, brand: GoTone}")


def hash_of(text: str) -> str:
    root = read("r.yaml", text).root
    assert isinstance(root, Mapping)
    return content_hash(root)


def approved(text: str, by: str = "lead") -> str:
    return written({"r": Approval(by, "2026-09-01T08:00:00Z", hash_of(text))})


def load(text: str, approvals: str, *, review: bool = False) -> Loaded:
    return load_texts({**files(text), "approvals.yaml": approvals}, review=NOW if review else None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("status: live", "status: paused"),
        ("approved_by: lead\n", ""),
        ("title: A rule", "# a comment\ntitle:   'A rule'  # another"),
        ("who: {arpu: over 5 yuan, brand: GoTone}", "who:\n  brand: GoTone\n  arpu: over 5 yuan"),
    ],
)
def test_how_it_is_written_and_how_far_it_has_come_are_not_approved(old: str, new: str) -> None:
    assert old in LIVE
    assert hash_of(LIVE.replace(old, new)) == hash_of(LIVE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("over 5 yuan", "over 6 yuan"),
        ("owner: team", "owner: others"),
        ("title: A rule", "title: A rule!"),
        ("2026-09-30", "2026-10-30"),
        ("task: call", "task: ring"),
        (", brand: GoTone", ""),
    ],
)
def test_whatever_else_changes_makes_the_approval_stale(old: str, new: str) -> None:
    assert codes(load(LIVE, approved(LIVE))) == []
    changed = LIVE.replace(old, new)
    assert changed != LIVE
    loaded = load(changed, approved(LIVE))
    assert codes(loaded) == ["R211"]
    assert loaded.ruleset is None
    for status in ("draft", "shadow", "paused"):
        other = load(changed.replace("status: live", f"status: {status}"), approved(LIVE))
        assert [(problem.code, problem.severity) for problem in other.problems] == [("R211", "error")]
        assert other.ruleset is None


def test_a_live_rule_without_a_record_is_told_only_in_a_review() -> None:
    assert codes(load(LIVE, "")) == []
    assert codes(load(LIVE, "", review=True)) == ["R212", "R603"] or codes(load(LIVE, "", review=True)) == [
        "R603",
        "R212",
    ]
    assert "R212" not in codes(load(LIVE, approved(LIVE), review=True))
    assert "R212" in codes(load(LIVE, approved(LIVE, "somebody"), review=True))


@pytest.mark.parametrize("name", ["team", "Team", "ｔeam", "ＴＥＡＭ", "te\u200bam", "team\u00a0"])
def test_an_owner_approves_nothing(name: str) -> None:
    assert codes(load(LIVE, approved(LIVE, name))) == ["R202"]
    assert codes(load(LIVE.replace("approved_by: lead", f'approved_by: "{name}"'), "")) == ["R202"]


def test_names_are_of_one_person_however_they_are_typed() -> None:
    assert is_same_person("王 小明", "王\u3000小明 ")
    assert is_same_person("Strasse", "STRASSE")
    assert not is_same_person("王小明", "王晓明")


def test_what_is_approved_does_not_change_what_is_run(tmp_path: Path) -> None:
    texts = files(LIVE)
    assert good(load_texts(texts)).hash == good(load(LIVE, approved(LIVE))).hash
    for name, text in {**texts, "approvals.yaml": approved(LIVE)}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert not decides("approvals.yaml")
    ruleset, value = packed(tmp_path)
    published = read_published(value)
    assert "approvals.yaml" not in published.files
    assert unpack(published, "86") == ruleset
    (tmp_path / "r.yaml").write_text(LIVE.replace("over 5", "over 6"), encoding="utf-8")
    with pytest.raises(RulesError, match="R211"):
        packed(tmp_path)


def test_part_of_a_folder_is_held_against_the_approvals_of_the_whole(tmp_path: Path) -> None:
    for name, text in {**files(LIVE), "approvals.yaml": approved(LIVE)}.items():
        file = tmp_path / ("team/r.yaml" if name == "r.yaml" else name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (tmp_path / "team" / "s.yaml").write_text(rule_text().replace("rule: r\n", "rule: s\n"))
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "t.yaml").write_text(rule_text().replace("rule: r\n", "rule: t\n"))
    one = load_dir(tmp_path / "team" / "r.yaml", review=NOW)
    assert "R212" not in codes(one)
    assert codes(load_dir(tmp_path / "more", review=NOW)) == []
    (tmp_path / "team" / "r.yaml").write_text(LIVE.replace("over 5", "over 6"), encoding="utf-8")
    assert "R211" in codes(load_dir(tmp_path / "team", review=NOW))
    assert read_folder(tmp_path / "team").approvals.resolve() == (tmp_path / "approvals.yaml").resolve()
    elsewhere = load_dir(tmp_path / "team", catalog=tmp_path, review=NOW)
    assert "R211" not in codes(elsewhere)


def entries(file: Path) -> dict[str, Approval]:
    report = Report(read(str(file), file.read_text(encoding="utf-8")))
    found = {name: entry.approval for name, entry in read_approvals(report).entries.items()}
    assert report.problems == []
    return found


ONE = Approval("lin.wei", "2026-09-01T08:00:00Z", "0" * 32)
TWO = Approval("王小明: head", "2026-09-02T08:00:00+08:00", "1e5" + "0" * 29)


def test_the_file_is_sorted_and_keeps_what_others_wrote(tmp_path: Path) -> None:
    file = tmp_path / "approvals.yaml"
    for name, approval in (
        ("z", ONE),
        ("a-rule", TWO),
        ("活动", ONE),
        ("-dash", ONE),
        ("yes", TWO),
        ("z", TWO),
    ):
        approve(file, name, approval)
    assert entries(file) == {"z": TWO, "a-rule": TWO, "活动": ONE, "-dash": ONE, "yes": TWO}
    text = file.read_text(encoding="utf-8")
    assert text.startswith(HEAD)
    assert list(entries(file)) == sorted(entries(file))
    assert len(text.removeprefix(HEAD).splitlines()) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["approvals.yaml"]


def test_a_file_that_is_not_understood_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "approvals.yaml"
    file.write_text("a: {by: x}\n")
    with pytest.raises(RulesError, match="R102"):
        approve(file, "b", ONE)
    assert file.read_text() == "a: {by: x}\n"
    file.write_bytes(b"\xff")
    with pytest.raises(InputError, match="expected UTF-8"):
        approve(file, "b", ONE)
    with pytest.raises(InputError, match="expected a file that can be written"):
        approve(tmp_path / "nowhere" / "approvals.yaml", "b", ONE)
