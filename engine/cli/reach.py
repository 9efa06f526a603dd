"""`touchpoint reach`: how many of the subscribers of a file a rule may reach, line by line."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from connectors.profiles import read_profiles
from engine import control
from engine.cli.console import Advance, ManyValues, note, progress, say, say_json, table
from engine.cli.inputs import lines_in, rule_of
from engine.cli.spool import HELD, Runs
from engine.event import Event
from engine.intake import YEAR_2000, Intake
from engine.language.model import RuleSet
from engine.reach import LineCount, Reach
from engine.refusals import Refusal
from engine.rulebook import CompiledRule, Rulebook
from engine.settings import Settings, load_settings
from engine.snapshot import Subscriber
from engine.unbound import Unbound

COMMAND_CLASS = ManyValues
NOTHING = 1
_SHOWN = 20
"""Wrong lines that are named; all are counted."""
_EVERY = 10_000
"""Lines between two looks at the progress bar."""
_KEY = 32
"""Characters of a subscriber key, at the start of each sorted line."""


def command(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="A rule file, or a rule's name; any status.")],
    profiles: Annotated[list[Path], typer.Option(metavar="FILE...", help="Profiles, as replay takes them.")],
    rules: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Rules that RULE is one of, or is judged with; default: TOUCHPOINT_RULES."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say how many subscribers pass each line of who, except and consent, and how many all of them.

    Each line is asked alone, and with all before it in the order in which the engine asks; unknown values,
    which refuse, are counted apart. The line that costs most is named. Who of them matches, and when, is
    replay's to say. Lines of one subscriber are put together; wrong lines are named and left out.

    Exit code 1: not one line was good.
    """
    settings = load_settings()
    ruleset, name = rule_of(rule, rules, settings)
    bad = _Bad()
    total = lines_in(profiles) if sys.stderr.isatty() else None
    with progress("reading", total) as advance:
        reach = count(compiled(ruleset, name, settings), profiles, settings, bad, advance)
    if as_json:
        say_json({**reach.to_json(), "refused_lines": bad.count})
    else:
        show(reach)
    if bad.count > _SHOWN:
        note(f"{bad.count:,} lines of profiles were refused; the first {_SHOWN} are named above")
    elif bad.count:
        note(f"{bad.count} line{'s' if bad.count > 1 else ''} of profiles refused, named above")
    if not reach.subscribers:
        note("expected at least one profile, was none")
        raise typer.Exit(NOTHING)


def compiled(ruleset: RuleSet, name: str, settings: Settings) -> CompiledRule:
    """Compile one rule of a set, as if it were live."""
    live = replace(ruleset.rules[name], status="live")
    return Rulebook(replace(ruleset, rules={name: live}), settings.key_bytes).compiled[name]


def count(
    rule: CompiledRule, files: Sequence[Path], settings: Settings, bad: _Bad, advance: Advance
) -> Reach:
    """Count every subscriber of the files once, in bounded memory: lines are sorted on disk."""
    reach = Reach(rule)
    intake = Intake(Unbound(settings.key_bytes, settings.home_cc), on_refused=bad)
    with tempfile.TemporaryDirectory(prefix="touchpoint-reach-") as folder:
        runs = Runs(Path(folder), "profiles", HELD)
        wanted = _fields(rule)
        number = 0
        for file in files:
            for event in read_profiles(file, intake):
                runs.add(_line(event, number, wanted))
                number += 1
                if not number % _EVERY:
                    advance(number, f"{number:,} profiles")
        with runs.sorted() as lines:
            for sub in _subscribers(lines):
                reach.take(sub)
    return reach


def show(reach: Reach) -> None:
    """Print the counts as a table, and what they come to."""
    everyone = reach.subscribers
    share = f" ({reach.reached / everyone:.1%})" if everyone else ""
    say(f"{reach.rule}: {reach.reached:,} of {everyone:,} subscribers pass every line{share}")
    say()
    head = ("line", "expected", "pass", "no", "unknown", "left", "share", "without it")
    table(head, [_row(line, everyone) for line in reach.lines])
    dearest = reach.dearest
    say()
    if dearest is None:
        say("no line alone costs anything")
    else:
        say(f"costs most: without `{dearest.name}` {dearest.costs:,} more")


def _row(line: LineCount, everyone: int) -> tuple[object, ...]:
    share = f"{line.left / everyone:.1%}" if everyone else ""
    more = f"{line.costs:,} more" if line.costs else ""
    return line.name, line.expected, line.passed, line.refused, line.unknown, line.left, share, more


class _Bad:
    """Counts refused lines and names the first."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, refusal: Refusal) -> None:
        self.count += 1
        if self.count <= _SHOWN:
            note(f"{refusal.position}: {refusal.detail}")


def _fields(rule: CompiledRule) -> frozenset[str]:
    """Name the fields that the lines of a rule ask."""
    lines = [*rule.who, *rule.excepts]
    for message in rule.messages:
        lines += message.condition
    return frozenset(line.field for line in lines)


def _line(event: Event, number: int, wanted: frozenset[str]) -> bytes:
    """Write what matters of a profile line, its subscriber first, then its place."""
    fields = event.fields
    profile: dict[str, Any] = fields.get("profile") or {}
    kept = {
        "profile": {name: value for name, value in profile.items() if name in wanted},
        "consent": fields.get("consent") or {},
    }
    return b"%s %012d %s\n" % (event.key.encode(), number, orjson.dumps(kept))


def _subscribers(lines: Any) -> Iterator[Subscriber]:
    """Put the lines of each subscriber together, in the order in which they stood."""
    for key, own in groupby(lines, key=lambda line: line[:_KEY]):
        sub = Subscriber(key.decode())
        for line in own:
            fields = orjson.loads(line[_KEY + 14 :])
            control.apply(sub, Event("profile.update", YEAR_2000, sub.key, fields))
        yield sub
