"""Published sets: one message, that compiles to what the folder compiles to."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from engine.errors import InputError, RulesError
from engine.language.loader import load_dir, load_texts
from engine.published import BYTES_AT_MOST, read, unpack
from tests.testdata import CHECKOUT
from tests.unit.cli.support import FILES, T, packed

RULES = CHECKOUT / "rules"
TESTS = """
tests: hall-visit
starts: 2026-09-07 10:00
given: {tier: gold}
cases:
  - {case: comes, events: [{at: +0m, enters: hall}], expect: [{at: +0m, offer: gift}]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of one rule."""
    for name, text in FILES.items():
        path = tmp_path / "rules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "rules"


def test_a_set_comes_out_as_it_went_in() -> None:
    ruleset, value = packed(RULES)
    published = read(value)
    assert (published.hash, published.by, published.at) == (ruleset.hash, "ann", T)
    again = unpack(published, "86")
    assert again == ruleset
    assert again == load_dir(RULES).ruleset


def test_what_does_not_decide_stays_with_its_authors(folder: Path) -> None:
    (folder / "team" / "hall-visit.test.yaml").write_text(TESTS, encoding="utf-8")
    (folder / "README.md").write_text("notes", encoding="utf-8")
    _, value = packed(folder)
    assert sorted(read(value).files) == sorted(FILES)


def test_lists_of_cells_go_with_the_places(folder: Path) -> None:
    (folder / "catalog" / "places.yaml").write_text("hall: {name: hall, cells: lists/hall.csv}\n", "utf-8")
    (folder / "catalog" / "lists").mkdir()
    (folder / "catalog" / "lists" / "hall.csv").write_text("cell\n460-00-1-1\n", encoding="utf-8")
    ruleset, value = packed(folder)
    assert unpack(read(value), "86").catalog.places["hall"].cells == ("460-00-1-1",)
    assert ruleset.catalog.places["hall"].cells == ("460-00-1-1",)


def test_every_problem_is_told_and_nothing_packed(folder: Path) -> None:
    rule = folder / "team" / "hall-visit.yaml"
    rule.write_text(FILES["team/hall-visit.yaml"].replace("gift", "gone").replace("gold", "golden"), "utf-8")
    with pytest.raises(RulesError) as caught:
        packed(folder)
    assert sorted(problem.code for problem in caught.value.problems) == ["R208", "R301"]


def test_one_file_is_no_set(folder: Path) -> None:
    with pytest.raises(InputError, match=r"hall-visit\.yaml: expected a folder of rules, was 'a file'"):
        packed(folder / "team" / "hall-visit.yaml")


def test_a_set_too_large_for_a_message_is_refused(folder: Path) -> None:
    cells = "".join(f"460-00-{number}-1\n" for number in range(650_000))
    (folder / "catalog" / "places.yaml").write_text("hall: {name: hall, cells: hall.csv}\n", "utf-8")
    (folder / "catalog" / "hall.csv").write_text("cell\n" + cells, encoding="utf-8")
    with pytest.raises(InputError, match=rf"rules: expected at most {BYTES_AT_MOST >> 20} MiB of rules, was"):
        packed(folder)


def test_another_hash_than_the_files_is_an_error() -> None:
    loaded = load_texts(FILES)
    assert loaded.ruleset is not None
    value = orjson.dumps({"hash": "0" * 32, "by": "ann", "at": T, "files": FILES})
    with pytest.raises(InputError, match=f"expected the hash {'0' * 32}, was '{loaded.ruleset.hash}'"):
        unpack(read(value), "86")


@pytest.mark.parametrize("value", [b"", b"no JSON", b"[]", b"{}", b'{"hash":1,"by":"b","at":3,"files":{}}'])
def test_what_is_no_set_is_refused(value: bytes) -> None:
    with pytest.raises(InputError, match="published rules: expected hash, by, at and files"):
        read(value)
