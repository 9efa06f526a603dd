"""`touchpoint places check`: exit codes, the map, and what `check` says of the same set."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import orjson
import pytest

from tests.testdata import CHECKOUT
from tests.unit.cli.support import Touchpoint

EXAMPLE = CHECKOUT / "tests" / "examples" / "places"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A copy of the example, to be damaged."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "rules"))


def test_warnings_count_only_if_strict(touchpoint: Touchpoint) -> None:
    assert touchpoint("places", "check", str(EXAMPLE)).exit_code == 0
    assert touchpoint("places", "check", str(EXAMPLE), "--strict").exit_code == 1


def test_an_error_is_told_and_the_places_are_listed(touchpoint: Touchpoint, rules: Path) -> None:
    table = rules / "catalog" / "cells.csv"
    table.write_text(table.read_text(encoding="utf-8") + "460-00-31001-99,x,1,1,,,,,\n", encoding="utf-8")
    done = touchpoint("places", "check", str(rules))
    assert done.exit_code == 1
    assert "cells.csv:56:17: lat: expected a number from -90 to 90, was `x` [R701]" in done.stdout
    assert done.stdout.startswith("place      by      mode")
    touchpoint("places", "check", str(rules), "--map", str(rules / "map.html"))
    page = (rules / "map.html").read_text(encoding="utf-8")
    assert "not known, for the policy or the catalogue has an error" in page
    assert "none" not in re.findall(r"Rules: [^<]*", page)
    listed = [line.split() for line in done.stdout.split("\n\n")[0].splitlines()[1:]]
    assert len(listed) == 6
    assert {line[-1] for line in listed} == {"-"}
    assert "rules: not known, for the policy or the catalogue has an error" in done.stdout.splitlines()[-1]
    found = orjson.loads(touchpoint("places", "check", str(rules), "--json").stdout)
    assert {place["rules"] is None for place in found["places"]} == {True}


def test_rules_with_an_error_are_said_not_to_count(touchpoint: Touchpoint, rules: Path) -> None:
    whole = touchpoint("places", "check", str(rules))
    assert "rules:" not in whole.stdout.splitlines()[-1]
    rule = next(path for path in rules.rglob("*.yaml") if "rule:" in path.read_text(encoding="utf-8"))
    rule.write_text(rule.read_text(encoding="utf-8") + "nonsense: 1\n", encoding="utf-8")
    done = touchpoint("places", "check", str(rules), "--map", str(rules / "map.html"))
    listed = [line.split() for line in done.stdout.split("\n\n")[0].splitlines()[1:]]
    assert all(line[-1].isdecimal() for line in listed)
    assert "rules: those without an error" in done.stdout.splitlines()[-1]
    assert "none of those without an error" in (rules / "map.html").read_text(encoding="utf-8")


def test_check_tells_those_that_are_most_likely_a_mistake(touchpoint: Touchpoint) -> None:
    def codes(*words: str) -> set[str]:
        return set(re.findall(r"\[(R7\d\d)\]", touchpoint(*words, str(EXAMPLE)).stdout))

    assert codes("check") == {"R704", "R705", "R706", "R707"}
    assert codes("places", "check") == codes("check") | {"R708", "R709", "R710"}


def test_a_map_is_one_file_without_anything_from_elsewhere(touchpoint: Touchpoint, tmp_path: Path) -> None:
    out = tmp_path / "map.html"
    done = touchpoint("places", "check", str(EXAMPLE), "--map", str(out))
    assert done.exit_code == 0
    page = out.read_text(encoding="utf-8")
    assert "default-src 'none'; style-src 'unsafe-inline'" in page
    assert not re.search(r"https?://|<script|<link|<img|@import|url\(", page)
    targets, links = set(re.findall(r' id="(\w+)"', page)), set(re.findall(r'href="#(\w+)"', page))
    assert links
    assert links <= targets
    assert page.count('class="place"') == 6
    touchpoint("places", "check", str(EXAMPLE), "--map", str(tmp_path / "again.html"))
    assert (tmp_path / "again.html").read_text(encoding="utf-8") == page


def test_a_picture_stands_alone(touchpoint: Touchpoint, tmp_path: Path) -> None:
    out = tmp_path / "map.svg"
    done = touchpoint("places", "check", str(EXAMPLE), "--map", str(out))
    assert "one of 2 regions" in done.stderr
    root = ElementTree.fromstring(out.read_text(encoding="utf-8"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    titles = [title.text or "" for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert any(
        re.fullmatch(r"460-00-31002-1, reaches 60 m, NR, .*, 100% inside mall", each) for each in titles
    )


def test_names_are_escaped(touchpoint: Touchpoint, rules: Path, tmp_path: Path) -> None:
    places = rules / "catalog" / "places.yaml"
    text = places.read_text(encoding="utf-8").replace("name: 湖滨公园,", 'name: "<b>&</b>",')
    places.write_text(text, encoding="utf-8")
    for name in ("map.html", "map.svg"):
        touchpoint("places", "check", str(rules), "--map", str(tmp_path / name))
        drawn = (tmp_path / name).read_text(encoding="utf-8")
        assert "<b>&" not in drawn
        assert "&lt;b&gt;&amp;" in drawn


def test_a_set_without_a_table_has_a_page_and_no_picture(touchpoint: Touchpoint, tmp_path: Path) -> None:
    rules = str(CHECKOUT / "rules")
    assert touchpoint("places", "check", rules, "--map", str(tmp_path / "map.html")).exit_code == 0
    assert "No place is on the map" in (tmp_path / "map.html").read_text(encoding="utf-8")
    done = touchpoint("places", "check", rules, "--map", str(tmp_path / "map.svg"))
    assert done.exit_code == 2
    assert "expected places whose cells have a position" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--map", "map.png"), "--map: expected a file .html or .svg, was 'map.png'"),
        (("--map", "no/such/map.svg"), "expected a file that can be written"),
    ],
)
def test_mistakes_in_the_arguments(
    touchpoint: Touchpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = touchpoint("places", "check", str(EXAMPLE), *words)
    assert (done.exit_code, said in done.stderr) == (2, True), done.stderr


def test_rules_that_are_not_there(touchpoint: Touchpoint, tmp_path: Path) -> None:
    assert touchpoint("places", "check", str(tmp_path / "none")).exit_code == 2
