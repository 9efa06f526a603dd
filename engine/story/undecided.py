"""What no case of a story decides: further cases are tried, and what then remains is named, with its reason.

The judge is the coverage of rule tests (`engine.rule_tests.coverage`): a line that every case would pass
without is a line of which the story shows nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from engine.language.model import After, AllOf, AnyOf, Happens, Pattern, RuleSet
from engine.language.model import Sequence as InTurn
from engine.language.testing import Case
from engine.rule_tests.coverage import undecided
from engine.rule_tests.mutants import Line
from engine.rule_tests.runner import Bench
from engine.story.boundaries import MOST_CONTACTS, Boundaries, Boundary, Play
from engine.story.edges import Edges
from engine.story.props import Trouble
from engine.story.scene import Note
from engine.story.verify import Told, verify

_MOST_TRIED: Final = 40
"""Further cases for one line."""


@dataclass(frozen=True, slots=True)
class NotStaged:
    """A line that no case decides."""

    label: str
    """As coverage names it: `when.no.enters`."""
    trouble: Trouble


def complete(
    rules: RuleSet, name: str, made: Boundaries, told: Sequence[Told], home_cc: str = "86"
) -> tuple[tuple[Told, ...], tuple[NotStaged, ...]]:
    """Return the cases with those that decide what they left open, and the lines that remain."""
    play = made.play
    if play is None:
        return tuple(told), ()
    more: list[Told] = []
    left: list[NotStaged] = []
    for line in undecided(rules, name, [_strict(each) for each in told], home_cc):
        found = next(_deciding(play, line, home_cc), None)
        patterns = _along(rules.rules[name].when, line)
        if found is not None:
            more.append(found)
        elif not any(pattern is part for pattern in patterns for part in made.left_out):
            left.append(NotStaged(line.label, _why(play, line, patterns)))
    return (*told, *more), tuple(left)


def _strict(told: Told) -> Case:
    """Return a case that asks for the texts as well, as a written file does of each message once."""
    case = told.case
    texts = [replace(want, text=sent.text) for want, sent in zip(case.expect, told.sent, strict=True)]
    return replace(case, expect=tuple(texts))


def _deciding(play: Play, line: Line, home_cc: str) -> Iterator[Told]:
    """Yield cases in which all but the line holds, as far as the engine does send nothing then."""
    if line.path[0] != "when":
        return
    bench = Bench(play.rules, line.without.rule, home_cc, line.without.waived)
    for boundary in islice(_but_for(play, line), _MOST_TRIED):
        (told,) = verify(play.rules, play.name, (boundary,), home_cc)
        if told.as_foreseen and not bench.run(told.case).verdict.passed:
            yield told


def _but_for(play: Play, line: Line) -> Iterator[Boundary]:
    rest = line.without.rule.when
    if isinstance(rest, AnyOf) and not rest.parts:
        return
    for scene in (play.stage.typical(rest), *Edges(play.stage).of(rest)):
        if scene is not None and scene.hit and not scene.also:
            yield play.case("when", Note("but_for", field=line.label), replace(scene, hit=False))


# -- why -----------------------------------------------------------------------------------------------------


def _along(when: Pattern, line: Line) -> list[Pattern]:
    """Return the patterns that lead to a line of `when`, outermost first."""
    if line.path[0] != "when":
        return []
    found = [when]
    for key in line.path[1:]:
        pattern = found[-1]
        match pattern:
            case InTurn(steps=parts) | AnyOf(parts=parts) | AllOf(parts=parts):
                if isinstance(key, int):
                    found.append(parts[key])
            case After():
                if key in ("after", "no"):
                    found.append(pattern.no if key == "no" else pattern.first)
    return found


def _why(play: Play, line: Line, patterns: Sequence[Pattern]) -> Trouble:
    """Return why no case decides a line: what stood in the way of its cases, else what its section knows."""
    rule = play.rules.rules[play.name]
    match line.path[:2]:
        case ("limits", "at_most"):
            return _why_not_capped(play)
        case ("limits", _) if rule.schedule is not None and not play.calendar.is_ever_quiet():
            return Trouble("schedule")
        case ("who" | "except", _):
            return Trouble("person")
        case ("offer", _) if "if" in line.path:
            return Trouble("person")
    for pattern in reversed(patterns):
        for trouble in reversed(play.stage.troubles):
            field = isinstance(pattern, Happens) and trouble.event == pattern.event
            if (
                trouble.pattern is pattern
                or trouble.other is pattern
                or (field and trouble.field in line.path)
            ):
                return trouble
    return Trouble("same")


def _why_not_capped(play: Play) -> Trouble:
    cap, apart = play.rules.rules[play.name].limits.at_most, play.apart()
    if cap.count > MOST_CONTACTS:
        return Trouble("contacts", amount=MOST_CONTACTS)
    if apart is None or apart * cap.count >= cap.window:
        return Trouble("apart", amount=cap.window)
    return Trouble("same")
