"""Whatever stands in the files, the loader answers with problems, never with a traceback.

A share of the damaged files; `python -m tests.fuzz` checks 20,000.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.language.loader import load_texts
from tests.fuzz.run import campaign, examine
from tests.unit.language.texts import files, rule_text


def answer(texts: dict[str, str]) -> None:
    examine(load_texts(texts))


def test_damaged_files() -> None:
    done = campaign(1_500, seed=20_260_905)
    assert done.slowest < 1, done.slowest_text
    assert done.broken > 1_200
    assert len(done.codes) > 15
    assert done.codes["R001"] > 500
    assert not done.raw


@given(st.text(max_size=200))
@settings(max_examples=100)
def test_any_text_as_any_value(text: str) -> None:
    quoted = '"' + "".join(f"\\U{ord(char):08x}" for char in text) + '"'
    answer(files(rule_text(who=f"{{arpu: {quoted}, brand: {quoted}, tags: {quoted}, mms: {quoted}}}")))
    answer(files(rule_text(f"{{count: {quoted}, at_least: {quoted}, within: {quoted}}}")))
    answer(files(rule_text(send=f"{{channel: sms, text: {quoted}}}", limits=f", quiet: {quoted}")))


@given(st.text(max_size=300))
@settings(max_examples=100)
def test_any_text_as_any_file(text: str) -> None:
    for path in ("r.yaml", "policy.yaml", "catalog/places.yaml", "catalog/cells/south.csv", "r.test.yaml"):
        answer({**files(rule_text()), path: text})
