"""Whom a rule may reach at all: how many pass each line of `who`, `except`, `consent`, and the rest.

Asked are the compiled lines that the engine asks, of what profiles say, up to the gate `channel`: what comes
after these depends on when a rule matches. Unknown refuses (semantics 4.7) and is counted apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from engine.audience import Line, all_hold
from engine.rulebook import CompiledRule
from engine.snapshot import Subscriber

Answer = bool | None
"""Passes, does not, or can't be said."""


@dataclass(slots=True)
class LineCount:
    """One line or gate, and how many it lets pass."""

    name: str
    """As in reasons: `who.arpu`, `consent.marketing`."""
    expected: str
    passed: int = 0
    """Asked alone."""
    refused: int = 0
    unknown: int = 0
    left: int = 0
    """Pass this line and all before it, in the order of the gates."""
    costs: int = 0
    """Pass all lines but this one: so many more would be reached without it."""


class Reach:
    """Counts for one rule; give it every subscriber once."""

    def __init__(self, rule: CompiledRule) -> None:
        self.rule = rule.name
        self.subscribers = 0
        self.reached = 0
        self.lines: list[LineCount] = []
        self._ask: list[Callable[[Subscriber], Answer]] = []
        for name, expected, ask in _lines(rule):
            self.lines.append(LineCount(name, expected))
            self._ask.append(ask)

    def take(self, sub: Subscriber) -> bool:
        """Count one subscriber; say whether they pass all lines."""
        self.subscribers += 1
        failed = 0
        last: LineCount | None = None
        for ask, count in zip(self._ask, self.lines, strict=True):
            answer = ask(sub)
            if answer:
                count.passed += 1
                if not failed:
                    count.left += 1
                continue
            failed += 1
            last = count
            if answer is None:
                count.unknown += 1
            else:
                count.refused += 1
        if failed == 1 and last is not None:
            last.costs += 1
        self.reached += not failed
        return not failed

    @property
    def dearest(self) -> LineCount | None:
        """The line that costs most; None if none alone costs anything."""
        found = max(self.lines, key=lambda count: count.costs, default=None)
        return found if found is not None and found.costs else None

    def to_json(self) -> dict[str, Any]:
        """The counts as plain data."""
        dearest = self.dearest
        return {
            "rule": self.rule,
            "subscribers": self.subscribers,
            "reached": self.reached,
            "share": self.reached / self.subscribers if self.subscribers else None,
            "costs_most": dearest.name if dearest is not None else None,
            "lines": [
                {
                    "line": count.name,
                    "expected": count.expected,
                    "passed": count.passed,
                    "refused": count.refused,
                    "unknown": count.unknown,
                    "left": count.left,
                    "costs": count.costs,
                }
                for count in self.lines
            ],
        }


def _lines(rule: CompiledRule) -> Iterator[tuple[str, str, Callable[[Subscriber], Answer]]]:
    """Yield name, expectation and question of each gate from `who` to `channel`, in their order."""
    for line in rule.who:
        yield f"who.{line.field}", line.test.text, _holds(line)
    for line in rule.excepts:
        yield f"except.{line.field}", f"none of: {line.test.text}", _holds_not(line)
    for purpose in rule.consents:
        yield f"consent.{purpose}", "yes", _consents(purpose)
    yield "suppressed", "no", lambda sub: not sub.suppressed
    named = [_named(message.channel, message.condition) for message in rule.messages]
    yield "channel", ", else ".join(named), _usable(rule)


def _holds(line: Line) -> Callable[[Subscriber], Answer]:
    return lambda sub: line.holds(sub.profile.get(line.field))


def _holds_not(line: Line) -> Callable[[Subscriber], Answer]:
    def ask(sub: Subscriber) -> Answer:
        answer = line.holds(sub.profile.get(line.field))
        return None if answer is None else not answer

    return ask


def _consents(purpose: str) -> Callable[[Subscriber], Answer]:
    return lambda sub: sub.consent.get(purpose)


def _usable(rule: CompiledRule) -> Callable[[Subscriber], Answer]:
    """Ask for a message; unknown if one might do, were more known."""

    def ask(sub: Subscriber) -> Answer:
        profile = sub.profile
        if any(all_hold(message.condition, profile) for message in rule.messages):
            return True
        for message in rule.messages:
            if all(line.holds(profile.get(line.field)) is not False for line in message.condition):
                return None
        return False

    return ask


def _named(channel: str, condition: tuple[Line, ...]) -> str:
    lines = ", ".join(f"{line.field}: {line.test.text}" for line in condition)
    return f"{channel} if {{{lines}}}" if lines else channel
