"""What `touchpoint explain` prints: the subscriber, then a table per rule and its decisions."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

import typer

from engine.cli.console import say, table
from engine.emit import Decision
from engine.language.model import Catalog
from engine.trace.flips import Flips
from engine.trace.gates import Check
from engine.trace.live import LiveStory
from engine.trace.story import Person, RuleStory
from engine.trace.waits import PatternLine
from engine.trace.words import say as in_words
from engine.trace.words import say_time

_HEAD = ("line", "expected", "actual", "said")
_OUTCOMES = {
    "quiet": "held",
    "holdout": "held out: control",
    "shadow": "shadow: not sent",
    "when": "no match",
}
_WOULD = {"offer": "offered", "held": "held", "shadow": "counted, in shadow,"}


def show_person(person: Person, catalog: Catalog) -> None:
    """Print who it is, where, and what is known of them."""
    zone = person.timezone
    say(f"subscriber  {person.subscriber_key}")
    records = f"{person.records} record{'' if person.records == 1 else 's'}"
    say(f"at          {say_time(person.at, zone)} {zone}, {records} in the 48h before")
    say(f"place       {_place(person)}")
    types = {name: spec.type for name, spec in catalog.fields.items()}
    known = [f"{name}: {in_words(v, types.get(name, 'text'))}" for name, v in person.profile.items()]
    say(f"profile     {'; '.join(known) or 'nothing known'}")
    consent = [f"{purpose}: {in_words(given)}" for purpose, given in person.consent.items()]
    said = "; ".join(consent) or "none known"
    say(f"consent     {said}{'; suppressed: opted out, or complained' if person.suppressed else ''}")


def show_overview(stories: Sequence[RuleStory], timezone: str) -> None:
    """Print one line per rule, those that matched first."""
    rows = []
    for story in sorted(stories, key=lambda each: (each.judged_at is None, each.rule)):
        when = "" if story.judged_at is None else say_time(story.judged_at, timezone)
        rows.append((story.rule, _what(story), when, len(story.decisions)))
    say()
    table(("rule", "outcome", "judged", "decisions"), rows)


def show_story(story: RuleStory, timezone: str, flips: Flips | None = None) -> None:
    """Print one rule, and the changes with which it would have been offered."""
    say()
    say(_title(story, timezone))
    rows = [row for line in story.pattern for row in _pattern_rows(line, timezone)]
    rows += [_row(check) for check in story.lines]
    table(_HEAD, rows)
    for decision in story.decisions:
        say(f"  {say_time(decision['at'], timezone)}  {_decided(decision, timezone)}")
    for line in _flipped(flips, timezone) if flips is not None else ():
        say(f"  {line}")


def show_live(story: LiveStory, timezone: str) -> None:
    """Print one rule of a live subscriber."""
    say()
    name = typer.style(story.rule, bold=True) if sys.stdout.isatty() else story.rule
    say(f"{name} ({story.status}): {_now(story, timezone)}")
    rows = [row for line in story.pattern for row in _pattern_rows(line, timezone)]
    table(_HEAD, [*rows, *map(_row, story.lines)])
    for flip in story.flips:
        say(f"  a match now would be {_WOULD[flip.outcome]} if {flip.change}")
    if len(story.in_the_way) > 1:
        say(f"  no single change is enough: in the way are {_listed(story.in_the_way)}")
    for contact in story.contacts:
        due = f", until {say_time(contact.due, timezone)}" if contact.due is not None else ""
        say(f"  {say_time(contact.at, timezone)}  {contact.what}{due}")


def _now(story: LiveStory, timezone: str) -> str:
    if not story.pattern:
        return "not asked"
    matched = "no match in 48h"
    if story.matched and story.last is not None:
        matched = f"last matched {say_time(story.last, timezone)}"
    outcome = "offer" if story.stopped_by is None else _OUTCOMES.get(story.stopped_by)
    return f"{matched}; a match now: {outcome or f'refused: {story.stopped_by}'}"


def _flipped(flips: Flips, timezone: str) -> Iterator[str]:
    for flip in flips.found:
        would = _WOULD[flip.outcome]
        yield f"would have been {would} at {say_time(flip.at, timezone)} if {flip.change}"
    ways = flips.in_the_way
    if len(ways) > 1:
        yield f"no single change found: at least two things are in the way: {_listed(ways)}"
    elif ways:
        tried = "nothing tried of it gave an offer" if flips.runs else "nothing of it came near enough to try"
        yield f"no single change found: {ways[0]} is in the way, and {tried}"
    if flips.left is not None:
        yield f"not everything was tried: {flips.left}"


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _place(person: Person) -> str:
    if person.seen_at is None:
        return "never seen at a cell"
    where = f"in {', '.join(person.places)}" if person.places else "in no place of the catalogue"
    state = "" if person.known else "; whereabouts unknown since"
    return f"seen at {say_time(person.seen_at, person.timezone)} at cell {person.cell}, {where}{state}"


def _title(story: RuleStory, timezone: str) -> str:
    what = _what(story)
    judged = ""
    if story.judged_at is not None:
        why = " as a hold ended" if story.ending else ""
        judged = f"; judged {say_time(story.judged_at, timezone)}{why}"
    elif story.stopped_by == "when":
        judged = "; gates as they stand"
    name = story.rule
    if sys.stdout.isatty():
        name = typer.style(name, bold=True)
        what = typer.style(what, fg="green" if story.stopped_by is None else "red")
    return f"{name} ({story.status}): {what}{judged}"


def _what(story: RuleStory) -> str:
    if story.stopped_by is None:
        return "offer"
    if not story.pattern:
        return "not asked"
    return _OUTCOMES.get(story.stopped_by, f"refused: {story.stopped_by}")


def _pattern_rows(line: PatternLine, timezone: str) -> Iterator[tuple[str, str, str, str]]:
    if line.instants:
        assert line.last is not None
        often = f"matched {line.instants} times" if line.instants > 1 else "matched once"
        late = f", {line.late} of them too late to fire" if line.late else ""
        last = f"{often}{late}, last at {say_time(line.last, timezone)}"
    else:
        last = "never matched"
    yield line.name, line.expected, f"{last}; {line.state}", line.result
    if line.nearest is not None:
        yield "", "", f"nearest: {line.nearest.text}", ""
    yield from map(_row, line.lines)


def _row(check: Check) -> tuple[str, str, str, str]:
    said = check.result if check.would is None else f"{check.result}, would be {check.would}"
    return check.name, check.expected, check.actual, said


def _decided(decision: Decision, timezone: str) -> str:
    outcome = decision["outcome"]
    if outcome == "refused":
        return f"refused {decision['reason']}"
    if outcome == "held":
        return f"held until {say_time(decision['due'], timezone)}"
    return f"{outcome} {decision['product']} by {decision['channel']}: {decision['text']}"
