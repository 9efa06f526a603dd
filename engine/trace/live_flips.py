"""The single change after which a match now would go out, of a subscriber as a live engine holds them.

There are no records to fold again, so a change is tried on the gates as they stand: the same lines that tell
what would become of a match now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.codec import decode, encode
from engine.rulebook import CompiledRule, Rulebook
from engine.trace.changes import Change, of_gates
from engine.trace.flips import RUNS_PER_RULE
from engine.trace.gates import Bench, Check, stopped_by
from engine.trace.story import as_they_stand
from engine.trace.watch import Judgement

_GOES_OUT = {None: "offer", "quiet": "held", "shadow": "shadow"}
"""What stops a match -> what it comes to all the same."""


@dataclass(frozen=True, slots=True)
class LiveFlip:
    """A change after which a match now would go out."""

    change: str
    """`` `who.arpu` were 58 yuan (is 52 yuan)``."""
    outcome: str
    """`offer`; in quiet time `held`, of a rule in shadow `shadow`."""

    def to_json(self) -> dict[str, Any]:
        """The flip as plain data."""
        return {"change": self.change, "outcome": self.outcome}


def live_flips(bench: Bench, rule: CompiledRule, lines: Sequence[Check]) -> tuple[LiveFlip, ...]:
    """Look for the changes; `lines`: the gates as they stand, those after the first refusal not judged."""
    stop = stopped_by(lines)
    if stop is None:
        return ()
    judgement = Judgement("", rule.name, bench.now, ending=False, lines=tuple(lines))
    found: dict[str, LiveFlip] = {}
    for runs, change in enumerate(of_gates(bench, rule, judgement)):
        if runs == RUNS_PER_RULE:
            break
        of = change.of or change.said
        outcome = _GOES_OUT.get(stopped_by(_with(bench, rule, change)))
        if outcome is not None and of not in found and outcome != _GOES_OUT.get(stop):
            found[of] = LiveFlip(change.said, outcome)
    return tuple(found.values())


def _with(bench: Bench, rule: CompiledRule, change: Change) -> list[Check]:
    """Ask the gates with one thing changed."""
    book = bench.book if change.rules is None else Rulebook(change.rules, bench.book.key)
    given = change.given
    sub = decode(bench.sub.key, encode(bench.sub))
    sub.profile = {**sub.profile, **given.profile}
    sub.consent = {**sub.consent, **given.consent}
    sub.suppressed = sub.suppressed and not given.welcome
    return as_they_stand(replace(bench, book=book, sub=sub), book.compiled[rule.name])
