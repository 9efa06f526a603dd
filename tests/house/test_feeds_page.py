"""The page about feeds: its tables are what the registries make of them, its example has no mistake."""

from __future__ import annotations

from pathlib import Path

from connectors.doors import DOORS
from engine.deployment.feeds.look import problems_of
from engine.deployment.feeds.model import FeedOptions
from engine.deployment.feeds.read import load_feeds
from engine.deployment.feeds.use import house_of, identity_of
from engine.options import Options
from engine.settings import load_settings
from engine.treatments.registry import TREATMENTS
from tests.house.pages import blocks
from tools.feeds_page import PAGE, page

NAME = "docs/doors/feeds.md"


def test_the_committed_page_is_the_generated_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tools.feeds_page"


def test_every_key_has_one_row() -> None:
    rows = [line.split(" | ") for line in page().splitlines() if line.startswith("| `")]
    keys = [row[0].strip("|` ") for row in rows if len(row) == 4]
    options: list[type[Options]] = [FeedOptions]
    options += [door.options for door in DOORS.values()]
    options += [treatment.options for treatment in TREATMENTS.values()]
    assert sorted(keys) == sorted(["treatments", *(name for each in options for name in each.model_fields)])


def test_the_example_has_no_mistake(tmp_path: Path) -> None:
    [example] = [block.text for block in blocks(NAME) if block.info == "yml"]
    for folder in ("s1mme", "gn"):
        (tmp_path / folder).mkdir()
    (tmp_path / "feeds.yaml").write_text(example, encoding="utf-8")
    feeds = load_feeds(tmp_path / "feeds.yaml")
    assert [found.pretty() for found in feeds.problems] == []
    settings = load_settings()
    found = problems_of(feeds, house_of(settings), identity_of(settings), {})
    assert [one.pretty() for one in found] == []
