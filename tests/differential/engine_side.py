"""The engine's side of a differential case: the case's plain dicts through loader, intake and replay."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
import yaml

from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.language.loader import load_texts
from engine.language.model import RuleSet
from engine.pipeline import Fold
from engine.refusals import Refusal
from engine.replay import Replay, order_of
from engine.rulebook import Rulebook

LOOSE = ("R202", "R207", "R302", "R303", "R304", "R402", "R404")
"""Checks about wording, approval and times to send, which random rules do not care for."""


def texts_of(case: dict[str, Any]) -> dict[str, str]:
    """Write a case's rules, policy and catalogue as the files an author would."""

    def dump(value: Any) -> str:
        return orjson.dumps(value).decode()

    texts = {
        "policy.yaml": dump(case["policy"]),
        "catalog/fields.yaml": dump(case["fields"]),
        "catalog/places.yaml": dump(case["places"]),
        "catalog/numbers.yaml": dump(case["numbers"]),
        "catalog/products.yaml": dump(case["products"]),
    }
    for rule in case["rules"]:
        texts[f"team/{rule['rule']}.yaml"] = yaml.dump(rule, allow_unicode=True, sort_keys=False)
    return texts


def ruleset_of(case: dict[str, Any]) -> RuleSet:
    """Load a case's rules; a case with a problem is a mistake of the generator."""
    loaded = load_texts(texts_of(case), ignore=LOOSE)
    if loaded.ruleset is None:
        raise AssertionError("\n".join(f"{p}" for p in loaded.problems))
    return loaded.ruleset


class Prepared:
    """A case taken in: records as events, refusals counted."""

    def __init__(self, case: dict[str, Any], rules: RuleSet | None = None) -> None:
        self.case = case
        self.refused: Counter[str] = Counter()

        def refused(refusal: Refusal) -> None:
            self.refused[refusal.reason] += 1

        key = case["key"].encode()
        intake = Intake(Identity(key, "86"), on_refused=refused)
        self.book = Rulebook(rules or ruleset_of(case), key)
        self.profiles: list[Event] = []
        for number, line in enumerate(case["profiles"], 1):
            event = intake.profile_line(orjson.dumps(line), "profiles", f"profiles:{number}")
            if event is None:
                raise AssertionError(f"expected a good profile line, was {line}")
            self.profiles.append(event)
        self.refused.clear()
        self.events: list[Event] = []
        until = case["until"]
        for number, record in enumerate(case["records"], 1):
            if until is not None and record["t"] > until:
                continue
            self.events += intake.read(orjson.dumps(record), "case", f"case:{number}")


def run(case: dict[str, Any]) -> dict[str, Any]:
    """Run a case through the engine."""
    prepared = Prepared(case)
    fold = Fold(prepared.book, case["salt"].encode())
    replay = Replay(fold, disorder=case["disorder"], until=case["until"])
    decisions = sorted(replay.run(prepared.profiles, prepared.events), key=order_of)
    return {"decisions": decisions, "summary": replay.summary(prepared.refused)}
