"""Changed rules: what is shown of each is what an author would have to write, and none upsets the engine."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.language import words
from engine.language.loader import load_dir, load_texts
from engine.language.model import MINUTE, RuleSet, Test
from engine.language.source import read
from engine.language.testing import TestFile
from engine.pipeline import Fold
from engine.replay import Replay
from engine.rule_tests import nearby
from engine.rule_tests.coverage_report import position
from engine.rule_tests.mutants import lines
from engine.rule_tests.runner import Bench
from tests.differential.engine_side import Prepared, ruleset_of
from tests.differential.generator import generate

ROOT = Path(__file__).parents[3]
FOLDERS = (ROOT / "rules", ROOT / "tests" / "examples" / "rules")
HOURS = 60 * MINUTE


def folders() -> Iterator[tuple[Path, RuleSet, tuple[TestFile, ...]]]:
    for folder in FOLDERS:
        loaded = load_dir(folder)
        assert loaded.ruleset is not None
        yield folder, loaded.ruleset, loaded.tests


@pytest.mark.parametrize(
    ("op", "type", "text", "near"),
    [
        ("at_least", "money", "at least 58 yuan", ["at least 57 yuan", "at least 59 yuan"]),
        ("at_most", "money", "at most 9.9 yuan", ["at most 9.8 yuan", "at most 10.0 yuan"]),
        ("over", "percent", "over 0%", ["over 1%"]),
        ("under", "percent", "under 100%", ["under 99%"]),
        ("at_least", "bytes", "at least 10 KB", ["at least 9 KB", "at least 11 KB"]),
        ("at_least", "duration", "at least 30s", ["at least 29s", "at least 31s"]),
        ("at_least", "duration", "at least 1m30s", ["at least 1m29s", "at least 1m31s"]),
        ("between", "number", "17 to 26", ["16 to 26", "18 to 26", "17 to 25", "17 to 27"]),
        ("between", "money", "5 to 5 yuan", ["4 yuan to 5 yuan", "5 yuan to 6 yuan"]),
        ("is", "text", "[a, b]", ["[a, b] without a", "[a, b] without b"]),
        ("is", "text", "a", []),
        ("not", "text", "not a", []),
    ],
)
def test_the_neighbours_of_a_test(op: Any, type: Any, text: str, near: list[str]) -> None:
    values: dict[str, tuple[Any, ...]] = {"17 to 26": (17, 26), "5 to 5 yuan": (5, 5), "[a, b]": ("a", "b")}
    test = Test("f", type, op, values.get(text, (1,)), text)
    assert [other.text for other in nearby.tests(test)] == near


def test_a_list_that_holds_a_named_list_has_no_neighbours() -> None:
    named = Test("number", "phone", "is", ("10010", "10000", "95555"), "[competitors, 95555]")
    assert list(nearby.tests(named)) == []


@pytest.mark.parametrize(
    ("length", "near"),
    [
        (HOURS, [59 * MINUTE, 2 * HOURS]),
        (90 * MINUTE, [89 * MINUTE, 91 * MINUTE]),
        (48 * HOURS, [47 * HOURS, 49 * HOURS]),
        (30 * 24 * HOURS, [29 * 24 * HOURS, 31 * 24 * HOURS]),
        (nearby.SECOND, [2 * nearby.SECOND]),
        (0, [nearby.SECOND]),
    ],
)
def test_the_neighbours_of_a_length(length: int, near: list[int]) -> None:
    assert list(nearby.lengths(length)) == near


@pytest.mark.parametrize(
    ("value", "type", "text"),
    [
        (200 << 20, "bytes", "200 MB"),
        (3 << 29, "bytes", "1536 MB"),
        (512, "bytes", "0.5 KB"),
        (9.9, "money", "9.9 yuan"),
        (40, "percent", "40%"),
        (90, "duration", "1m30s"),
        (1_000_000, "number", "1000000"),
    ],
)
def test_amounts_are_written_as_they_are_read(value: float, type: Any, text: str) -> None:
    assert nearby.write_amount(value, type) == text
    assert words.amount(text, type) == value


def test_each_line_is_found_in_its_file() -> None:
    for folder, rules, _ in folders():
        for rule in rules.rules.values():
            source = read(rule.path, (folder / rule.path).read_text())
            for line in lines(rule, rules.policy):
                row, column = position(source, line.path)
                name = next(part for part in reversed(line.path) if isinstance(part, str))
                assert source.line(row - 1)[column - 1 :].startswith(f"{name}:"), (rule.name, line.label)


def test_a_neighbour_is_the_rule_that_the_author_would_get_by_writing_it() -> None:
    checked = 0
    for folder, rules, _ in folders():
        texts = {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*.*")}
        for rule in rules.rules.values():
            for line in lines(rule, rules.policy):
                for mutant in line.nearby:
                    if " without " in mutant.could_be or mutant.could_be.startswith("another "):
                        continue
                    body = yaml.load(texts[rule.path], yaml.BaseLoader)  # noqa: S506
                    put(body, line.path, mutant.could_be)
                    changed = yaml.safe_dump(body, allow_unicode=True, sort_keys=False)
                    loaded = load_texts({**texts, rule.path: changed}, ignore=["R205", "R402"])
                    assert loaded.testable is not None
                    assert loaded.testable.rules[rule.name] == mutant.rule, (rule.name, line.label)
                    checked += 1
    assert checked > 200


def put(body: Any, path: tuple[str | int, ...], value: str) -> None:
    *above, last = path
    if last == 0:  # `quiet` with one span is no list
        *above, last = above
    for part in above:
        body = body[part]
    body[last] = value


def test_no_changed_rule_upsets_the_engine() -> None:
    ran = 0
    for _, rules, tests in folders():
        for file in tests:
            ran += sum(bench.run(file.cases[0]).ran for bench in benches(rules, file.rule))
    assert ran > 500


def test_no_change_of_a_random_rule_upsets_the_engine() -> None:
    """Rules and records of the differential test: patterns nested in every way, records late and twice."""
    rng = random.Random(5)
    ran = 0
    for _ in range(25):
        random_case = generate(rng)
        prepared = Prepared(random_case)
        rules = ruleset_of(random_case)
        for name in rules.rules:
            for bench in benches(rules, name):
                replay = Replay(Fold(bench.book("treatment"), b"salt"), disorder=random_case["disorder"])
                list(replay.run(prepared.profiles, prepared.events))
                ran += 1
    assert ran > 500


def benches(rules: RuleSet, name: str) -> Iterator[Bench]:
    """Every change of a rule, ready to run."""
    for line in lines(rules.rules[name], rules.policy):
        for mutant in (line.without, *line.nearby):
            yield Bench(rules, mutant.rule, waived=mutant.waived)
