"""The reference of words is what the tables say."""

from __future__ import annotations

from engine.language.checks.events import EVENTS, event_fields
from engine.language.checks.verbs import VERBS
from tools.words_page import PAGE, page


def test_the_page_is_that_of_the_tables() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tools.words_page"


def test_every_verb_event_and_field_is_on_it() -> None:
    text = page()
    wanted = {*VERBS, *EVENTS, *(name for event in EVENTS for name in event_fields(event))}
    assert [word for word in sorted(wanted) if f"`{word}`" not in text and f"### {word}\n" not in text] == []
