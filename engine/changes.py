"""What changed from one set of rules to the next, and who did it: the journal of rule changes.

One message per change in the topic of rules, under a key of its own, so that compaction keeps them all:
{"change": hash, "before": hash or null, "by", "at" (µs), "canary": spec or null, "rules": [{"rule", "was",
"now"}], "policy": bool, "catalogue": bool}. `was` and `now` are statuses, null for a rule that was not there;
a rule with equal ones says something else than before.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson

from engine.errors import InputError
from engine.language.model import RuleSet

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


def compare(before: RuleSet | None, after: RuleSet) -> tuple[tuple[RuleChange, ...], bool, bool]:
    """Compare two sets: rules that differ; does the policy, the catalogue? `before`: None = not known."""
    if before is None:
        return (
            tuple(RuleChange(name, None, rule.status) for name, rule in sorted(after.rules.items())),
            True,
            True,
        )
    old, new = before.rules, after.rules
    changed = [
        RuleChange(name, old[name].status if name in old else None, new[name].status if name in new else None)
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]
    return tuple(changed), before.policy != after.policy, before.catalog != after.catalog


def read(value: bytes) -> Change:
    """Read a message of the journal; raise `InputError` if it is none of ours."""
    try:
        found: dict[str, Any] = orjson.loads(value)
        rules = tuple(RuleChange(**rule) for rule in found.pop("rules"))
        return Change(**found, rules=rules)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError("a change of rules", "hash, by, at and rules", type(error).__name__) from None
