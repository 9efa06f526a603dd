"""The schemas take whatever the loader takes, and refuse most of what it refuses. Without an editor."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from jsonschema import Draft7Validator

from engine.language.editor.files import POLICY, RULE, SHAPES, TESTS, associations, schema
from engine.language.editor.scalars import core
from engine.language.editor.vocabulary import vocabulary
from engine.language.folders import read_folder
from engine.language.loader import YAML, load_texts, read_names
from engine.language.testing import SUFFIXES
from tests.differential.engine_side import texts_of
from tests.differential.generator import cases
from tests.editor.yaml12 import has_odd_text, lines_of, read, rewritten
from tests.fuzz.mutate import mutate
from tests.golden.language.test_problems import CASES, bundle
from tests.testdata import RULE_SETS

FOLDERS = {name: read_folder(path).texts for name, path in RULE_SETS.items()}
NAMES = ("R101", "R102", "R104", "R105", "R203", "R204", "R206", "R207", "R208", "R301", "R401")
"""Keys and names that are not known, or missing."""
NONE = ("approvals.yaml",)
"""A program writes them."""
MUTANTS = 8
"""Damaged copies of each valid file, and as many that are only written in another way."""


def shape_of(path: str) -> str | None:
    """Say which schema a file has, by the patterns that editors are given."""
    if path.endswith(SUFFIXES):
        return TESTS
    for each in associations():
        if each.shape not in (RULE, TESTS) and path in each.patterns:
            return each.shape
    return None if path in NONE or path.startswith("catalog/") or not path.endswith(YAML) else RULE


def validator(shape: str, texts: Mapping[str, str]) -> Draft7Validator:
    """Make the schema of a shape for the names of a set of files."""
    known = read_names(texts)
    return Draft7Validator(schema(shape, vocabulary(known.names, known.policy, known.rules)))


@cache
def of_folder(name: str, shape: str) -> Draft7Validator:
    return validator(shape, FOLDERS[name])


def refusal(check: Draft7Validator, data: Any) -> str:
    """Return what a schema says against a file; empty if nothing."""
    error = next(check.iter_errors(data), None)
    return "" if error is None else f"{list(error.absolute_path)}: {error.message[:200]}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_they_are_json_schema_and_take_every_valid_file(folder: str) -> None:
    for shape in SHAPES:
        Draft7Validator.check_schema(of_folder(folder, shape).schema)
    shapes = {path: known for path in FOLDERS[folder] if (known := shape_of(path))}
    assert {*shapes.values()} == {*SHAPES}
    refused = {
        path: refusal(of_folder(folder, shape), read(FOLDERS[folder][path])) for path, shape in shapes.items()
    }
    assert {path: said for path, said in refused.items() if said} == {}


@settings(max_examples=int(os.environ.get("TOUCHPOINT_EXAMPLES", "25")))
@given(cases())
def test_rules_made_at_random_are_taken(case: dict[str, Any]) -> None:
    """Quoted as a program writes them, and plain as an author does."""
    texts = texts_of(case)
    wrong = {problem.path for problem in load_texts(texts).errors if problem.code != "R202"}
    for path in texts:
        shape = shape_of(path)
        if shape is not None and path not in wrong:
            check = validator(shape, texts)
            data = read(texts[path])
            assert refusal(check, data) == "", texts[path]
            assert refusal(check, plain(data)) == "", texts[path]


def plain(data: Any) -> Any:
    """Take the quotes off."""
    if isinstance(data, dict):
        return {key: plain(value) for key, value in data.items()}
    if isinstance(data, list):
        return [plain(item) for item in data]
    return core(data) if isinstance(data, str) else data


@pytest.mark.parametrize("folder", FOLDERS)
def test_odd_files_that_the_loader_still_takes_are_taken(folder: str) -> None:
    """Odd spacing, signs, quotes and numbers, damage: what is valid by luck is valid in an editor too."""
    texts = FOLDERS[folder]
    taken = 0
    for path, mutant in odd(texts, random.Random(5)):
        files = company(texts, path) | {path: mutant}
        if any(problem.path == path for problem in load_texts(files).errors) or has_odd_text(mutant):
            continue
        if (data := read(mutant)) is None:  # an empty file: nothing is there to be marked
            continue
        shape = shape_of(path) or ""
        check = of_folder(folder, shape) if shape in (RULE, TESTS) else validator(shape, files)
        taken += 1
        assert refusal(check, data) == "", f"{path}\n{mutant}"
    assert taken > len(texts) * 2


def odd(texts: Mapping[str, str], rng: random.Random) -> Iterator[tuple[str, str]]:
    rows = [row for text in texts.values() for row in text.split("\n")]
    for path in [path for path in texts if shape_of(path)]:
        for _ in range(int(os.environ.get("TOUCHPOINT_EXAMPLES", MUTANTS))):
            yield path, mutate(texts[path], rows, rng)
            yield path, rewritten(texts[path], rng)


def company(texts: Mapping[str, str], path: str) -> dict[str, str]:
    """Return the files that a file can't be read without: the house's, and of tests the rule."""
    rule = path.replace(".test.", ".")
    return {
        other: text for other, text in texts.items() if shape_of(other) not in (RULE, TESTS) or other == rule
    }


def test_an_editor_marks_most_of_what_check_finds() -> None:
    """Over all problems of the golden reports: is the line marked? Unknown names and keys nearly always."""
    seen: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for case in CASES:
        texts = bundle(case.read_text(encoding="utf-8"))
        found = load_texts(texts).errors
        paths = {problem.path for problem in found if problem.path in texts}
        marks = {path: lines for path in paths if (lines := marked(path, texts)) is not None}
        for problem in found:
            if problem.path in marks:
                total[problem.code] += 1
                seen[problem.code] += problem.line in marks[problem.path]
    for code in sorted(total):
        print(f"{code}  {seen[code]} of {total[code]}")
    named = [code for code in NAMES if total[code]]
    assert len(named) > 8
    assert sum(seen[code] for code in named) >= 0.9 * sum(total[code] for code in named)
    formed = [code for code in total if code.startswith(("R1", "R209"))]
    assert sum(seen[code] for code in formed) >= 0.7 * sum(total[code] for code in formed)


def marked(path: str, texts: Mapping[str, str]) -> set[int] | None:
    """Return the lines, counted from 1, on which a schema has something to say; None if it is no YAML."""
    shape = shape_of(path)
    try:
        data = read(texts[path])
    except yaml.YAMLError:
        return None
    if shape is None or data is None:
        return set()
    found: set[int] = set()
    errors = list(validator(shape, texts).iter_errors(data))
    while errors:
        error = errors.pop()
        errors += error.context or ()
        known = error.schema.get("properties", {}) if error.validator == "additionalProperties" else None
        found |= lines_of(texts[path], list(error.absolute_path), known)
    return found


def test_the_policy_may_be_broken_and_its_groups_are_then_open() -> None:
    texts = {**FOLDERS["rules"], "policy.yaml": "- no\n- mapping\n"}
    rule = read(FOLDERS["rules"]["city/mall-coupon.yaml"])
    rule["limits"]["only_one_of"] = "anything"
    assert refusal(validator(RULE, texts), rule) == ""
    assert "only_one_of" in refusal(validator(RULE, FOLDERS["rules"]), rule)
    assert refusal(validator(POLICY, texts), read(texts["policy.yaml"]))


@pytest.mark.parametrize("name", ["fields", "places", "products", "numbers"])
def test_a_broken_file_of_the_catalogue_closes_no_list(name: str) -> None:
    texts = {**FOLDERS["rules"], f"catalog/{name}.yaml": "a: {b: [\n"}
    for path in ("service/hotline-care.yaml", "service/hotline-care.test.yaml", "city/mall-coupon.yaml"):
        data = read(texts[path].replace("mall-coupon", "m2").replace("hotline}", "10099}"))
        check = validator(shape_of(path) or "", texts)
        if name == "products" or "mall" not in path:
            assert refusal(check, data) == "", path
