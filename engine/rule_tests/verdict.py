"""What a case expects, held against what came out.

Decision records of one id are one match: `held` first, perhaps, and then what became of it. A case looks at
matches, so that a hold counts once, with its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from engine.emit import Decision
from engine.language.model import DAY
from engine.language.testing import Case, Expected
from engine.language.words import write_duration
from engine.rule_tests.difference import difference


@dataclass(frozen=True, slots=True)
class Match:
    """One match of the rule: its decision records, oldest first."""

    records: tuple[Decision, ...]

    @property
    def last(self) -> Decision:
        """What became of it."""
        return self.records[-1]

    @property
    def sent(self) -> bool:
        """It ended with an offer."""
        return bool(self.last["outcome"] == "offer")

    @property
    def held_out(self) -> bool:
        """It would have been an offer, were it not for the control arm."""
        return bool(self.last["outcome"] == "control")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with a case; nothing if it passed."""

    problems: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """All was as expected."""
        return not self.problems


def matches_of(decisions: Iterable[Decision]) -> list[Match]:
    """Group decision records by match, in the order in which the matches came."""
    found: dict[str, list[Decision]] = {}
    for decision in decisions:
        found.setdefault(decision["id"], []).append(decision)
    return [Match(tuple(records)) for records in found.values()]


def judge(case: Case, matches: Sequence[Match]) -> Verdict:
    """Compare; each problem is a sentence `expected X, was Y`."""
    problems = list(_offers(case, matches) if case.expect else _nothing(case, matches))
    if not problems and case.then is not None:
        reason = _stopped_next(matches)
        if reason != case.then:
            problems.append(f"expected then: {case.then}, was {_say(reason)}")
    return Verdict(tuple(problems))


def reason_of(decision: Decision) -> str:
    """Name what kept a record from being an offer, in the words of a rule test."""
    outcome: str = decision["outcome"]
    if outcome == "refused":
        return str(decision["reason"])
    return "holdout" if outcome == "control" else outcome


def _nothing(case: Case, matches: Sequence[Match]) -> Iterable[str]:
    sent = [match.last for match in matches if match.sent]
    if sent:
        yield f"expected nothing, was {', '.join(_offer(case, offer) for offer in sent)}"
        return
    reason = _why_nothing(matches)
    if case.because is not None and reason != case.because:
        yield f"expected nothing because {case.because}, was nothing because {_say(reason)}"


def _why_nothing(matches: Sequence[Match]) -> str:
    """What stopped the last match; but `holdout` if one was held out, for its contact stops later ones."""
    ends = [match.last for match in matches]
    if not ends:
        return "when"
    if any(match.held_out for match in matches):
        return "holdout"
    return reason_of(sorted(ends, key=lambda end: int(end["at"]))[-1])


def _stopped_next(matches: Sequence[Match]) -> str:
    """What stopped the first match after the last that was sent or held out; `when` if there was none."""
    last = max((number for number, match in enumerate(matches) if match.sent or match.held_out), default=-1)
    following = matches[last + 1 :]
    return reason_of(following[0].last) if following else "when"


def _offers(case: Case, matches: Sequence[Match]) -> Iterable[str]:
    made = sorted((match.last for match in matches if match.sent), key=lambda offer: int(offer["at"]))
    for want, got in _pairs(case, made):
        if want is None:
            assert got is not None
            yield f"expected nothing more, was {_offer(case, got)}"
        elif got is None:
            why = _why_not_then(case.starts + want.at, matches)
            yield f"line {want.line}: expected an offer of {want.offer} at {after(want.at)}, was none{why}"
        else:
            yield from _differences(case, want, got)


def _pairs(case: Case, made: list[Decision]) -> Iterator[tuple[Expected | None, Decision | None]]:
    """Pair what is expected with what came: first what came at its very time, the rest in order."""
    expected = sorted(case.expect, key=lambda each: each.at)
    left = list(made)
    at_its_time: dict[int, Decision] = {}
    for number, want in enumerate(expected):
        same = next((offer for offer in left if int(offer["at"]) - case.starts == want.at), None)
        if same is not None:
            at_its_time[number] = same
            left.remove(same)
    for number, want in enumerate(expected):
        yield want, at_its_time.get(number) or (left.pop(0) if left else None)
    for more in left:
        yield None, more


def _why_not_then(at: int, matches: Sequence[Match]) -> str:
    """What became of the match at that time; without one, why nothing came at all, if nothing did."""
    here = next((match for match in matches if not match.sent and int(match.last["at"]) == at), None)
    if here is not None:
        return f", because {reason_of(here.last)}"
    if any(match.sent for match in matches):
        return ": the pattern did not match then"
    return f", because {_say(_why_nothing(matches))}"


def _differences(case: Case, want: Expected, got: Decision) -> Iterable[str]:
    at = int(got["at"]) - case.starts
    here = f"line {want.line}: expected"
    if at != want.at:
        yield f"{here} the offer at {after(want.at)}, was at {after(at)}"
    if got["product"] != want.offer:
        yield f"{here} an offer of {want.offer}, was {got['product']}"
    if want.channel is not None and got["channel"] != want.channel:
        yield f"{here} channel {want.channel}, was {got['channel']}"
    if want.text is not None and got["text"] != want.text:
        yield "\n".join((f"{here} the text marked -, was +", *difference(want.text, got["text"])))


def _offer(case: Case, offer: Decision) -> str:
    return f"an offer of {offer['product']} by {offer['channel']} at {after(int(offer['at']) - case.starts)}"


def _say(reason: str) -> str:
    return "when (the pattern never matched)" if reason == "when" else reason


def after(micros: int) -> str:
    """Write a distance from the start of the case as test files do; what is below a second in µs."""
    days, rest = divmod(micros, DAY) if micros >= 3 * DAY else (0, micros)
    length = (f"{days}d" if days else "") + (write_duration(rest) if rest >= 1_000_000 or not days else "")
    below = micros % 1_000_000
    return f"+{length}" + (f" and {below} µs" if below else "")
