"""The single change that would have brought an offer: tried out on the same records, by the same engine.

A change is only told if a run with it made the offer of the very match that is to be turned: the last one, or
one before it since the rule's last offer. Of several values the first that does is told. Runs are of one
subscriber's records and are counted: `Trials` ends when so many records have been folded again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.emit import Decision
from engine.rulebook import Rulebook
from engine.trace.changes import Change, changes
from engine.trace.gates import Bench, Check
from engine.trace.story import SCHEDULE, RuleStory
from engine.trace.watch import Judgement, WatchedFold

RECORDS_AT_MOST = 400_000
"""Records folded again in all, some ten seconds."""
RUNS_PER_RULE = 20
_TOO_MANY_RUNS = f"{RUNS_PER_RULE} runs were not enough for this rule"
_TOO_MANY_RECORDS = "too many records to try everything: name one rule, or fewer files"


@dataclass(frozen=True, slots=True)
class Flip:
    """A change with which the engine decided otherwise."""

    change: str
    """`` `who.arpu` were 58 yuan (is 52 yuan)``."""
    outcome: str
    """`offer`; of what still waits at the end `held`, of a rule in shadow `shadow`."""
    at: int
    """Of that decision, µs."""
    id: str
    """Of that decision."""

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
        """Look for the changes that bring the rule's last match to an offer; None if it was one."""
        fold = self._fold
        if story.stopped_by is None:
            return None
        bench = Bench(fold.book, fold.salt, fold.feeds, fold.subscriber(self._key), self._now, fold.warming)
        judged = _since_the_last_offer(fold, story)
        if self._same is None:
            again = [_short(each) for each in self._run(Change(""))]
            self._same = again == self._decisions and self._key not in fold.tape.partial
        if not self._same:
            return Flips(story.rule, (), (), 0, "some records came before it was known whose they are")
        found: dict[str, Flip] = {}
        turned: set[str] = set()
        left = None
        runs = 0
        for change in changes(bench, story, judged):
            if change.of in turned or any(flip.change == change.said for flip in found.values()):
                continue  # another value of the same line has done it
            if runs == RUNS_PER_RULE or self._left < 0:
                left = _TOO_MANY_RUNS if runs == RUNS_PER_RULE else _TOO_MANY_RECORDS
                break
            runs += 1
            flip = _flip(change, story, judged, self._run(change))
            if flip is None:
                continue
            of = change.of or change.said
            if change.aim in (None, flip.id):
                turned.add(of)
                found[of] = flip
            else:
                found.setdefault(
                    of, flip
                )  # turns an earlier match; another value may turn the one that is meant
        flips = tuple(found.values())
        return Flips(story.rule, flips, () if flips else _in_the_way(story), runs, left)

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


def _since_the_last_offer(fold: WatchedFold, story: RuleStory) -> list[Judgement]:
    """List the judgements of a rule that may be turned, oldest first."""
    judged = [judgement for judgement in fold.judgements if judgement.rule == story.rule]
    offers = {(each["id"], each["at"]) for each in story.decisions if each["outcome"] == "offer"}
    made = [number for number, each in enumerate(judged) if (each.id, each.at) in offers]
    return judged[made[-1] + 1 :] if made else judged


def _flip(change: Change, story: RuleStory, judged: list[Judgement], made: list[Decision]) -> Flip | None:
    """See whether a run made the offer; a hold that it left open, or a shadow decision, is one, too.

    What was offered before does not matter: only decisions of `judged` count, first that which the change is
    for. Of a rule that never matched every decision does.
    """
    before = {(decision["id"], decision["at"], decision["outcome"]) for decision in story.decisions}
    wanted = ("offer", "shadow") if story.status == "shadow" else ("offer",)
    ids = {judgement.id for judgement in judged}
    own = [each for each in made if each["rule"] == story.rule and (not ids or each["id"] in ids)]
    for aimed in (True, False):
        for outcome in (*wanted, "held"):
            for each in own:
                if (each["id"] == change.aim) is not aimed or each["outcome"] != outcome:
                    continue
                if (each["id"], each["at"], outcome) in before:
                    continue
                if outcome != "held" or not _ended(each, own):
                    return Flip(change.said, outcome, each["at"], each["id"])
    return None


def _ended(held: Decision, own: list[Decision]) -> bool:
    return any(each["id"] == held["id"] and each["at"] > held["at"] for each in own)


def _in_the_way(story: RuleStory) -> tuple[str, ...]:
    """Name all that said no, or would have. `quiet` only delays, and in shadow nothing is to be sent."""
    if not story.pattern:
        return ("status",)
    lines = list(saying_no(story.lines))
    if story.stopped_by == "when":
        asleep = any(line.name == SCHEDULE and line.result == "no" for line in story.pattern[0].lines)
        lines.insert(0, SCHEDULE if asleep else "when")
    return tuple(dict.fromkeys(lines))


def saying_no(lines: Iterable[Check]) -> tuple[str, ...]:
    """Name the gates that said no, or would have."""
    names = dict.fromkeys(line.name for line in lines if _says_no(line.result, line.would))
    return tuple(name for name in names if name not in ("quiet", "shadow"))


def _says_no(result: str, would: str | None) -> bool:
    return (result if would is None else would) in ("no", "unknown")


def _short(decision: Decision) -> tuple[Any, ...]:
    return tuple(decision[name] for name in ("id", "at", "outcome", "reason", "text"))
