"""`touchpoint feeds check`: what each feed of a feeds file will do, and what can't work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.console import say, say_json
from engine.deployment.feeds.look import problems_of
from engine.deployment.feeds.model import Feed
from engine.deployment.feeds.read import load_feeds
from engine.deployment.feeds.use import house_of, identity_of, named_by
from engine.language.source import Mapping as YamlMapping
from engine.language.source import plain
from engine.language.words import write_duration
from engine.settings import load_settings

COMMON = ("door", "say", "map", "disorder", "idle", "kinds", "treatments")


def check_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A feeds file.")],
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 on warnings too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Feeds and problems as JSON.")] = False,
) -> None:
    """Show what each feed of a file will do, and what is wrong or can't work, with file, line and column.

    Looks outside, too: folders that are missing, mistakes in maps and tables, kinds that a map never brings,
    two feeds at one folder or port. All of it is told at once. No record is read, nothing is changed.

    Exit code 0: the collector can start with it; 1: it can't, or, with --strict, there are warnings.
    """
    settings = load_settings()
    feeds = load_feeds(file)
    problems = problems_of(feeds, house_of(settings), identity_of(settings), named_by(settings))
    if as_json:
        shown = {name: dict(_lines(feed)) for name, feed in feeds.feeds.items()}
        say_json({"feeds": shown, "problems": [found.to_json() for found in problems]})
    else:
        for name, feed in feeds.feeds.items():
            say(f"{name}{'  ' + feed.common.say if feed.common.say else ''}")
            for what, text in _lines(feed):
                say(f"  {what:<11} {text}")
            say()
        for found in problems:
            say(found.pretty() + "\n")
        wrong = sum(found.severity == "error" for found in problems)
        counts = (len(feeds.feeds), "feed"), (wrong, "mistake"), (len(problems) - wrong, "warning")
        say(", ".join(f"{count} {what}{'' if count == 1 else 's'}" for count, what in counts))
    if any(strict or found.severity == "error" for found in problems):
        raise typer.Exit(1)


def _lines(feed: Feed) -> Iterator[tuple[str, str]]:
    """Yield what a feed will do: what is said, and how."""
    by = f", by the map {feed.common.map}" if feed.common.map else ""
    yield "from", f"{feed.door_name}: {feed.door.shown(feed.options)}{by}"
    options = {key: value for key, value in _given(feed).items() if key not in COMMON}
    if options:
        yield "options", _written(options)
    silent = f"silent after {write_duration(feed.idle)} without one" if feed.idle else "never called silent"
    behind = f"{write_duration(feed.disorder)} behind" if feed.disorder else "with"
    yield "time", f"follows {behind} its newest record; {silent}"
    yield "kinds", ", ".join(sorted(feed.common.kinds)) or "those that it will have brought"
    treatments = _given(feed).get("treatments")
    for name, settings in treatments.items() if isinstance(treatments, Mapping) else ():
        yield "treatment", f"{name}{': ' + _written(settings) if settings else ''}"


def _given(feed: Feed) -> dict[str, Any]:
    assert isinstance(feed.node, YamlMapping)
    found = plain(feed.node)
    return found if isinstance(found, dict) else {}


def _written(values: Any) -> str:
    if not isinstance(values, Mapping):
        return str(values)
    return ", ".join(f"{key} {_value(value)}" for key, value in values.items())


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return "{" + _written(value) + "}" if isinstance(value, Mapping) else str(value)
