"""Rules to tell stories of: those of the repository, and one written out in a test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.language.folders import read_folder
from engine.language.loader import load_texts
from engine.language.model import RuleSet
from engine.story.boundaries import Boundary, boundaries
from engine.story.tell import Story, story
from tests.testdata import CHECKOUT

FOLDERS = ("tests/examples/rules", "rules", "tests/beijing/rules")


def texts_of(folder: str) -> dict[str, str]:
    """Read the files of a folder of rules, without its tests."""
    return {path: text for path, text in read_folder(CHECKOUT / folder).texts.items() if ".test." not in path}


def loaded(texts: dict[str, str]) -> RuleSet:
    """Load texts that must have no error."""
    found = load_texts(texts)
    assert found.ruleset is not None, "\n".join(problem.pretty() for problem in found.problems)
    return found.ruleset


SETS = {folder: loaded(texts_of(folder)) for folder in FOLDERS}
RULES = [(folder, name) for folder, rules in SETS.items() for name in rules.rules]

IDS = [f"{folder.replace('/', '-')}-{name}" for folder, name in RULES]

HOUSE = {
    path: text for path, text in texts_of("rules").items() if path == "policy.yaml" or "catalog/" in path
}
RULE = """
rule: it
title: A rule of a test
owner: somebody
status: draft
valid: 2026-09-01 to 2026-09-30
{schedule}
when: {when}
who: {who}
except: {excepts}
offer:
  product: trial-100m
  send:
    - {{channel: sms, text: "【移动】送您{{product.name}}。退订回R。"}}
limits: {{priority: 40, at_most: {at_most}, send_within: {within}, holdout: 0%}}
goal: {{converts_when: {{happens: product.bought}}, within: 1d}}
"""
AS_A_TASK = {
    'channel: sms, text: "【移动】送您{product.name}。退订回R。"': "channel: manual, task: call them"
}
"""What to swap for a rule whose only message is a task for a person."""


def rules_of(
    when: str,
    *,
    schedule: str = "",
    who: str = "{arpu: at least 50 yuan}",
    excepts: str = "{tags: do-not-disturb}",
    at_most: str = "1 in 7d",
    within: str = "24h",
    policy: str = "",
    swap: Mapping[str, str] | None = None,
) -> RuleSet:
    """Load the rule `it` with a pattern of its own, beside the project's policy and catalogue.

    `policy`: more lines of it. `swap`: what else to put in place of what.
    """
    text = RULE.format(when=when, schedule=schedule, who=who, excepts=excepts, at_most=at_most, within=within)
    for old, new in (swap or {}).items():
        assert old in text
        text = text.replace(old, new)
    return loaded({**HOUSE, "policy.yaml": HOUSE["policy.yaml"] + policy, "team/it.yaml": text})


def story_of(when: str, **changed: Any) -> Story:
    """Tell the rule `it`."""
    return story(rules_of(when, **changed), "it")


def path_of(rules: RuleSet, name: str) -> Path:
    """Return where a rule's file is, relative to its folder."""
    return Path(rules.rules[name].path)


def cases_of(rules: RuleSet, kind: str) -> list[Boundary]:
    """Return the cases of the rule `it` that are about one thing."""
    return [each for each in boundaries(rules, "it").cases if each.note.kind == kind]
