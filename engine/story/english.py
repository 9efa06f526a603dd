"""The story in English."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from engine.language import model
from engine.language.model import FieldType, Pattern, Test
from engine.language.testing import FieldValue, Step
from engine.story.english_notes import NOTES, TROUBLES
from engine.story.english_tables import CHANNELS, DAYS, EVENTS, FIELDS, PURPOSES, REASONS, STATUS, UNITS
from engine.story.props import Trouble
from engine.story.scene import Note
from engine.story.wording import (
    AtPlace,
    Heading,
    Names,
    OfRecords,
    Share,
    amount,
    clock,
    field_type,
    length_parts,
    may_lack,
    parts_of,
    unless_of,
)

_HEADINGS: Final[dict[Heading, str]] = {
    "when": "What it waits for", "who": "Whom it is for", "get": "What they get", "times": "At what times",
    "often": "How often", "goal": "When it has worked", "cases": "Cases",
}  # fmt: skip
_TOPICS: Final = {
    "when": "What happens", "who": "Who", "consent": "Consent", "send": "Which message",
    "limits": "How often", "times": "Times", "engine": "Holdout and restart",
}  # fmt: skip
_PROBLEMS: Final = {
    "nobody": "No case could be made: no subscriber passes `who`, `except` and the `if` of a message.",
    "never": "No case could be made: in the rule's days and hours there is no moment at which it may send.",
    "quiet": "No case could be made: in the rule's days and hours every message would wait for the end of "
    "quiet time, longer than `send_within` or past the rule's dates.",
    "unstaged": "No case could be made up for this pattern.",
}


_RESIDENT: Final = {
    None: "",
    True: " (living or working there)",
    False: " (living and working elsewhere)",
}


class English:
    """The phrases."""

    lang = "en"

    # -- small words ---------------------------------------------------------------------------------

    def duration(self, micros: int) -> str:
        """Write `1 hour 30 minutes`."""
        return " ".join(
            f"{count} {UNITS[unit]}{'' if count == 1 else 's'}" for count, unit in length_parts(micros)
        )

    def value(self, value: FieldValue, kind: FieldType) -> str:
        """Write `49.99 yuan`, `yes`, `a, b`."""
        if value is None:
            return "unknown"
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, list):
            return self.together(value) if value else "none"
        if isinstance(value, int | float):
            return self.duration(round(value * 1_000_000)) if kind == "duration" else amount(value, kind)
        return value

    def either(self, items: Sequence[str]) -> str:
        """Write `a, b or c`."""
        return _listed(items, "or")

    def together(self, items: Sequence[str]) -> str:
        """Write `a, b and c`."""
        return _listed(items, "and")

    def day(self, day: date) -> str:
        """Write `5 September 2026`."""
        return f"{day.day} {day:%B %Y}"

    def stamp(self, local: datetime, before: date | None) -> str:
        """Write `15:00`, `15:00 on 5 Sep`, `15:00 on 5 Sep 2026`."""
        if before == local.date():
            return clock(local)
        year = "" if before is not None and before.year == local.year else f" {local.year}"
        return f"{clock(local)} on {local.day} {local:%b}{year}"

    # -- the rule ------------------------------------------------------------------------------------

    def heading(self, heading: Heading) -> str:
        """Return a title."""
        return _HEADINGS[heading]

    def state(self, rule: model.Rule) -> str:
        """Say whose it is and whether it runs."""
        approved = f"Approved by {rule.approved_by}." if rule.approved_by else "Not approved."
        first, last = rule.valid
        days = self.day(first) if first == last else f"{self.day(first)} to {self.day(last)}"
        return f"Owner {rule.owner}. {STATUS[rule.status]}. {approved} Valid {days}."

    def event(self, kind: str, number: str = "") -> str:
        """Say `makes a call`, `makes at least 3 calls`."""
        third, _, once, many, _ = EVENTS[kind]
        return f"{third} {many.format(n=number) if number else once}"

    def event_field(self, name: str) -> str:
        """Name a field of a record."""
        return FIELDS[name]

    def asked(self, test: Test, names: Names) -> str:
        """Say `at least 50 yuan`, `with student`."""
        values, written = names.values(test)
        shown = [self.value(value, test.type) for value in values]
        said = self.either(shown) + (f" ({written})" if written else "")
        if test.type == "set":
            return f"{'without' if test.op == 'not' else 'with'} {said}"
        lead = {"not": "other than ", "at_least": "at least ", "at_most": "at most "}
        lead |= {"over": "over ", "under": "under "}
        if test.op == "between":
            said = " to ".join(shown)
        return f"{lead.get(test.op, '')}{said}"

    def test(self, label: str, test: Test, names: Names) -> str:
        """Say `average spend: at least 50 yuan`."""
        return f"{label}: {self.asked(test, names)}"

    def clause(self, pattern: Pattern, names: Names) -> str:
        """Say a pattern in the third person."""
        return self._say(pattern, names, 0)

    def _say(self, pattern: Pattern, names: Names, form: int) -> str:
        """Say a pattern; `form` 0: `makes a call`, 1: `make a call`."""
        match pattern:
            case model.Happens():
                words = EVENTS[pattern.event]
                return f"{words[form]} {words[2]}{self._lines(pattern, names)}"
            case model.Enters():
                still = f" and {('is', 'be')[form]} still there {self.duration(pattern.confirm)} later"
                confirmed = still if pattern.confirm else ""
                place = self._places(pattern, "any of {}", names) + _RESIDENT[pattern.resident]
                return f"{('enters', 'enter')[form]} {place}{confirmed}"
            case model.Leaves():
                group = "{} for a place outside all of them"
                return f"{('leaves', 'leave')[form]} {self._places(pattern, group, names)}"
            case model.StaysIn():
                stays = ("stays", "stay")[form]
                place = self._places(pattern, "the same one of {}", names)
                who = _RESIDENT[pattern.resident]
                return f"{stays} in {place}{who} for {self.duration(pattern.duration)}"
            case model.Count():
                words = EVENTS[pattern.event]
                many = words[3].format(n=f"at least {pattern.at_least}")
                if pattern.at_least == 1:
                    many = words[2]
                lines = self._lines(pattern, names)
                return f"{words[form]} {many}{lines}{self._in(pattern.within)}"
            case model.Total():
                mark = self.value(pattern.at_least, pattern.type)
                of = f"{FIELDS[pattern.field]} in {EVENTS[pattern.event][4]}"
                lines = self._lines(pattern, names)
                return f"{('reaches', 'reach')[form]} {mark} of {of}{lines}{self._in(pattern.within)}"
            case model.Sequence():
                first, *rest = (self._part(part, names, form) for part in pattern.steps)
                return f"first {first}, then {', then '.join(rest)}, all{self._in(pattern.within)}"
            case model.AnyOf():
                return _listed([self._part(part, names, form) for part in pattern.parts], "or")
            case model.AllOf():
                parts = _listed([self._part(part, names, form) for part in pattern.parts], "and")
                return f"{parts}, in any order{self._in(pattern.within)}"
            case model.After():
                first = self._part(pattern.first, names, form)
                does = ("does", "do")[form]
                no = self._part(pattern.no, names, 1)
                return f"{first} and then, for {self.duration(pattern.wait)}, {does} not {no}"

    def _part(self, pattern: Pattern, names: Names, form: int) -> str:
        said = self._say(pattern, names, form)
        return f"({said})" if parts_of(pattern) else said

    def _in(self, window: int) -> str:
        return f" within {self.duration(window)}"

    def _places(self, pattern: AtPlace, several: str, names: Names) -> str:
        """Name a place, or the members of a group and the group: `several` says how they count."""
        members = names.places(pattern.members)
        group = names.group(pattern.place)
        said = f"{self.together(members)} ({group})" if group else self.together(members)
        return several.format(said) if len(members) > 1 else said

    def _lines(self, pattern: OfRecords, names: Names) -> str:
        at = [self._at(test, names) for test in pattern.where if test.field == "place"]
        lines = [
            self.test(FIELDS[test.field], test, names) for test in pattern.where if test.field != "place"
        ]
        barred = [self._barred(pattern.event, test, names) for test in unless_of(pattern)]
        if barred:
            lines.append(f"leaving aside any with {'; and any with '.join(barred)}")
        return "".join(at) + (f" ({'; '.join(lines)})" if lines else "")

    def _at(self, test: Test, names: Names) -> str:
        """Say ` at X`, ` outside X`."""
        if test.op == "not":
            return f" outside {self.asked(replace(test, op='is'), names)}"
        return f" at {self.asked(test, names)}"

    def _barred(self, event: str, test: Test, names: Names) -> str:
        """Say what keeps a record from counting: its value, and not knowing it."""
        said = f"“{self.test(FIELDS[test.field], test, names)}”"
        return f"{said} or {FIELDS[test.field]} unknown" if may_lack(event, test.field) else said

    def subject(self, clause: str) -> str:
        """Begin with `A subscriber`."""
        return f"A subscriber {clause}"

    def sentence(self, said: str) -> str:
        """End with a full stop."""
        return f"{said}."

    def opening(self, pattern: Pattern) -> str:
        """Open a list."""
        match pattern:
            case model.Sequence():
                return f"does this, one after the other, within {self.duration(pattern.within)}:"
            case model.AllOf():
                return f"does all of this, in any order, within {self.duration(pattern.within)}:"
            case model.AnyOf():
                return "does one of these:"
            case _:
                return "does this:"

    def waiting(self, pattern: model.After) -> str:
        """Open what must not happen."""
        return f"and for {self.duration(pattern.wait)} after it, not this:"

    def who(self, named: bool, several: bool) -> str:
        """Open `who`."""
        if not named:
            return "Everybody."
        return f"Subscribers of whom {'all of this' if several else 'this'} is known to be true:"

    def excepts(self) -> str:
        """Open `except`."""
        return "but nobody of whom any of this is true, or unknown:"

    def consent(self, place: bool) -> str:
        """Name the purposes."""
        purposes = list(PURPOSES.values()) if place else list(PURPOSES.values())[:2]
        return f"They must have agreed to {self.together(purposes)}."

    def product(self, product: model.Product) -> str:
        """Say `校园包 (20 yuan; they reply KT1)`."""
        reply = f"; they reply {product.reply}" if product.reply else ""
        return f"{product.name} ({amount(product.price, 'money')}{reply}):"

    def message(self, message: model.Message, condition: str, parts: int, first: bool) -> str:
        """Open a message."""
        size = f" ({parts} SMS part{'' if parts == 1 else 's'})" if message.channel == "sms" and parts else ""
        whom = f", if “{condition}”" if condition else ""
        if not first:
            whom = whom or ", everybody else"
        return f"{CHANNELS[message.channel]}{whom}{size}:"

    def quiet(self, policy: Sequence[str], own: Sequence[str], within: int, tasks: Share) -> str:
        """Say what quiet time does."""
        if tasks == "all":
            return "At any hour: a task waits for no quiet time."
        spans = [f"{span} (house rule)" for span in policy] + [f"{span} (this rule)" for span in own]
        if not spans:
            return "At any hour: there is no quiet time."
        waits = f"if that is more than {self.duration(within)} away, nothing is sent"
        what = "SMS or MMS" if tasks == "some" else "message"
        said = f"No {what} from {self.together(spans)}. One that falls there waits for the end; {waits}."
        return f"{said} A task goes out at any hour." if tasks == "some" else said

    def hours(self, days: Sequence[int], spans: Sequence[str], parted: bool) -> str:
        """Say when the rule looks."""
        on = self.together([DAYS[day] for day in days]) if 0 < len(days) < 7 else "every day"
        same = " of the same day" if parted else ""
        return f"It only looks on {on}, {self.together(list(spans)) or 'at all hours'}{same}."

    def at_most(self, cap: model.Cap) -> str:
        """Say the rule's cap."""
        return f"This rule: at most {_times(cap.count)} in {self.duration(cap.window)}."

    def house(self, caps: Sequence[model.Cap], by_tier: Sequence[tuple[str, model.Cap]], tasks: Share) -> str:
        """Say the policy's caps."""
        lines = [f"at most {cap.count} in {self.duration(cap.window)}" for cap in caps]
        lines += [f"for {tier} at most {cap.count} in {self.duration(cap.window)}" for tier, cap in by_tier]
        alone = "; of SMS and MMS, a task is not counted and always free to go" if tasks == "some" else ""
        return f"All rules together (house rule{alone}): {self.together(lines)}."

    def group(self, name: str, cooldown: int) -> str:
        """Say what a group does."""
        return f"Not within {self.duration(cooldown)} of another offer of the group {name}."

    def rank(self, priority: int) -> str:
        """Say the priority."""
        return f"Priority {priority} of 100: where several rules match at once, the highest goes first."

    def holdout(self, share: float, house: float) -> str:
        """Say the shares."""
        shares = [f"{amount(round(share * 100, 6), 'percent')} by this rule"] if share else []
        shares += [f"{amount(round(house * 100, 6), 'percent')} by the house"] if house else []
        if not shares:
            return "Nobody is held out."
        return f"Held out for comparison, sent nothing: {self.together(shares)}."

    def goal(self, clause: str, within: int) -> str:
        """Say the goal."""
        return f"Within {self.duration(within)} of the contact the subscriber {clause}."

    # -- cases ---------------------------------------------------------------------------------------

    def topic(self, topic: str) -> str:
        """Return a title."""
        return _TOPICS[topic]

    def step(self, step: Step, times: tuple[str, str], names: Names) -> str:
        """Say `enters X at 15:00`."""
        first, last = times
        when = f"at {first}" if step.times == 1 else (
            f"from {first} to {last}, every {self.duration(step.every)}"
        )  # fmt: skip
        if step.verb == "restart":
            return f"the engine restarts {when}"
        if step.verb != "happens":
            verb = {"enters": "enters", "sees": "is seen in", "leaves": "leaves"}[step.verb]
            often = f" {step.times} times" if step.times > 1 else ""
            return f"{verb} {names.place(step.place)}{often} {when}"
        fields = [
            f"{FIELDS[name]} {self.value(names.value(name, value), field_type(step.event, name))}"
            for name, value in step.fields.items()
        ]
        where = f" in {names.place(step.place)}" if step.place else ""
        shown = f" ({self.together(fields)})" if fields else ""
        said = self.event(step.event, str(step.times) if step.times > 1 else "")
        return f"{said}{where}{shown} {when}"

    def matched(self, times: Sequence[str]) -> str:
        """Say `all of it has happened at 15:00`."""
        return f"all has happened at {self.together(times)}"

    def note(self, note: Note, names: Names) -> str:
        """Say what a case is about."""
        return NOTES[note.kind](self, note, names)

    def line(self, steps: Sequence[str], note: str) -> str:
        """Write `steps (note)`."""
        said = ", ".join(steps)
        return f"{said} ({note})" if said and note else said or note

    def offered(self, times: Sequence[str], channel: str, held: bool) -> str:
        """Say `offer by SMS at 15:30`."""
        what = "offer" if len(times) == 1 else f"{len(times)} offers"
        return f"{what} {CHANNELS[channel]} {'after quiet time, ' if held else ''}at {self.together(times)}"

    def nothing(self, reason: str, names: Names) -> str:
        """Say `nothing: refused by who.arpu`."""
        if reason in ("when", "schedule"):
            return f"nothing: {REASONS[reason]}"
        if reason.startswith(("who.", "except.", "consent.")):
            return f"nothing: refused by {reason}"
        return f"nothing: {REASONS[reason]} ({reason})"

    def then(self, outcome: str, nothing: str) -> str:
        """Say what became of the next match."""
        return f"{outcome}; for the next match {nothing}"

    def counted(self, cases: int, offers: int, surprises: int) -> str:
        """Count."""
        nothing = cases - offers
        said = f"{cases} cases, each run on the engine: {offers} with an offer, {nothing} with nothing."
        if surprises:
            said += f" With {surprises} the engine did not do what was foreseen: please report the rule."
        return said

    def left_out(self, what: str, why: str, by_hand: bool) -> str:
        """Say that no case is about a part."""
        return f"Not staged{', to be tested by hand' if by_hand else ''}: {what}. {why[:1].upper()}{why[1:]}."

    def trouble(self, trouble: Trouble, names: Names) -> str:
        """Say why a case can't be made."""
        return TROUBLES[trouble.kind](self, trouble, names)

    def problem(self, problem: str, why: str) -> str:
        """Say why there are no cases."""
        return f"{_PROBLEMS[problem]} Reason: {why}. Write the tests by hand." if why else _PROBLEMS[problem]

    def surprise(self) -> str:
        """Mark a case."""
        return " [not as foreseen]"


def _listed(items: Sequence[str], word: str) -> str:
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {word} {items[-1]}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
