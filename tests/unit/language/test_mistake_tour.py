"""Every slip in a word of the language is found where it stands, and the word meant is proposed.

A sample of the slips; `TOUCHPOINT_EXAMPLES` takes that many.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from pathlib import Path

from engine.language.checks.channels import CHANNELS
from engine.language.checks.events import EVENTS, event_fields, measures
from engine.language.checks.verbs import COMPANIONS
from engine.language.compile import OPTIONAL, REQUIRED
from engine.language.folders import read_folder
from engine.language.loader import is_rule, load_texts
from engine.language.source import Mapping, Node, Scalar, Sequence, read
from engine.language.words import UNITS

TEXTS = read_folder(Path(__file__).parents[2] / "examples" / "rules").texts
HOUSE = {path: text for path, text in TEXTS.items() if path == "policy.yaml" or path.startswith("catalog/")}


def vocabulary() -> set[str]:
    loaded = load_texts(TEXTS).ruleset
    assert loaded is not None
    catalog = loaded.catalog
    words = {*REQUIRED, *OPTIONAL, *CHANNELS, *COMPANIONS, *EVENTS, *loaded.policy.groups}
    words |= {key for keys in CHANNELS.values() for key in keys}
    words |= {key for pair in COMPANIONS.values() for keys in pair for key in keys}
    words |= {"channel", "if", "product", "send", "faq", "ask", "answer", "converts_when"}
    words |= {"priority", "only_one_of", "at_most", "quiet", "send_within", "holdout", "live", "shadow"}
    words |= {f"{event}.{name}" for event in EVENTS for name in measures(event)}
    words |= {name for event in EVENTS for name in event_fields(event)}
    words |= {*catalog.fields, *catalog.places, *catalog.groups, *catalog.products, *catalog.numbers}
    words |= {value for spec in catalog.fields.values() for value in spec.values}
    return words | {unit for units in UNITS.values() for unit in units if unit.isalpha()}


def slips(word: str, rng: random.Random) -> set[str]:
    found = set()
    for at in range(len(word)):
        found |= {word[:at] + word[at + 1 :], word[: at + 1] + word[at:]}
        found.add(word[:at] + rng.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1 :])
        found.add(word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :])
    return found - {word, ""}


def scalars(node: Node) -> Iterator[Scalar]:
    if isinstance(node, Scalar):
        yield node
    elif isinstance(node, Mapping):
        for key, value in node:
            yield key
            yield from scalars(value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from scalars(item)


def tour(rng: random.Random) -> list[tuple[str, Scalar, str, str, str]]:
    """List (path, scalar, word, slip, text with the slip)."""
    known = vocabulary()
    found = []
    for path, text in TEXTS.items():
        root = read(path, text).root if is_rule(path) else None
        for node in scalars(root) if root is not None else ():
            raw = text[node.start.index : node.end.index]
            for match in re.finditer(r"[A-Za-z0-9_.-]+", raw):
                word, at = match[0], node.start.index + match.start()
                is_unit = re.fullmatch(rf".*[0-9]+ {word}", raw) is not None
                if (
                    word not in known
                    or not (node.text == word or is_unit)
                    or "network: [4G" in text[at - 15 :][:20]
                ):
                    continue  # `to.network` of an event is open text
                for slip in sorted(slips(word, rng) - known):
                    found.append((path, node, word, slip, text[:at] + slip + text[at + len(word) :]))
    return found


def test_slips_are_found_where_they_stand_and_the_word_meant_is_proposed() -> None:
    rng = random.Random(5)
    stops = tour(rng)
    assert len(stops) > 10_000
    stops = rng.sample(stops, min(len(stops), int(os.environ.get("TOUCHPOINT_EXAMPLES", "500"))))
    long, proposed = 0, 0
    for path, node, word, slip, text in stops:
        problems = load_texts({**HOUSE, path: text}).problems
        here = [
            p
            for p in problems
            if (p.path, p.line, p.col - 1) == (path, node.start.line + 1, node.start.column)
        ]
        assert here, f"{path}: `{slip}` for `{word}` in line {node.start.line + 1}: " + "\n".join(
            map(str, problems)
        )
        if len(word) >= 4:
            long += 1
            proposed += any(word in problem.hint for problem in here)
    assert proposed >= 0.95 * long
