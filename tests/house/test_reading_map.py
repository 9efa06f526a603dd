"""The reading map in `engine/__init__.py` is true: a map that lies is worse than none."""

from __future__ import annotations

import re

import engine
from tests.testdata import CHECKOUT

HOUSE = CHECKOUT / "engine"


def mapped() -> dict[str, str]:
    """The map: file or folder/ -> what it says about it."""
    return dict(re.findall(r"^ {4}([\w/]+(?:\.py|/)) +(\S.*)$", engine.__doc__ or "", re.MULTILINE))


def test_everything_on_the_map_exists() -> None:
    missing = [name for name in mapped() if not (HOUSE / name).exists()]
    assert missing == []


def test_every_file_of_the_house_is_on_the_map() -> None:
    there = {path.name for path in HOUSE.glob("*.py")} - {"__init__.py"}
    assert there - set(mapped()) == set()


def test_every_package_of_the_house_is_on_the_map() -> None:
    there = {f"{path.parent.name}/" for path in HOUSE.glob("*/__init__.py")}
    assert there - set(mapped()) == set()


def test_the_way_of_a_record_is_complete() -> None:
    stages = ["event", "intake", "places", "snapshot", "patterns", "matching", "audience", "decision"]
    stages += ["ledger", "emit", "pipeline", "lane"]
    names = [re.split(r"[./]", name)[0] for name in mapped()]
    assert [stage for stage in stages if stage not in names] == []
