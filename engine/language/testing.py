"""`*.test.yaml` to `TestFile`: what a rule test says, typed. Read by `cases`, run by `engine.rule_tests`.

    tests: RULE   starts: 2026-09-05 10:00   given: {FIELD: value…}
    cases:
      - case: SENTENCE   starts?   given?   arm?: control
        events: [{at: +0m, enters: P} | {at, sees: P, times?, every?} | {at, leaves: P}
                 | {at, happens: EVENT, FIELD: value…, place?: P, times?, every?} | {at, restart: engine}]
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
Verb = Literal["enters", "sees", "leaves", "happens", "restart"]
Arm = Literal["treatment", "control"]

SUFFIXES: Final = (".test.yaml", ".test.yml")
PURPOSES: Final = ("marketing", "profiling", "location")


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
    """The reason that stops the next match after what is expected."""
    line: int = 0

    @property
    def offers(self) -> bool:
        """It shows that the rule makes an offer."""
        return bool(self.expect) and self.arm == "treatment"

    @property
    def refuses(self) -> bool:
        """It shows that the rule does not make one: none at all, or none at the next match.

        That the control arm gets nothing is no work of the rule.
        """
        return (self.then if self.expect else self.because) not in (None, "holdout")


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


@dataclass(frozen=True, slots=True)
class TestFile:
    """The cases of one rule."""

    __test__ = False  # pytest: this is no test class

    rule: str
    cases: tuple[Case, ...]
    path: str = ""
