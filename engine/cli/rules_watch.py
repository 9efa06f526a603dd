"""`touchpoint rules watch`: a folder of rules, published at every change that checks and tests allow."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from engine.candidate import examine
from engine.cli.console import note, say
from engine.cli.rules import By, put_into_force
from engine.cli.watching import EVERY, FolderWatch, problems
from engine.deployment.common import now_us
from engine.errors import InputError, RulesError, RuleTestsError, SettingsError, TouchpointError
from engine.settings import load_settings, require


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of rules, policy and catalogue.")],
    by: By,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse warnings of `check`, too.")] = False,
) -> None:
    """Publish a folder of rules now, and again whenever its files change, until Ctrl-C.

    Each time as `rules publish` does: checked, tested, one switch in every partition. On any error the set in
    force stays, and the next change of a file is the next try. Exit code 2 only if nothing could be begun.
    """
    settings = load_settings()
    require(settings, "kafka_bootstrap")
    watch = FolderWatch(folder)
    first = examine(folder, by, now_us(), settings.home_cc, strict=strict)
    last = put_into_force(settings, first).change
    say(f"watching {folder}: a change is published once it checks and its tests pass; Ctrl-C ends it")
    while True:
        time.sleep(EVERY)
        if not watch.has_changed():
            continue
        try:
            candidate = examine(folder, by, now_us(), settings.home_cc, strict=strict)
            if candidate.ruleset.hash == last:
                continue  # as it was, or only tests and approvals have changed
            change = put_into_force(settings, candidate)
        except (RulesError, RuleTestsError, SettingsError, InputError) as error:
            typer.echo(problems(error), err=True)
            note("the set in force stays")
        except TouchpointError as error:
            note(f"{error}; the set in force stays, save a file to try again")
        else:
            last = change.change
            say(f"published as {change.change}: {'; '.join(change.lines())}")
