"""Whatever stands in the files, the loader answers with problems, never with a traceback."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.language.folders import read_folder
from engine.language.loader import load_texts
from tests.unit.language.mutate import mutate
from tests.unit.language.texts import files, rule_text

EXAMPLES = read_folder(Path(__file__).parents[2] / "examples" / "rules").texts
PATHS = [path for path in EXAMPLES if not path.endswith(".csv")]
LINES = [line for path in PATHS for line in EXAMPLES[path].split("\n")]


def answer(texts: dict[str, str]) -> None:
    """Load and show; all problems have a position, each stands once."""
    loaded = load_texts(texts)
    for problem in loaded.problems:
        assert problem.pretty()
        assert problem.line >= 1
        assert problem.end >= problem.col >= 1
    assert len(set(loaded.problems)) == len(loaded.problems)
    assert list(loaded.problems) == sorted(loaded.problems, key=lambda problem: problem.order)
    if loaded.errors:
        assert loaded.ruleset is None or all(".test." in problem.path for problem in loaded.errors)


def test_damaged_files() -> None:
    rounds = int(os.environ.get("TOUCHPOINT_EXAMPLES", "600"))
    rng = random.Random(20_260_905)
    slowest = 0.0
    for _ in range(rounds):
        path = rng.choice(PATHS)
        house = {p: t for p, t in EXAMPLES.items() if p == "policy.yaml" or p.startswith("catalog/")}
        begin = time.perf_counter()
        answer({**house, path: mutate(EXAMPLES[path], LINES, rng)})
        slowest = max(slowest, time.perf_counter() - begin)
    assert slowest < 1


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
