"""What random cases covered: verbs, pairs of nested verbs, outcomes and reasons; each once per case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from tests.differential.gen_patterns import PAIRS, VERBS, children, verb, walk
from tests.differential.generator import OUTCOMES, REASONS

_PAIR_NAMES = tuple(f"{outer} > {inner}" for outer, inner in PAIRS)
SECTIONS: dict[str, tuple[str, ...]] = {
    "verb": VERBS,
    "pair": _PAIR_NAMES,
    "outcome": OUTCOMES,
    "reason": REASONS,
    "verb decided": VERBS,
    "pair decided": _PAIR_NAMES,
}
"""Everything counted. `decided`: only rules that left at least one decision record."""

DEMANDED = ("verb", "pair", "outcome", "reason")


def reason_group(reason: str) -> str:
    """Collapse the field: `who.arpu` is `who`, `except.tags` is `except`; other names stay whole."""
    head = reason.partition(".")[0]
    return head if head in ("who", "except") else reason


def _pairs(pattern: dict[str, Any]) -> Iterator[str]:
    for part in walk(pattern):
        for position, inner in children(part):
            yield f"{position} > {verb(inner)}"


class Coverage:
    """Counts of cases. `add` takes a case and its result: of either side, they are the same."""

    def __init__(self) -> None:
        self.cases = 0
        self.decisions = 0
        self.counts: dict[str, Counter[str]] = {section: Counter() for section in SECTIONS}

    def add(self, case: dict[str, Any], result: dict[str, Any]) -> None:
        decisions = result["decisions"]
        self.cases += 1
        self.decisions += len(decisions)
        decided = {decision["rule"] for decision in decisions}
        seen: dict[str, set[str]] = {section: set() for section in SECTIONS}
        for rule in case["rules"]:
            verbs = {verb(part) for part in walk(rule["when"])}
            pairs = set(_pairs(rule["when"]))
            seen["verb"] |= verbs
            seen["pair"] |= pairs
            if rule["rule"] in decided:
                seen["verb decided"] |= verbs
                seen["pair decided"] |= pairs
        seen["outcome"] = {decision["outcome"] for decision in decisions}
        seen["reason"] = {reason_group(d["reason"]) for d in decisions if d["outcome"] == "refused"}
        for section, names in seen.items():
            self.counts[section].update(names)

    def merge(self, other: Coverage) -> None:
        """Add the counts of another run (of another process)."""
        self.cases += other.cases
        self.decisions += other.decisions
        for section, counter in other.counts.items():
            self.counts[section].update(counter)

    def lacking(self, minimum: int = 100, *, sections: Iterable[str] = DEMANDED) -> list[str]:
        """What fewer than `minimum` cases held, as `pair after > count: 12`."""
        return [
            f"{section} {name}: {self.counts[section][name]}"
            for section in sections
            for name in SECTIONS[section]
            if self.counts[section][name] < minimum
        ]

    def table(self) -> str:
        """All counts as plain text, one thing a line; pairs show how many of them decided something."""
        lines = [f"{self.cases} cases, {self.decisions} decision records", ""]
        for section in ("verb", "pair"):
            lines.append(f"{section:<28}{'cases':>8}{'decided':>9}")
            decided = self.counts[f"{section} decided"]
            lines += [f"  {n:<26}{self.counts[section][n]:>8}{decided[n]:>9}" for n in SECTIONS[section]]
            lines.append("")
        for section in ("outcome", "reason"):
            lines.append(f"{section:<28}{'cases':>8}")
            known = SECTIONS[section]
            others = sorted(set(self.counts[section]) - set(known))
            lines += [f"  {n:<26}{self.counts[section][n]:>8}" for n in (*known, *others)]
            lines.append("")
        return "\n".join(lines)
