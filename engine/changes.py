"""What changed from one set of rules to the next, and who did it: the journal of rule changes.

One message per change in the topic of rules, under a key of its own, so that compaction keeps them all:
{"change": hash, "before": hash or null, "by", "at" (µs), "canary": spec or null, "rules": [{"rule", "was",
"now"}], "policy": bool, "catalogue": bool}. `was` and `now` are statuses, null for a rule that was not there;
a rule with equal ones has other text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson

from engine.errors import InputError
from engine.language.catalog import FOLDER
from engine.language.loader import load_texts
from engine.language.policy import PATH as POLICY_PATH

KEY: Final = b"change/"
"""Keys of the journal begin with it: no hash does."""


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One rule that is not what it was."""

    rule: str
    was: str | None
    now: str | None

    def __str__(self) -> str:
        """Write it for people: `mall-dwell: shadow to live`."""
        if self.was is None:
            return f"{self.rule}: new, {self.now}"
        if self.now is None:
            return f"{self.rule}: gone, was {self.was}"
        return f"{self.rule}: {f'{self.was} to {self.now}' if self.was != self.now else 'changed'}"


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the rules in force."""

    change: str
    """Hash of the set that came."""
    before: str | None
    """Hash of the set that the others keep, or that went."""
    by: str
    at: int
    canary: str | None
    rules: tuple[RuleChange, ...]
    policy: bool
    catalogue: bool

    @property
    def key(self) -> bytes:
        """The key of its message: one for each."""
        return KEY + f"{self.at}-{self.change}".encode()

    @property
    def value(self) -> bytes:
        """Its message."""
        return orjson.dumps(asdict(self))

    def lines(self) -> list[str]:
        """Say what changed."""
        found = [str(rule) for rule in self.rules]
        found += ["policy changed"] if self.policy else []
        found += ["catalogue changed"] if self.catalogue else []
        return found or ["nothing"]


def compare(
    before: Mapping[str, str], after: Mapping[str, str], home_cc: str
) -> tuple[tuple[RuleChange, ...], bool, bool]:
    """Compare two sets by their files: rules that differ; does the policy, does the catalogue?"""
    old, new = (_statuses(files, home_cc) for files in (before, after))
    changed = [
        RuleChange(name, old.get(name, ("", None))[1], new.get(name, ("", None))[1])
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]
    houses = [{p: t for p, t in files.items() if p.startswith(FOLDER)} for files in (before, after)]
    return tuple(changed), before.get(POLICY_PATH) != after.get(POLICY_PATH), houses[0] != houses[1]


def _statuses(files: Mapping[str, str], home_cc: str) -> dict[str, tuple[str, str | None]]:
    """Return rule -> (text, status). Of a set that this version reads no more nothing is known."""
    rules = load_texts(files, home_cc=home_cc).ruleset if files else None
    if rules is None:
        return {}
    return {name: (files[rule.path], rule.status) for name, rule in rules.rules.items()}


def read(value: bytes) -> Change:
    """Read a message of the journal; raise `InputError` if it is none of ours."""
    try:
        found: dict[str, Any] = orjson.loads(value)
        rules = tuple(RuleChange(**rule) for rule in found.pop("rules"))
        return Change(**found, rules=rules)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError("a change of rules", "hash, by, at and rules", type(error).__name__) from None
