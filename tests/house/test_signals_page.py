"""The page about signals: generated where it can be, complete where it is not, true in its example."""

from __future__ import annotations

import re
import sys

import pytest

from engine.deployment.feeds.read import read_feeds
from engine.event_kinds import KINDS
from engine.treatments.registry import TREATMENTS
from tests.house.pages import blocks
from tests.score.variants import ENTERS, PLACES, STEPS
from tools.signals_page import PAGE, page

TEXT = PAGE.read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ")]


def test_the_generated_part_is_todays() -> None:
    assert page(TEXT) == TEXT, "python -m tools.signals_page"


@pytest.mark.parametrize("name", TREATMENTS)
def test_every_treatment_has_its_row_its_sentences_and_all_settings(name: str) -> None:
    assert any(f"`{name}`" in row for row in ROWS)
    _, _, section = TEXT.partition(f"\n## `{name}`\n")
    section, _, _ = section.partition("\n## ")
    assert "\n1. " in section
    shown = re.findall(r"^\| `(\w+)` \| ", section, re.MULTILINE)
    assert sorted(shown) == sorted(TREATMENTS[name].options.model_fields)


@pytest.mark.parametrize("name", TREATMENTS)
def test_every_counter_of_a_treatment_stands_in_its_rows(name: str) -> None:
    rows = "\n".join(row for row in ROWS if f"`{name}`" in row)
    modules = [found for found in sys.modules if found.startswith(f"engine.treatments.{name}")]
    source = "".join(_source(module) for module in modules)
    counted = set(re.findall(r'counts\["(\w+)"\]', source))
    if "distrust(" in source:
        counted |= {"flagged", "cell_taken"}
    if name == "unknown_cells":
        counted |= {"malformed", "filler", "unknown"}
    assert counted
    assert {deed for deed in counted if f"`{deed}`" not in rows} == set()


def test_every_flag_that_is_known_has_its_row_or_is_of_identity() -> None:
    known = set(KINDS["loc.sight"].fields["quality"].known)
    shown = {flag for row in ROWS for flag in re.findall(r"^\| `(\w+)` \| ", row)}
    assert known - shown <= {"no_msisdn", "bad_imei", "dup"}


def test_the_examples_are_feeds_files_without_mistakes() -> None:
    examples = [block for block in blocks("docs/signals.md") if block.info == "feeds"]
    assert len(examples) == 2
    for example in examples:
        feeds = read_feeds("feeds.yaml", example.text)
        assert [str(problem) for problem in feeds.problems] == []
        (feed,) = feeds.feeds.values()
        assert list(feed.treatments) == [name for name in TREATMENTS if name in feed.treatments]


def test_what_is_recommended_is_what_was_scored() -> None:
    advice = [block for block in blocks("docs/signals.md") if block.info == "feeds"][1]
    (feed,) = read_feeds("feeds.yaml", advice.text).feeds.values()
    assert {name: asked.options for name, asked in feed.treatments.items()} == {
        name: TREATMENTS[name].options.model_validate(given) for name, given in STEPS.items()
    }
    assert f"`leave_after: {PLACES['leave_after']['leave_after']}` at each place" in TEXT
    assert f"`confirm: {ENTERS['confirm']['confirm']}` at each `enters`" in TEXT


def _source(module: str) -> str:
    file = sys.modules[module].__file__
    assert file is not None
    with open(file, encoding="utf-8") as text:
        return text.read()
