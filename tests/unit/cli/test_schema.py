"""`touchpoint schema`: of records and of rule files, to stdout, a file or a folder."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from engine.asyncapi import document
from engine.cli.schema import Shape
from engine.language.editor.files import SHAPES, schema, settings
from engine.language.editor.vocabulary import vocabulary
from engine.language.loader import load_names
from engine.schema import intake_schema, log_schema
from engine.topics import topics
from tests.house.pages import blocks
from tests.testdata import CHECKOUT
from tests.unit.cli.support import Touchpoint


@pytest.mark.parametrize(("shape", "schema"), [("intake", intake_schema()), ("log", log_schema())])
def test_it_is_the_generated_one(touchpoint: Touchpoint, tmp_path: Path, shape: str, schema: object) -> None:
    assert orjson.loads(touchpoint("schema", shape).stdout) == schema
    done = touchpoint("schema", shape, "--out", tmp_path / "schema.json")
    assert (done.exit_code, done.stdout) == (0, "")
    assert orjson.loads((tmp_path / "schema.json").read_bytes()) == schema


def test_asyncapi_is_the_generated_one(touchpoint: Touchpoint, tmp_path: Path) -> None:
    assert orjson.loads(touchpoint("schema", "--asyncapi").stdout) == document(topics())
    assert touchpoint("schema", "--asyncapi", "--out", tmp_path / "a.json").exit_code == 0
    assert orjson.loads((tmp_path / "a.json").read_bytes()) == document(topics())


@pytest.mark.parametrize(("args", "was"), [([], "none"), (["log", "--asyncapi"], "two of them")])
def test_it_is_asked_for_exactly_one(touchpoint: Touchpoint, args: list[str], was: str) -> None:
    failed = touchpoint("schema", *args)
    assert (failed.exit_code, failed.stdout) == (2, "")
    shapes = "intake, log, rules, rule, tests, policy, fields, places, products, numbers, --asyncapi"
    assert f"schema: expected one of {shapes}, was '{was}'" in failed.stderr


def test_a_file_that_cannot_be_written(touchpoint: Touchpoint, tmp_path: Path) -> None:
    failed = touchpoint("schema", "log", "--out", tmp_path / "no" / "schema.json")
    assert failed.exit_code == 2
    assert "expected a file that can be written" in failed.stderr


# -- for editors ---------------------------------------------------------------------------------------------


RULES = CHECKOUT / "rules"


@pytest.mark.parametrize("shape", SHAPES)
def test_each_kind_of_file_has_one(touchpoint: Touchpoint, shape: str) -> None:
    known = load_names(RULES)
    made = schema(shape, vocabulary(known.names, known.policy, known.rules))
    assert orjson.loads(touchpoint("schema", shape, RULES).stdout) == made


def test_every_shape_can_be_asked_for() -> None:
    assert [each.value for each in Shape] == ["intake", "log", "rules", *SHAPES]


def test_all_go_into_a_folder_with_the_setting_that_names_them(
    touchpoint: Touchpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").symlink_to(RULES)
    done = touchpoint("schema", "rules", "--out", ".schema")
    assert (done.exit_code, done.stdout) == (0, "")
    there = {path.name for path in (tmp_path / ".schema").iterdir()}
    assert there == {"vscode.json", *(f"{shape}.json" for shape in SHAPES)}
    told = orjson.loads((tmp_path / ".schema" / "vscode.json").read_bytes())
    assert told == settings("rules", ".schema")
    assert told["yaml.schemas"]["./.schema/policy.json"] == ["rules/policy.yaml"]


def test_the_page_about_editors_shows_this_setting() -> None:
    [shown] = [block for block in blocks("docs/rules/editor.md") if block.info == "json"]
    schemas = orjson.loads(shown.text)["yaml.schemas"]
    assert schemas.items() <= settings("rules", ".schema")["yaml.schemas"].items()
    assert len(schemas) == 2


def test_a_folder_elsewhere_is_named_in_full(touchpoint: Touchpoint, tmp_path: Path) -> None:
    assert touchpoint("schema", "rules", RULES, "--out", tmp_path / "s").exit_code == 0
    told = orjson.loads((tmp_path / "s" / "vscode.json").read_bytes())["yaml.schemas"]
    assert told[f"{(tmp_path / 's').resolve()}/policy.json"] == ["rules/policy.yaml"]


def test_check_tells_what_is_out_of_date(touchpoint: Touchpoint, tmp_path: Path) -> None:
    asked = ("schema", "rules", RULES, "--out", tmp_path / "s")
    assert touchpoint(*asked, "--check").exit_code == 1
    assert not (tmp_path / "s").exists()
    touchpoint(*asked)
    assert touchpoint(*asked, "--check").exit_code == 0
    (tmp_path / "s" / "rule.json").write_text("{}", encoding="utf-8")
    old = touchpoint(*asked, "--check")
    assert (old.exit_code, old.stdout) == (1, "")
    assert old.stderr == f"touchpoint: {tmp_path / 's' / 'rule.json'} is not up to date\n"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["rules", RULES], "--out: expected a folder for the schemas, was 'none'"),
        (["rule", RULES, "--check"], "--out: expected the file to check, was 'none'"),
        (["log", RULES], "DIR: expected none: only schemas for editors need rules, was"),
        (["rule", RULES / "nowhere"], "rules: expected a folder or file that exists, was"),
        (["rule", "."], "rules: expected a folder with catalog/ in it or above it, was '.'"),
    ],
    ids=str,
)
def test_mistakes_are_named(
    touchpoint: Touchpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    args: list[object],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    failed = touchpoint("schema", *args)
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert said in failed.stderr


def test_a_folder_that_cannot_be_written(touchpoint: Touchpoint, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    failed = touchpoint("schema", "rules", RULES, "--out", tmp_path / "file")
    assert failed.exit_code == 2
    assert "expected a file that can be written" in failed.stderr
