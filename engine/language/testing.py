"""`*.test.yaml` to `TestFile`: what a rule test says, typed. Read by `cases`, run by `engine.rule_tests`.

    tests: RULE   starts: 2026-09-05 10:00   given: {FIELD: value…}
    cases:
      - case: SENTENCE   starts?   given?   arm?: control
        events: [{at: +0m, enters: P} | {at, sees: P, times?, every?} | {at, leaves: P}
                 | {at, happens: EVENT, FIELD: value…, place?: P, times?, every?}
                 | {at, feeds_down: EVENT, for?} | {at, restart: engine}]
        expect: [{at, offer, channel?, text?}…] | nothing
        because: REASON        # with `nothing`
        then?: REASON          # what stopped the next match

Times are µs: `starts` UTC, `at` from the start of the case. Values are as records and profiles carry them
(money in yuan, sizes bytes, durations seconds, sets lists); None is `unknown`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

FieldValue = str | int | float | bool | list[str] | None
Verb = Literal["enters", "sees", "leaves", "happens", "feeds_down", "restart"]
Arm = Literal["treatment", "control"]

SUFFIXES: Final = (".test.yaml", ".test.yml")
PURPOSES: Final = ("marketing", "profiling", "location")
_OF_THE_ENGINE: Final[tuple[Verb, ...]] = ("feeds_down", "restart")
"""What happens in a case, but not to its subscriber: no pattern matches it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One line of `events`. It happens `times` times, `every` µs apart, the first `at` µs after the start."""

    at: int
    verb: Verb
    place: str = ""
    """Of `enters`, `sees`, `leaves`, and of `happens` with `place:`: the cell is one of this place's."""
    event: str = ""
    """Of `happens`: the kind of the record."""
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    """Of `happens`: fields of the record. Phone numbers as written."""
    times: int = 1
    every: int = 0
    line: int = 0
    feeds: tuple[str, ...] = ()
    """Of `feeds_down`: the kinds of record that no longer come from the network."""
    lasts: int = 0
    """Of `feeds_down`: µs until they are up again; 0: to the end of the case."""


@dataclass(frozen=True, slots=True)
class Expected:
    """One message, or task, that must come out `at` µs after the start. None: not asked."""

    at: int
    offer: str
    channel: str | None = None
    text: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """One case, with what its file gives for all cases merged in."""

    name: str
    starts: int
    """µs UTC."""
    given: Mapping[str, FieldValue]
    """Profile fields of the subscriber, and `timezone` if the case sets one."""
    consent: Mapping[str, bool | None]
    """All three purposes; yes unless the case says otherwise."""
    arm: Arm
    events: tuple[Step, ...]
    expect: tuple[Expected, ...]
    """Empty: nothing may come out."""
    because: str | None = None
    """With an empty `expect`: the reason that must be seen."""
    then: str | None = None
    """The reason that stops the next match after what is expected, or after the last one held out."""
    line: int = 0

    @property
    def offers(self) -> bool:
        """It shows that the rule makes an offer."""
        return bool(self.expect) and self.arm == "treatment"

    @property
    def refuses(self) -> bool:
        """It shows that the rule does not make one: none at all, or none at the next match.

        That the control arm gets nothing is no work of the rule. Nor is it that nothing matches where
        nothing happens: see `idle`.
        """
        return self._reason not in (None, "holdout") and not self.idle

    @property
    def idle(self) -> bool:
        """It says `when` of a time in which nothing happens, so that it passes with any pattern.

        With `nothing` that time is the whole case; with `then` it is all after the last offer.
        """
        if self._reason != "when":
            return False
        own = [step for step in self.events if step.verb not in _OF_THE_ENGINE]
        since = max((offer.at for offer in self.expect), default=-1)
        return all(step.at + (step.times - 1) * step.every <= since for step in own)

    @property
    def _reason(self) -> str | None:
        return self.then if self.expect else self.because


def lacking(cases: Iterable[Case]) -> str:
    """Say what no case of a rule does, and one should before it is live: `no case …`; or nothing.

    Give the cases as written, or, where they were run, those that passed.
    """
    offers = refuses = False
    for case in cases:
        offers = offers or case.offers
        refuses = refuses or case.refuses
    if offers and refuses:
        return ""
    if offers:
        return "expects a refusal (`nothing`, or `then`)"
    return "expects an offer" if refuses else "tests it"


def hint_of_idle(cases: Iterable[Case]) -> str:
    """Say what a case lacks that was meant as a refusal, and is none since nothing happens in it."""
    idle = next((case for case in cases if case.idle), None)
    if idle is None:
        return ""
    time = "after the last offer" if idle.expect else "in it"
    return f"the case of line {idle.line} says `when`, but nothing happens {time}: it can't fail"


@dataclass(frozen=True, slots=True)
class TestFile:
    """The cases of one rule."""

    __test__ = False  # pytest: this is no test class

    rule: str
    cases: tuple[Case, ...]
    path: str = ""
