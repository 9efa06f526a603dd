"""Damage files and ask the loader about each, as `touchpoint check` does: with a review of all rules.

A damaged policy or catalogue is loaded with rules that use it, since what is wrong there may show only where
a rule asks for it.
"""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from engine.language.folders import read_folder
from engine.language.loader import Loaded, load_dir, load_texts
from engine.language.sarif import sarif
from tests.fuzz.mutate import damage
from tests.testdata import RULE_SETS

SETS = tuple(RULE_SETS.values())
PARSERS_OWN = re.compile(
    r"YAML: (?:(?:did not|could not) find|found |while |mapping (?:keys|values) |block |unknown )"
)
"""How libyaml speaks."""
AS_OF = datetime(2026, 9, 5, tzinfo=UTC)
"""The moment of all reviews."""
USES = {
    "catalog/numbers.yaml": re.compile(r"\bnumber:"),
    "catalog/places.yaml": re.compile(r"\b(?:enters|leaves|stays_in|place):"),
    "catalog/cells/": re.compile(r"\b(?:enters|leaves|stays_in|place):"),
}
"""File of a house -> what a rule says that uses it; the others are used by every rule."""


@dataclass(slots=True)
class Campaign:
    """What came of many damaged files."""

    files: int = 0
    broken: int = 0
    """With at least one problem."""
    slowest: float = 0.0
    """CPU seconds of the slowest check."""
    slowest_text: bytes = b""
    codes: Counter[str] = field(default_factory=Counter)
    raw: Counter[str] = field(default_factory=Counter)
    """What was told in the parser's own words, not in an author's."""


def campaign(count: int, seed: int) -> Campaign:
    """Damage and check `count` files; raises whatever the loader raises, with the file in a note."""
    rng = random.Random(seed)
    sets = [read_folder(folder).texts for folder in SETS]
    lines = [line for texts in sets for text in texts.values() for line in text.split("\n")]
    done = Campaign()
    with TemporaryDirectory(prefix="touchpoint-fuzz-") as scratch:
        for _ in range(count):
            texts = rng.choice(sets)
            paths = [path for path in texts if rng.random() < 0.1 or not path.endswith(".csv")]
            path = rng.choice([p for p in paths if is_of_house(p)] if rng.random() < 0.3 else paths)
            raw = damage(texts[path], lines, rng)
            around = company(texts, path, rng)
            began = time.process_time()
            try:
                loaded = _check(around, path, raw, Path(scratch))
                examine(loaded)
            except BaseException as error:
                error.add_note(f"seed {seed}, file {done.files}, {path}: {raw!r}")
                raise
            took = time.process_time() - began
            if took > done.slowest:
                done.slowest, done.slowest_text = took, raw
            done.files += 1
            done.broken += bool(loaded.problems)
            done.codes.update({problem.code for problem in loaded.problems})
            said = [problem.message for problem in loaded.problems if problem.code == "R001"]
            done.raw.update(message for message in said if PARSERS_OWN.search(message))
    return done


def company(texts: Mapping[str, str], path: str, rng: random.Random) -> dict[str, str]:
    """Choose the files to load a damaged one with: the house; of tests their rule, of the house two rules.

    Beside a damaged rule stands another, which may be in its way.
    """
    house = {p: text for p, text in texts.items() if is_of_house(p)}
    if path not in house:
        rule = path.replace(".test.yaml", ".yaml")
        if rule == path:
            rule = rng.choice([p for p in texts if is_rule(p) and p != path])
        return house | {rule: texts[rule]}
    asked = next((words for start, words in USES.items() if path.startswith(start)), re.compile(""))
    users = [p for p, text in texts.items() if is_rule(p) and asked.search(text)]
    chosen = rng.sample(users, min(2, len(users)))
    tests = [test for p in chosen if (test := p.replace(".yaml", ".test.yaml")) in texts]
    return house | {p: texts[p] for p in (*chosen, *tests)}


def is_of_house(path: str) -> bool:
    """Say whether all rules share a file."""
    return path in ("policy.yaml", "approvals.yaml") or path.startswith("catalog/")


def is_rule(path: str) -> bool:
    """Say whether a file is a rule."""
    return path.endswith(".yaml") and not path.endswith(".test.yaml") and not is_of_house(path)


def _check(around: dict[str, str], path: str, raw: bytes, scratch: Path) -> Loaded:
    try:
        text = raw.decode()
    except UnicodeDecodeError:  # such a file is refused as it is read
        target = scratch / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(raw)
        loaded = load_dir(scratch, review=AS_OF)
        target.unlink()
        assert "R006" in [problem.code for problem in loaded.problems]
        return loaded
    return load_texts({**around, path: text}, review=AS_OF)


def examine(loaded: Loaded) -> None:
    """Show all problems; each has a position and stands once, in order."""
    for problem in loaded.problems:
        assert problem.pretty()
        assert problem.line >= 1
        assert problem.end >= problem.col >= 1
    orjson.dumps(sarif(loaded.problems, "0"))
    for cost in loaded.costs:
        assert cost.yuan is None or cost.yuan >= 0
    assert len(set(loaded.problems)) == len(loaded.problems)
    assert list(loaded.problems) == sorted(loaded.problems, key=lambda problem: problem.order)
    if loaded.errors:
        assert loaded.ruleset is None or all(".test." in problem.path for problem in loaded.errors)
