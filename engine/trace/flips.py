"""The single change that would have brought an offer: tried out on the same records, by the same engine.

A change is only told if a run with it made the offer. Runs are of one subscriber's records and are counted:
`Trials` ends when so many records have been folded again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.emit import Decision
from engine.rulebook import Rulebook
from engine.trace.changes import Change, changes
from engine.trace.gates import Bench
from engine.trace.story import SCHEDULE, RuleStory
from engine.trace.watch import WatchedFold

RECORDS_AT_MOST = 400_000
"""Records folded again in all, some ten seconds."""
RUNS_PER_RULE = 20


@dataclass(frozen=True, slots=True)
class Flip:
    """A change with which the engine decided otherwise."""

    change: str
    """`` `who.arpu` were at least 58 yuan (is 52 yuan)``."""
    outcome: str
    """`offer`; of what still waits at the end `held`, of a rule in shadow `shadow`."""
    at: int
    """Of that decision, µs."""

    def to_json(self) -> dict[str, Any]:
        """The flip as plain data."""
        return {"change": self.change, "outcome": self.outcome, "at": self.at}


@dataclass(frozen=True, slots=True)
class Flips:
    """What was found for one rule."""

    rule: str
    found: tuple[Flip, ...]
    in_the_way: tuple[str, ...]
    """If nothing was: the lines that were not ok, or would not have been."""
    runs: int
    left: str | None = None
    """Why not everything was tried, if so."""

    def to_json(self) -> dict[str, Any]:
        """The answer as plain data."""
        return {
            "found": [flip.to_json() for flip in self.found],
            "in_the_way": list(self.in_the_way),
            "runs": self.runs,
            "left": self.left,
        }


class Trials:
    """Runs of one subscriber's records with one thing changed."""

    def __init__(
        self,
        fold: WatchedFold,
        key: str,
        now: int,
        decisions: Sequence[Decision],
        most: int = RECORDS_AT_MOST,
    ) -> None:
        self._fold = fold
        self._key = key
        self._now = now
        self._decisions = [_short(each) for each in decisions if each["subscriber_key"] == key]
        self._left = most
        self._book: Rulebook | None = None
        """The rules as they are, without anybody who watches; made when first needed."""
        self._same: bool | None = None

    def of(self, story: RuleStory) -> Flips | None:
        """Look for the changes that bring one rule to an offer; None if it made one, or shall not."""
        fold = self._fold
        if any(decision["outcome"] == "offer" for decision in story.decisions):
            return None
        bench = Bench(fold.book, fold.salt, fold.feeds, fold.subscriber(self._key), self._now, fold.warming)
        judged = [judgement for judgement in fold.judgements if judgement.rule == story.rule]
        if self._same is None:
            again = [_short(each) for each in self._run(Change(""))]
            self._same = again == self._decisions and self._key not in fold.tape.partial
        if not self._same:
            return Flips(story.rule, (), (), 0, "some records came before it was known whose they are")
        found: list[Flip] = []
        left = None
        runs = 0
        for change in changes(bench, story, judged):
            if runs == RUNS_PER_RULE or self._left < 0:
                left = "too many records to try everything: name one rule, or fewer files"
                break
            if any(flip.change == change.said for flip in found):
                continue  # another value of the same field has done it
            runs += 1
            flip = _flip(change, story, self._run(change))
            if flip is not None:
                found.append(flip)
        return Flips(story.rule, tuple(found), () if found else _in_the_way(story), runs, left)

    def _run(self, change: Change) -> list[Decision]:
        fold = self._fold
        self._left -= fold.tape.records
        if change.rules is None:
            if self._book is None:
                self._book = Rulebook(fold.book.rules, fold.book.key)
            book = self._book
        else:
            book = Rulebook(change.rules, fold.book.key)
        return fold.tape.run(self._key, book, fold.salt, change.given)


def _flip(change: Change, story: RuleStory, made: list[Decision]) -> Flip | None:
    """See whether a run made the offer; a hold that it left open, or a shadow decision, is one, too."""
    before = {(decision["id"], decision["at"], decision["outcome"]) for decision in story.decisions}
    wanted = ("offer", "shadow") if story.status == "shadow" else ("offer",)
    own = [each for each in made if each["rule"] == story.rule]
    for outcome in (*wanted, "held"):
        for each in own:
            if each["outcome"] != outcome or (each["id"], each["at"], outcome) in before:
                continue
            if outcome != "held" or not _ended(each, own):
                return Flip(change.said, outcome, each["at"])
    return None


def _ended(held: Decision, own: list[Decision]) -> bool:
    return any(each["id"] == held["id"] and each["at"] > held["at"] for each in own)


def _in_the_way(story: RuleStory) -> tuple[str, ...]:
    """Name all that said no, or would have. `quiet` only delays, and in shadow nothing is to be sent."""
    if not story.pattern:
        return ("status",)
    lines = [line.name for line in story.lines if _says_no(line.result, line.would)]
    if story.stopped_by == "when":
        asleep = any(line.name == SCHEDULE and line.result == "no" for line in story.pattern[0].lines)
        lines.insert(0, SCHEDULE if asleep else "when")
    return tuple(name for name in dict.fromkeys(lines) if name not in ("quiet", "shadow"))


def _says_no(result: str, would: str | None) -> bool:
    return (result if would is None else would) in ("no", "unknown")


def _short(decision: Decision) -> tuple[Any, ...]:
    return tuple(decision[name] for name in ("id", "at", "outcome", "reason", "text"))
