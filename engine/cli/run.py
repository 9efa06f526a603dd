"""`touchpoint run`: the main job on the embedded default. A city makes signaling, the engine makes offers."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import Annotated

import orjson
import typer

from engine.app import Embedded, load_rules
from engine.candidate import examine
from engine.changes import compare
from engine.cli.console import unwritable
from engine.cli.live import Display, Screen, print_summary, summary_of
from engine.cli.watching import EVERY, FolderWatch, problems
from engine.errors import InputError, TouchpointError
from engine.garbage import calm_collector
from engine.language.model import RuleSet
from engine.language.words import Unreadable, duration
from engine.log_fields import hide
from engine.settings import Settings, load_settings

ROLES = ("collector", "engine", "dispatcher", "all")


def command(
    role: Annotated[
        str | None,
        typer.Argument(metavar="[ROLE]", help=f"A role on Kafka and Redis: {', '.join(ROLES)}."),
    ] = None,
    for_: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="Stop after this long, e.g. 20s or 5m.")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="Folder of rules; default: setting TOUCHPOINT_RULES.")
    ] = None,
    subscribers: Annotated[int, typer.Option(min=1, help="People in the city.")] = 3000,
    seed: Annotated[int, typer.Option(help="Another seed is another city.")] = 1,
    speed: Annotated[
        float, typer.Option(min=0, help="City seconds per second; 0 = as fast as the machine can.")
    ] = 600,
    out: Annotated[Path | None, typer.Option(help="Folder for messages, decisions, dead letters.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print only the closing figures, as JSON.")] = False,
    watch: Annotated[
        bool,
        typer.Option(help="Change to the rules as their files change, if they check and pass their tests."),
    ] = True,
) -> None:
    """Run the main job: a simulated city, the engine, a dispatcher, all in this process; or a ROLE.

    Shows offers as they are made and refusals by reason. Ctrl-C ends it gracefully: what is in flight is
    finished and counted. Needs no Kafka, no Redis, no Docker.

    With a ROLE it does that part of the work of a deployment, until SIGTERM or Ctrl-C: `collector` puts feeds
    into the log, `engine` decides, `dispatcher` sends, `all` does the three. Settings come from the
    environment and the settings file (docs/settings.md); the options below are of the city only. Exit code 1:
    it could not go on; its last word says why.
    """
    settings = load_settings()
    if role is not None:
        _run_role(settings, role)
        return
    seconds = _seconds(for_)
    calm_collector()
    watched = FolderWatch(rules or settings.rules) if watch else None
    ruleset = load_rules(rules or settings.rules, settings.home_cc)
    folder = out or settings.out
    try:
        run = Embedded(settings, ruleset, seed=seed, subscribers=subscribers, speed=speed, out=folder)
    except OSError as error:
        raise unwritable(folder, "a folder for output", error) from None
    console = Screen(quiet=as_json)
    try:
        took = asyncio.run(_live(run, console, seconds, watched))
    finally:
        run.close()
    summary = summary_of(run, took)
    (run.out / "summary.json").write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2) + b"\n")
    if as_json:
        typer.echo(orjson.dumps(summary).decode())
    else:
        print_summary(run, summary, console)
    if not summary["balanced"]:
        raise typer.Exit(1)


def _run_role(settings: Settings, role: str) -> None:
    if role not in ROLES:
        raise InputError("ROLE", f"one of {', '.join(ROLES)}", role)
    # only here: the embedded run needs none of it
    from engine.deployment.process import run

    last_word = run(settings, role)
    if last_word:
        typer.echo(f"touchpoint: {hide(last_word)}", err=True)
        raise typer.Exit(1)


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return duration(text) / 1e6
    except Unreadable as error:
        raise InputError("--for", "a length of time such as 20s or 5m", text) from error


async def _live(run: Embedded, console: Screen, seconds: float | None, watched: FolderWatch | None) -> float:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if seconds is not None:
        loop.call_later(seconds, stop.set)
    began = time.monotonic()
    with Display(run, console) as display:
        run.on_decisions = display.decided
        following = asyncio.create_task(_follow(run, display, watched)) if watched is not None else None
        try:
            await run.run(stop, display.refresh)
        finally:
            if following is not None:
                following.cancel()
                await asyncio.wait([following])
    return time.monotonic() - began


async def _follow(run: Embedded, display: Display, watch: FolderWatch) -> None:
    """Change the rules as their files change; what is wrong with them is told, and those in force stay."""
    while True:
        await asyncio.sleep(EVERY)
        if not await asyncio.to_thread(watch.has_changed):
            continue
        now = time.time_ns() // 1_000
        try:
            candidate = await asyncio.to_thread(examine, watch.folder, "./run", now, run.settings.home_cc)
        except TouchpointError as error:
            display.tell(f"{problems(error)}\nrules: not changed, those in force stay")
            continue
        if candidate.ruleset.hash != run.book.hash:
            before = run.book.rules
            await run.change(candidate.ruleset, "./run")
            display.tell(f"rules: changed to {candidate.ruleset.hash}: {_what(before, candidate.ruleset)}")


def _what(before: RuleSet, after: RuleSet) -> str:
    changed, policy, catalogue = compare(before, after)
    lines = [str(change) for change in changed]
    lines += ["policy changed"] if policy else []
    return "; ".join(lines + (["catalogue changed"] if catalogue else []))
