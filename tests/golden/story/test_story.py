"""What `touchpoint story` prints, word for word, in English and Chinese, and what it writes.

`TOUCHPOINT_UPDATE_GOLDEN=1` writes the stories anew: read the difference before you keep it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.language.loader import load_dir
from engine.story.tell import LANGUAGES, story, tell
from engine.story.write import write_tests
from tests.testdata import CHECKOUT

HERE = Path(__file__).parent
EXAMPLES = CHECKOUT / "tests" / "examples" / "rules"
NAMES = ("campus-silent", "hotline-then-hall", "bundle-ending", "zero-traffic", "competitor-calls")


@pytest.mark.parametrize("lang", list(LANGUAGES))
@pytest.mark.parametrize("name", NAMES)
def test_what_is_told(name: str, lang: str) -> None:
    rules = load_dir(EXAMPLES).ruleset
    assert rules is not None
    compare(tell(story(rules, name), LANGUAGES[lang]) + "\n", HERE / f"{name}.{lang}.out")


def test_what_is_written() -> None:
    rules = load_dir(EXAMPLES).ruleset
    assert rules is not None
    compare(write_tests(story(rules, "campus-silent"), LANGUAGES["en"]), HERE / "campus-silent.test.yaml.out")


def compare(shown: str, expected: Path) -> None:
    if os.environ.get("TOUCHPOINT_UPDATE_GOLDEN"):
        expected.write_text(shown, encoding="utf-8")
    assert shown == expected.read_text(encoding="utf-8")
