"""`touchpoint schema`: the two shapes, to stdout or a file."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from engine.asyncapi import document
from engine.schema import intake_schema, log_schema
from engine.topics import topics
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
    assert f"schema: expected one of intake, log, --asyncapi, was '{was}'" in failed.stderr


def test_a_file_that_cannot_be_written(touchpoint: Touchpoint, tmp_path: Path) -> None:
    failed = touchpoint("schema", "log", "--out", tmp_path / "no" / "schema.json")
    assert failed.exit_code == 2
    assert "expected a file that can be written" in failed.stderr
