"""What a language must be able to say, and what both of them share: names, exact amounts, outlines.

A language is one module with a class of small phrase functions (`english`, `chinese`) and one of tables. The
text itself, which phrase stands where, is `tell`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

from engine.event_kinds import KINDS
from engine.language import model
from engine.language.model import Catalog, FieldType, Pattern, Test
from engine.language.testing import FieldValue, Step
from engine.story.props import Trouble
from engine.story.scene import Note
from engine.text import plain

Heading = Literal["when", "who", "get", "times", "often", "goal", "cases"]
Share = Literal["none", "some", "all"]
"""How many of a rule's messages are tasks for a person: quiet time and house caps are not theirs."""
AtPlace = model.Enters | model.Leaves | model.StaysIn
OfRecords = model.Happens | model.Count | model.Total


@dataclass(frozen=True, slots=True)
class Names:
    """Names as the catalogue shows them."""

    catalog: Catalog

    def place(self, key: str) -> str:
        """Return the name of a place."""
        return self.catalog.places[key].name

    def places(self, members: Sequence[str]) -> list[str]:
        """Return the names of places."""
        return [self.place(key) for key in members if key in self.catalog.places]

    def field(self, name: str) -> str:
        """Return what the catalogue says of a field of a subscriber, else its name."""
        spec = self.catalog.fields.get(name)
        return spec.say if spec is not None and spec.say else name

    def values(self, test: Test) -> tuple[list[FieldValue], str]:
        """Return the values of a line and the name of the list or group they were written as, if any."""
        written = test.text.removeprefix("not ").strip()
        known = self.catalog.numbers if test.type == "phone" else self.catalog.groups
        if test.type == "place":
            return list(self.places([str(value) for value in test.values])), self.group(written)
        if test.field in ("product", "products"):
            products = self.catalog.products
            found = [str(value) for value in test.values]
            return [products[key].name if key in products else key for key in found], ""
        return list(test.values), written if test.type == "phone" and written in known else ""

    def group(self, written: str) -> str:
        """Return the name of a group of places, empty for a single place."""
        return written if written in self.catalog.groups else ""

    def value(self, field: str, value: FieldValue) -> FieldValue:
        """Return a value with the names of products in place of their keys."""
        if field not in ("product", "products"):
            return value
        products = self.catalog.products
        if isinstance(value, list):
            return [products[key].name if key in products else key for key in value]
        return products[value].name if isinstance(value, str) and value in products else value


class Words(Protocol):
    """A language. Times of day come as text (`18:02`), lengths of time in µs."""

    @property
    def lang(self) -> str:
        """`en` or `zh`."""

    # -- small words
    def duration(self, micros: int) -> str:
        """Write a length of time."""

    def value(self, value: FieldValue, kind: FieldType) -> str:
        """Write a value; None is unknown."""

    def either(self, items: Sequence[str]) -> str:
        """Write `a, b or c`."""

    def together(self, items: Sequence[str]) -> str:
        """Write `a, b and c`."""

    def day(self, day: date) -> str:
        """Write a date."""

    def stamp(self, local: datetime, before: date | None) -> str:
        """Write a moment by the wall clock: with its day unless that is `before`, with its year if new."""

    # -- the rule
    def heading(self, heading: Heading) -> str:
        """Return the title of a part of the story."""

    def state(self, rule: model.Rule) -> str:
        """Say owner, status, approval and validity."""

    def event(self, kind: str, number: str = "") -> str:
        """Say that something happens, once or (`at least 3`) several times."""

    def event_field(self, name: str) -> str:
        """Name a field of a record."""

    def asked(self, test: Test, names: Names) -> str:
        """Say what a value must be."""

    def test(self, label: str, test: Test, names: Names) -> str:
        """Say what a field must be."""

    def clause(self, pattern: Pattern, names: Names) -> str:
        """Say a pattern in one breath, with `a subscriber` before it."""

    def subject(self, clause: str) -> str:
        """Put the subscriber before a clause: `A subscriber …`."""

    def sentence(self, said: str) -> str:
        """End a sentence."""

    def opening(self, pattern: Pattern) -> str:
        """Open the list of the parts of a composite pattern."""

    def waiting(self, pattern: model.After) -> str:
        """Say that then, for a time, the next thing does not happen."""

    def who(self, named: bool, several: bool) -> str:
        """Open the lines of `who`; `named`: there are any."""

    def excepts(self) -> str:
        """Open the lines of `except`."""

    def consent(self, place: bool) -> str:
        """Say which consent is asked for."""

    def product(self, product: model.Product) -> str:
        """Say what is offered."""

    def message(self, message: model.Message, condition: str, parts: int, first: bool) -> str:
        """Open a message: channel, for whom, and how many SMS it takes."""

    def quiet(self, policy: Sequence[str], own: Sequence[str], within: int, tasks: Share) -> str:
        """Say when nothing is sent, and how long a message may wait."""

    def hours(self, days: Sequence[int], spans: Sequence[str], parted: bool) -> str:
        """Say on which days (0 = Monday) and in which hours the rule looks at all.

        `parted`: hours that were written over midnight, as the two parts of each day that they are.
        """

    def at_most(self, cap: model.Cap) -> str:
        """Say how often this rule may send."""

    def house(self, caps: Sequence[model.Cap], by_tier: Sequence[tuple[str, model.Cap]], tasks: Share) -> str:
        """Say how often all rules together may send."""

    def group(self, name: str, cooldown: int) -> str:
        """Say that one of a group is enough."""

    def rank(self, priority: int) -> str:
        """Say what priority means."""

    def holdout(self, share: float, house: float) -> str:
        """Say how many are held out."""

    def goal(self, clause: str, within: int) -> str:
        """Say when it has worked."""

    # -- cases
    def topic(self, topic: str) -> str:
        """Return the title of a group of cases."""

    def step(self, step: Step, times: tuple[str, str], names: Names) -> str:
        """Say what happens, from the first to the last time of it."""

    def matched(self, times: Sequence[str]) -> str:
        """Say at what times all that the rule waits for has happened."""

    def note(self, note: Note, names: Names) -> str:
        """Say what a case is about."""

    def line(self, steps: Sequence[str], note: str) -> str:
        """Put what happens and what it is about together."""

    def offered(self, times: Sequence[str], channel: str, held: bool) -> str:
        """Say that offers were made."""

    def nothing(self, reason: str, names: Names) -> str:
        """Say that nothing came, and why."""

    def then(self, outcome: str, nothing: str) -> str:
        """Say that after an offer the next match came to nothing."""

    def counted(self, cases: int, offers: int, surprises: int) -> str:
        """Say how many cases were run."""

    def left_out(self, what: str, why: str, by_hand: bool) -> str:
        """Say that no case is about a part of the pattern, or decides a line, why, and if one may by hand."""

    def trouble(self, trouble: Trouble, names: Names) -> str:
        """Say why a case can't be made, without a full stop."""

    def problem(self, problem: str, why: str) -> str:
        """Say why there are no cases; `why`: what stands in the way of this rule, if that is known."""

    def surprise(self) -> str:
        """Mark a case with which the engine did something else than foreseen."""


def amount(value: float, kind: FieldType) -> str:
    """Write a number exactly and as the rule language does: `49.99 yuan`, `307199 KB`, `20%`."""
    if kind == "money":
        return f"{_exact(value)} yuan"
    if kind == "percent":
        return f"{_exact(value)}%"
    if kind == "bytes":
        for unit, worth in (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10)):
            if value % worth == 0 and value:
                return f"{plain(value // worth)} {unit}"
        return f"{f'{value / 1024:.9f}'.rstrip('0').rstrip('.')} KB"
    return _exact(value)


def _exact(value: float) -> str:
    if value == int(value):
        return str(int(value))
    return f"{value:.9f}".rstrip("0")


def clock(local: datetime) -> str:
    """Write a time of day, seconds only where there are some."""
    return local.strftime("%H:%M:%S" if local.second else "%H:%M")


def length_parts(micros: int) -> list[tuple[int, str]]:
    """Take a length of time apart: days only from three on, so that 48 hours stay hours; seconds at least."""
    left = micros // 1_000_000
    days, left = divmod(left, 86_400) if left >= 3 * 86_400 else (0, left)
    pieces = [(days, "d"), (left // 3_600, "h"), (left // 60 % 60, "m"), (left % 60, "s")]
    return [piece for piece in pieces if piece[0]] or [(0, "s")]


def parts_of(pattern: Pattern) -> tuple[Pattern, ...]:
    """Return the patterns directly inside."""
    match pattern:
        case model.Sequence(steps=parts) | model.AnyOf(parts=parts) | model.AllOf(parts=parts):
            return parts
        case model.After():
            return pattern.first, pattern.no
        case _:
            return ()


def unless_of(pattern: OfRecords) -> tuple[Test, ...]:
    """Return the lines of which a record may pass none."""
    return pattern.unless if isinstance(pattern, model.Happens) else ()


def may_lack(event: str, name: str) -> bool:
    """Say whether a record of a kind may come without a field."""
    spec = KINDS[event]
    return not {**spec.fields, **spec.derived}[name].required


def is_long(pattern: Pattern) -> bool:
    """Say whether a pattern needs a list: one with parts, other than a wait for simple things."""
    parts = parts_of(pattern)
    return bool(parts) and (not isinstance(pattern, model.After) or any(map(parts_of, parts)))


def outline(pattern: Pattern, words: Words, names: Names) -> Iterator[str]:
    """Yield a pattern as lines: a sentence, or what opens a list and its points, indented."""
    if not is_long(pattern):
        yield words.sentence(words.subject(words.clause(pattern, names)))
        return
    yield words.subject(words.opening(pattern))
    yield from _points(pattern, words, names, "  ")


def _points(pattern: Pattern, words: Words, names: Names, indent: str) -> Iterator[str]:
    numbered = isinstance(pattern, model.Sequence)
    for number, part in enumerate(parts_of(pattern), 1):
        if isinstance(pattern, model.After) and number == 2:
            yield f"{indent[:-2]}{words.waiting(pattern)}"
        mark = f"{number}. " if numbered else "- "
        if is_long(part):
            yield f"{indent}{mark}{words.opening(part)}"
            yield from _points(part, words, names, indent + "    ")
        else:
            yield f"{indent}{mark}{words.clause(part, names)}"


def field_type(event: str, name: str) -> FieldType:
    """Return the type of a field of a record."""
    spec = KINDS[event]
    return {**spec.fields, **spec.derived}[name].type
