"""The rules that tests start from have every word of the language, and no mistake."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.language import cases, catalog, compile, geometry, policy, schedule
from engine.language.checks.channels import CHANNELS
from engine.language.checks.verbs import COMPANIONS
from engine.language.folders import read_folder
from engine.language.loader import load_dir
from engine.language.source import Mapping, Node, Sequence, read
from tests.testdata import RULE_SETS

EVERY_WORD = RULE_SETS["every-word"]


def keys(node: Node | None) -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node:
            yield key.text
            yield from keys(value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from keys(item)


WORDS = {
    "verbs": set(COMPANIONS),
    "keys of patterns": {key for both in COMPANIONS.values() for each in both for key in each},
    "keys of a rule": {*compile.REQUIRED, *compile.OPTIONAL, *schedule.KEYS},
    "keys of its sections": {
        key for section in (compile.OFFER, compile.FAQ, compile.LIMITS, compile.GOAL) for part in section
        for key in part
    },
    "keys of messages": {"channel", "if"} | {key for each in CHANNELS.values() for key in each},
    "keys of a policy": {
        *policy.KEYS, *(key for section in (policy.PRESENCE, policy.CONTACT, policy.GROUP) for part in section
                        for key in part),
    },
    "keys of a catalogue": {
        catalog.GROUPS, *(key for section in (catalog.FIELD, catalog.PRODUCT, catalog.PLACE,
                                                     geometry.AREA, geometry.CIRCLE)
                          for part in section for key in part),
    },
    "keys of tests": {
        *(key for section in (cases.FILE, cases.CASE, cases.EXPECTED) for part in section for key in part),
        *cases.STEPS, *(key for both in cases.STEPS.values() for part in both for key in part),
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", WORDS)
def test_every_word_stands_somewhere(kind: str) -> None:
    texts = read_folder(EVERY_WORD).texts
    found = {
        key for path, text in texts.items() if path.endswith(".yaml") for key in keys(read(path, text).root)
    }
    assert WORDS[kind] - found == set()


@pytest.mark.parametrize("name", RULE_SETS)
def test_there_is_no_mistake(name: str) -> None:
    assert [str(problem) for problem in load_dir(RULE_SETS[name]).problems] == []
