"""The page about topics: feeds have no mistake, maps make the records and dead letters that it shows."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.door import House
from connectors.field_map import load_field_map
from connectors.message_path import NOTHING
from connectors.topic_messages import TopicMessages
from engine.deployment.feeds.look import problems_of
from engine.deployment.feeds.read import load_feeds
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import Refusal
from tests.house.pages import Block, blocks
from tests.testdata import CHECKOUT
from tests.unit.topics.support import Sent

PAGE = "docs/doors/topics.md"
KEY = b"key of the tests"
MAPS = [block for block in blocks(PAGE) if block.info == "yml" and block.file]
FEEDS = [block for block in blocks(PAGE) if block.info == "yml" and not block.file]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the page names."""
    for block in MAPS:
        (tmp_path / block.file).write_text(block.text, encoding="utf-8")
    (tmp_path / "registry-password").write_text("secret", encoding="utf-8")
    shutil.copy(CHECKOUT / "tests" / "data" / "tls" / "cert.pem", tmp_path)
    return tmp_path


@pytest.mark.parametrize("block", FEEDS, ids=str)
def test_the_feeds_have_no_mistake(block: Block, folder: Path) -> None:
    path = folder / "feeds.yaml"
    path.write_text(block.text, encoding="utf-8")
    feeds = load_feeds(path)
    assert [str(found) for found in feeds.problems] == []
    assert [str(found) for found in problems_of(feeds, House(), Identity(KEY), {})] == []


@pytest.mark.parametrize("block", MAPS, ids=str)
def test_a_map_makes_what_the_page_shows(block: Block, folder: Path) -> None:
    after = iter(blocks(PAGE)[blocks(PAGE).index(block) + 1 :])
    message, records, last = next(after), next(after), next(after)
    refused: list[Refusal] = []
    intake = Intake(Identity(KEY), on_refused=refused.append)
    reader = TopicMessages("probe.events", intake, load_field_map(folder / block.file))
    events = reader.read(Sent(orjson.dumps(orjson.loads(message.text))), 0, 0)
    shown: list[dict[str, Any]] = [orjson.loads(line) for line in records.text.splitlines()]
    assert [
        {name: value for name, value in event.fields.items() if name not in ("id", "subscriber_key")}
        for event in events
    ] == shown
    said = [f"{refusal.position} {refusal.reason} {refusal.detail}" for refusal in refused]
    assert said == (last.text.splitlines() if last.info == "text" else [])


def test_the_page_lists_what_stands_around_a_message() -> None:
    text = (CHECKOUT / PAGE).read_text(encoding="utf-8")
    assert [name for name in NOTHING.as_dict() if f"`@{name}" not in text] == []
