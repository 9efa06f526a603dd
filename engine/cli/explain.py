"""`touchpoint explain`: why one subscriber did or did not get an offer, rule by rule, line by line."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.console import ManyValues, note, progress, say_json
from engine.cli.explain_view import show_overview, show_person, show_story
from engine.cli.inputs import Feed, column_map, length_of_time, lines_in, load_rules, moment
from engine.emit import Decision
from engine.errors import InputError
from engine.identity import Identity
from engine.language.suggest import did_you_mean
from engine.number_classes import asked_for
from engine.numbers import HASH_LENGTH
from engine.replay import Replay
from engine.rulebook import Rulebook
from engine.settings import load_settings
from engine.trace.flips import Flips, Trials
from engine.trace.story import RuleStory, person, stories
from engine.trace.watch import WatchedFold

COMMAND_CLASS = ManyValues
NOT_FOUND = 1
_EVERY = 5_000
"""Records between two looks at the progress bar."""


def command(
    rules: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of rules, policy and catalogue; with --live else those in force."
        ),
    ] = None,
    events: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE...", help="Files of events, plain or gzip, merged by time."),
    ] = None,
    subscriber: Annotated[
        str | None,
        typer.Option(metavar="ID", help="IMSI, MSISDN, the feed's own id, or a subscriber key."),
    ] = None,
    live: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The same, of a running deployment: read its Redis, no files."),
    ] = None,
    map: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE", help="Column map of delimited files, or its .yaml; else JSON lines."
        ),
    ] = None,
    profiles: Annotated[
        list[Path] | None, typer.Option(metavar="FILE...", help="Profiles, applied before the first event.")
    ] = None,
    disorder: Annotated[
        str,
        typer.Option(metavar="TIME", help="How far the files may be out of order: 30m; ticks wait for it."),
    ] = "0",
    rule: Annotated[str | None, typer.Option(metavar="NAME", help="Only this rule.")] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="As of this moment: ISO (without offset in the policy's timezone) or µs; else the end.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON; times are µs UTC.")] = False,
) -> None:
    """Say why one subscriber did or did not get an offer.

    Runs the events through the rules as `replay` does, up to TIME, and shows for each rule what its pattern
    saw and waits for, how near it came, every line and gate with what it expects and what it saw, and the
    decisions. Gates are shown as the last match was judged; if the rule never matched, as they stand. Where
    that match was no offer, single changes are tried out on the subscriber's records, and those with which it
    would have been one are told.

    With --live it reads the state of a deployment in place of files, as far as that goes back: 48 hours.

    Exit code 1 if the subscriber is in none of the files, or has no state.
    """
    if live is not None:
        given = {
            "--events": events,
            "--subscriber": subscriber,
            "--profiles": profiles,
            "--map": map,
            "--at": at,
        }
        for option, value in given.items():
            if value:
                raise InputError(option, "nothing with --live, which reads a running deployment", "given")
        # Kafka and Redis are not for those who explain files
        from engine.cli.explain_live import explain_live

        explain_live(live, rules, rule, as_json)
        return
    if rules is None or events is None or subscriber is None:
        missing = "--rules" if rules is None else "--events" if events is None else "--subscriber"
        raise InputError(missing, "a value (or --live ID alone, of a running deployment)", "not given")
    settings = load_settings()
    ruleset = load_rules(rules, settings)
    named_rule(rule, ruleset.rules, str(rules))
    until = None if at is None else moment("--at", at, ruleset.policy.timezone)
    feed = Feed(settings, column_map(map), classes=asked_for(ruleset, settings.home_cc))
    fold = WatchedFold(Rulebook(ruleset, settings.key_bytes), settings.salt_bytes)
    replay = Replay(fold, disorder=length_of_time("--disorder", disorder), until=until)
    decisions = _run(replay, fold, feed, subscriber, profiles or [], events)
    if map is None and not replay.read and feed.intake.refused:
        note("every record was refused: are these delimited files, for --map?")
    key = next((key for key in keys_of(feed.identity, subscriber) if key in fold.subscribers), None)
    if key is None:
        note(f"no record and no profile of this subscriber ({describe(subscriber)}) {_where(until)}")
        raise typer.Exit(NOT_FOUND)
    now = fold.newest if until is None else until
    told = [story for story in stories(fold, key, now, decisions) if rule is None or story.rule == rule]
    trials = Trials(fold, key, now, decisions)
    flips = {story.rule: trials.of(story) for story in told}
    who = person(fold, key, now)
    if as_json:
        say_json({**who.to_json(), "rules": [_as_json(story, flips[story.rule]) for story in told]})
        return
    show_person(who, ruleset.catalog)
    if len(told) > 1:
        show_overview(told, who.timezone)
    for story in told:
        show_story(story, who.timezone, flips[story.rule])


def _as_json(story: RuleStory, flips: Flips | None) -> dict[str, Any]:
    return {**story.to_json(), "flips": flips.to_json() if flips is not None else None}


def _run(
    replay: Replay, fold: WatchedFold, feed: Feed, subscriber: str, profiles: list[Path], events: list[Path]
) -> list[Decision]:
    """Replay everything; return the decisions about the subscriber, oldest first."""
    replay.profiles(feed.profiles(profiles))
    fold.watch(keys_of(feed.identity, subscriber))
    found: list[Decision] = []
    total = lines_in(events) if sys.stderr.isatty() else None
    with progress("replaying", total) as advance:
        for count, event in enumerate(feed.events(events)):
            if event.kind == "profile.update":
                # it may bind the number to an IMSI: from here on its records have another key
                fold.watch(keys_of(feed.identity, subscriber))
            replay.feed(event)
            if fold.decisions:
                found += [made for made in replay.take() if made["subscriber_key"] in fold.watched]
            if not count % _EVERY:
                advance(count, f"{count:,} records")
    replay.close()
    found += [made for made in replay.take() if made["subscriber_key"] in fold.watched]
    return found


def keys_of(identity: Identity, subscriber: str) -> list[str]:
    """List the keys that a person may mean by an id, the likeliest first."""
    found = [identity.of_subscriber(subscriber), identity.of_msisdn(subscriber)]
    if len(subscriber) == HASH_LENGTH:
        found.insert(0, subscriber.lower())
    return list(dict.fromkeys(key for key in found if key is not None))


def describe(subscriber: str) -> str:
    """Say what an id looks like, without repeating a number that names a person."""
    if subscriber.isdecimal():
        what = ", as an IMSI has" if len(subscriber) == 15 else ""
        return f"{len(subscriber)} digits{what}"
    if subscriber.startswith("+"):
        return "a phone number"
    return f"an id of {len(subscriber)} characters"


def _where(until: int | None) -> str:
    return "in these files" if until is None else "in these files up to --at"


def named_rule(rule: str | None, rules: Iterable[str], where: str) -> None:
    """Raise `InputError` if a rule is asked for that is not there."""
    if rule is not None and rule not in rules:
        hint = did_you_mean(rule, rules)
        raise InputError("--rule", f"a rule of {where}{f' ({hint})' if hint else ''}", rule)
