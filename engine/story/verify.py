"""Cases run on the real engine: what is told, and written, is what it did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from engine.language.model import Channel, RuleSet
from engine.language.testing import Case, Expected
from engine.rule_tests.runner import run_case
from engine.rule_tests.verdict import Match, matches_of, reason_of
from engine.story.boundaries import Boundary


@dataclass(frozen=True, slots=True)
class Sent:
    """One offer that the engine made."""

    at: int
    """µs UTC."""
    channel: Channel
    product: str
    text: str
    subject: str
    """Of an MMS."""
    held: bool
    """It waited for the end of quiet time."""


@dataclass(frozen=True, slots=True)
class Told:
    """A case and what the engine did with it."""

    boundary: Boundary
    sent: tuple[Sent, ...]
    because: str
    """Why the last match sent nothing, in the words of a rule test; empty if it sent something."""
    as_foreseen: bool
    """The engine did what the making of the case said it would."""

    @property
    def case(self) -> Case:
        """The case with what the engine did as what is expected."""
        case = self.boundary.case
        texts = self.boundary.topic == "send"  # of two SMS only the text tells which it is
        expect = tuple(
            Expected(each.at - case.starts, each.product, each.channel, each.text if texts else None)
            for each in self.sent
        )
        then = self.because if self.sent and self.because else None
        return replace(case, expect=expect, because=None if expect else self.because, then=then)


def verify(rules: RuleSet, name: str, cases: tuple[Boundary, ...], home_cc: str = "86") -> Iterator[Told]:
    """Run cases one after the other."""
    for boundary in cases:
        result = run_case(rules, name, boundary.case, home_cc)
        matches = matches_of(result.decisions)
        sent = tuple(_sent(match) for match in matches if match.sent)
        yield Told(boundary, sent, _because(matches), result.verdict.passed)


def _sent(match: Match) -> Sent:
    last = match.last
    text = str(last["text"] or "")
    held = len(match.records) > 1
    subject = str(last.get("subject") or "")
    return Sent(int(last["at"]), last["channel"], str(last["product"]), text, subject, held)


def _because(matches: list[Match]) -> str:
    """Return why the latest match sent nothing; `when` if there was none at all."""
    if not matches:
        return "when"
    last = max(matches, key=lambda match: int(match.records[0]["at"])).last
    return "" if last["outcome"] == "offer" else reason_of(last)
