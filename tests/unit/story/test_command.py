"""`touchpoint story` as a user calls it."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from engine.cli.main import app
from tests.testdata import CHECKOUT
from tests.unit.story.support import FOLDERS

EXAMPLES = CHECKOUT / FOLDERS[0]
RULE = EXAMPLES / "campus" / "mall-dwell.yaml"


@pytest.fixture(autouse=True)
def _demo_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEY", "SALT", "HOME_CC"):
        monkeypatch.delenv(f"TOUCHPOINT_{name}", raising=False)


def call(*args: object) -> Result:
    return CliRunner().invoke(app, ["story", *map(str, args)], prog_name="touchpoint")


def furnish(folder: Path) -> None:
    """Put policy and catalogue of the examples into a folder."""
    (folder / "policy.yaml").write_bytes((EXAMPLES / "policy.yaml").read_bytes())
    shutil.copytree(EXAMPLES / "catalog", folder / "catalog")


def test_a_file_and_a_name_give_the_same_story() -> None:
    by_file, by_name = call(RULE, "--lang", "en"), call("mall-dwell", "--rules", EXAMPLES, "--lang", "en")
    assert by_file.exit_code == by_name.exit_code == 0
    assert by_file.stdout == by_name.stdout
    assert "leaves 武林商圈 at 15:00:01 (the full 30 minutes) → offer by SMS at 15:00" in by_file.stdout


def test_a_file_and_a_folder_of_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of the folder or a path within it; one from elsewhere has the folder's policy and catalogue."""
    told = call(RULE, "--lang", "en").stdout
    assert call(RULE, "--rules", EXAMPLES, "--lang", "en").stdout == told
    assert call(RULE, "--rules", EXAMPLES / "campus", "--lang", "en").stdout == told
    assert call("campus/mall-dwell.yaml", "--rules", EXAMPLES, "--lang", "en").stdout == told
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(RULE, "mall-dwell.yaml")
    assert call("mall-dwell.yaml", "--rules", EXAMPLES, "--lang", "en").stdout == told
    lonely = call("mall-dwell.yaml", "--rules", tmp_path)
    assert lonely.exit_code == 2
    assert "there is no policy.yaml beside the rules" in lonely.stderr


def test_both_languages_unless_one_is_asked_for() -> None:
    both = call(RULE).stdout
    assert "Whom it is for" in both
    assert "目标用户" in both
    assert "Whom it is for" not in call(RULE, "--lang", "zh").stdout


def test_json_says_every_case() -> None:
    body = orjson.loads(call(RULE, "--json", "--lang", "en").stdout)
    assert body["rule"] == "mall-dwell"
    assert body["not_as_foreseen"] == 0
    assert len(body["boundaries"]) == body["cases"]
    assert list(body["text"]) == ["en"]
    short = next(each for each in body["boundaries"] if each["kind"] == "left_before")
    assert (short["offers"], short["because"]) == ([], "when")


def test_written_cases_pass_and_are_not_overwritten(tmp_path: Path) -> None:
    target = tmp_path / "mall-dwell.test.yaml"
    done = call(RULE, "--write", target)
    assert done.exit_code == 0
    assert f"cases to {target}" in done.stderr
    (tmp_path / "mall-dwell.yaml").write_bytes(RULE.read_bytes())
    furnish(tmp_path)
    tested = CliRunner().invoke(app, ["test", str(tmp_path / "mall-dwell.test.yaml")])
    assert tested.exit_code == 0, tested.stdout
    before = target.read_bytes()
    again = call(RULE, "--write", target)
    assert again.exit_code == 2
    assert "expected a file that is not there yet, or --force" in again.stderr
    assert call(RULE, "--write", target, "--force", "--lang", "zh").exit_code == 0
    assert target.read_bytes() != before


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["mall-dwel", "--rules", EXAMPLES], "did you mean `mall-dwell`"),
        (["mall-dwell"], "RULE: expected a rule file, or a rule of"),
        ([EXAMPLES / "campus" / "mall-dwell.test.yaml"], ""),
        ([EXAMPLES / "policy.yaml"], "RULE: expected a file with a rule"),
        ([RULE, "--write", "other.test.yaml"], "--write: expected a file called mall-dwell.test.yaml"),
        ([RULE, "--write", "no/such/mall-dwell.test.yaml"], "--write: expected a folder that exists"),
    ],
)
def test_mistakes(args: list[object], said: str) -> None:
    done = call(*args)
    assert said in done.stderr
    assert done.exit_code == (2 if said else 0)


def test_a_rule_with_a_mistake_is_not_told(rules_with_a_mistake: Path) -> None:
    done = call(rules_with_a_mistake)
    assert done.exit_code == 2
    assert "[R103]" in done.stderr


@pytest.fixture
def rules_with_a_mistake(tmp_path: Path) -> Path:
    text = RULE.read_text(encoding="utf-8").replace("stays_in: malls", "stays_inn: malls")
    path = tmp_path / "mall-dwell.yaml"
    path.write_text(text, encoding="utf-8")
    furnish(tmp_path)
    return path


def test_a_rule_without_cases_is_told_and_says_so(tmp_path: Path) -> None:
    text = RULE.read_text(encoding="utf-8").replace("tags: do-not-disturb", "arpu: at least 0 yuan")
    (tmp_path / "mall-dwell.yaml").write_text(text, encoding="utf-8")
    furnish(tmp_path)
    done = call(tmp_path / "mall-dwell.yaml", "--lang", "en", "--write", tmp_path / "mall-dwell.test.yaml")
    assert done.exit_code == 1
    assert "No case could be made: no subscriber passes" in done.stdout
    assert not (tmp_path / "mall-dwell.test.yaml").exists()
