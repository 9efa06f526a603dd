"""The subscriber a rule takes, and for each line the ones it just takes and just does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, product
from typing import Final

from engine.language.model import Catalog, Message, Rule, Test
from engine.language.testing import FieldValue
from engine.story.scene import Note, NoteKind
from engine.story.values import candidates, fits, listed, near, passes

_NUMBERS: Final = frozenset({"number", "money", "bytes", "percent", "duration"})
_MOST_TRIED: Final = 20_000
"""Combinations of values tried for the `if` lines of messages."""

_PAIRS: Final = 100
"""Combinations of a label that `who` asks for with one of an `if`."""

Given = dict[str, FieldValue]


@dataclass(frozen=True, slots=True)
class Person:
    """A subscriber of a case, what is special about them, and the reason by which the rule refuses them."""

    given: Given
    note: Note
    because: str = ""
    """Empty: the rule takes them."""
    message: Message | None = None
    """The message they get, of those it takes."""


def chosen(rule: Rule, given: Mapping[str, FieldValue]) -> Message | None:
    """Return the first message whose `if` holds."""
    for message in rule.offer.send:
        if all(passes(test, given.get(test.field)) for test in message.condition):
            return message
    return None


@dataclass(frozen=True, slots=True)
class People:
    """Finds subscribers for a rule."""

    rule: Rule
    catalog: Catalog

    def for_message(self, message: Message | None) -> Given | None:
        """Return a subscriber who gets this message (None: whom no message fits), None if there is nobody."""
        asked = dict.fromkeys(test.field for each in self.rule.offer.send for test in each.condition)
        fixed: Given = {}
        for name in self._fields():
            if name not in asked:
                options = self._options(name)
                if not options:
                    return None
                fixed[name] = options[0]
        pools = [self._options(name) for name in asked]
        for values in islice(product(*pools), _MOST_TRIED):
            given = {**fixed, **dict(zip(asked, values, strict=True))}
            if chosen(self.rule, given) is message:
                return given
        return None

    def typical(self) -> Iterator[Person]:
        """Yield a subscriber for each message that somebody gets, tasks after texts."""
        order = sorted(self.rule.offer.send, key=lambda each: ("sms", "mms", "manual").index(each.channel))
        for message in order:
            given = self.for_message(message)
            if given is not None:
                yield Person(given, Note("plain"), "", message)

    def at_the_lines(self, base: Person) -> Iterator[Person]:
        """Yield subscribers at the edge of each line of `who` and `except`, else like `base`."""
        rule = self.rule
        for line in rule.who:
            wanted, barred = self._lines(line.field)
            inside, outside = near(wanted, line, self._choices(line.field), barred)
            for value in inside if line.type in _NUMBERS else ():
                yield from self._changed(base, line, value, "who_passes")
            for value in listed(line):
                if value != base.given.get(line.field):
                    yield from self._changed(base, line, value, "who_listed")
            for value in outside:
                yield from self._changed(base, line, value, "who_fails")
            yield from self._changed(base, line, None, "who_unknown")
        for line in rule.excepts:
            wanted, barred = self._lines(line.field)
            others = [test for test in barred if test is not line]
            bars = (
                self._barred(line, wanted)
                or near([*wanted, line], line, self._choices(line.field), others)[0][:1]
            )
            for value in bars:
                yield from self._changed(base, line, value, "except_bars")
            if all(test.field != line.field for test in rule.who):
                yield from self._changed(base, line, None, "except_unknown")

    def by_message(self, base: Person) -> Iterator[Person]:
        """Yield a subscriber for each other message, and one whom none fits."""
        for number, message in enumerate(self.rule.offer.send):
            given = self.for_message(message) if message is not base.message else None
            if given is not None:
                yield Person(given, self._differs("message", base, given, number + 1), "", message)
        nobody = self.for_message(None)
        if nobody is not None:
            yield Person(nobody, self._differs("no_message", base, nobody, 0), "channel")

    def at_the_ifs(self, base: Person) -> Iterator[Person]:
        """Yield subscribers at the edge of each line of an `if`; `who` and `except` take them all."""
        for number, message in enumerate(self.rule.offer.send, 1):
            given = base.given if message is base.message else self.for_message(message)
            for line in message.condition if given is not None else ():
                for value, kind in self._around_if(message, line):
                    changed = {**(given or {}), line.field: value}
                    because = self.refused_by(changed)
                    if because in ("", "channel"):
                        note = Note(kind, number, field=line.field, value=value, type=line.type, test=line)
                        yield Person(changed, note, because, chosen(self.rule, changed))

    def _around_if(self, message: Message, line: Test) -> Iterator[tuple[FieldValue, NoteKind]]:
        wanted, barred = self._lines(line.field)
        wanted = [*wanted, *(test for test in message.condition if test.field == line.field)]
        inside, outside = near(wanted, line, self._choices(line.field), barred)
        for value in inside if line.type in _NUMBERS else listed(line):
            yield value, "if_passes"
        for value in outside:
            yield value, "if_fails"
        yield None, "if_unknown"

    def _differs(self, kind: NoteKind, base: Person, given: Given, number: int) -> Note:
        """Return a note that shows the field by which the messages tell this subscriber from `base`."""
        tests = [test for each in self.rule.offer.send for test in each.condition]
        found = [test for test in tests if given.get(test.field) != base.given.get(test.field)]
        if not found:
            return Note(kind, number)
        field = found[0].field
        return Note(kind, number, field=field, value=given.get(field), type=found[0].type)

    def _changed(self, base: Person, line: Test, value: FieldValue, kind: NoteKind) -> Iterator[Person]:
        given = {**base.given, line.field: value}
        because = self.refused_by(given)
        wanted = {
            "who_passes": "",
            "who_listed": "",
            "who_fails": f"who.{line.field}",
            "who_unknown": f"who.{line.field}",
        }
        wanted |= {"except_bars": f"except.{line.field}", "except_unknown": f"except.{line.field}"}
        if because != wanted[kind]:
            return  # another line has the first say: this value shows nothing of this one
        note = Note(kind, field=line.field, value=value, type=line.type, test=line)
        yield Person(given, note, because, chosen(self.rule, given))

    def refused_by(self, given: Given) -> str:
        """Return the line that refuses a subscriber, `channel` if no message fits, empty if all is well."""
        for line in self.rule.who:
            if not passes(line, given.get(line.field)):
                return f"who.{line.field}"
        for line in self.rule.excepts:
            if passes(line, given.get(line.field)) is not False:
                return f"except.{line.field}"
        return "channel" if chosen(self.rule, given) is None else ""

    def _barred(self, line: Test, wanted: list[Test]) -> list[FieldValue]:
        """Return each word that `except` names, a label beside those that are asked for."""
        beside = [str(test.values[0]) for test in wanted if test.type == "set" and test.op == "is"]
        values = listed(line)
        return [[*beside, *value] if isinstance(value, list) else value for value in values]

    def _fields(self) -> list[str]:
        return list(dict.fromkeys(line.field for line in (*self.rule.who, *self.rule.excepts)))

    def _lines(self, field: str) -> tuple[list[Test], list[Test]]:
        wanted = [line for line in self.rule.who if line.field == field]
        return wanted, [line for line in self.rule.excepts if line.field == field]

    def _choices(self, field: str) -> tuple[str, ...]:
        spec = self.catalog.fields.get(field)
        return () if spec is None else spec.values

    def _options(self, field: str) -> list[FieldValue]:
        """Return the values of a field with which `who` and `except` take a subscriber, plainest first."""
        wanted, barred = self._lines(field)
        ifs = [test for each in self.rule.offer.send for test in each.condition if test.field == field]
        found = candidates([*wanted, *barred, *ifs], self._choices(field))
        if any(test.type == "set" for test in (*wanted, *barred, *ifs)):
            asked, offered = ([str(v) for test in tests for v in test.values] for tests in (wanted, ifs))
            # one label of each line may be barred, and another not
            alone = [[word] for word in dict.fromkeys((*asked, *offered))]
            pairs = [[one, two] for one in asked for two in offered if one != two]
            found = [*found, *alone, *pairs[:_PAIRS], list(dict.fromkeys((*asked, *offered)))]
        if not wanted and barred and barred[0].type == "set":
            found.sort(key=lambda value: value != [])  # the plainest of those without a label has none
        fitting = [value for value in found if fits(value, wanted, barred)]
        return fitting if wanted or barred else [*fitting, *([None] if ifs else [])]
