"""`touchpoint rules watch`: a folder of rules, published at every change that checks and tests allow."""

from __future__ import annotations

import time
from hashlib import blake2b
from pathlib import Path
from typing import Annotated

import typer

from engine.candidate import examine
from engine.cli.console import note, say
from engine.cli.rules import By, put_into_force
from engine.deployment.common import now_us
from engine.errors import InputError, RulesError, RuleTestsError, SettingsError, TouchpointError
from engine.language.folders import read_folder
from engine.settings import load_settings, require

EVERY = 1.0
"""Seconds between two looks at the folder; a change is taken once it has stood for one."""


class FolderWatch:
    """Tells when the files of a folder are others than before, and stand still."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen = self._taken = self._look()

    def has_changed(self) -> bool:
        """Say whether there is something new that has stood still since the last look; once for each."""
        now = self._look()
        before, self._seen = self._seen, now
        if now != before or now == self._taken:
            return False
        self._taken = now
        return True

    def _look(self) -> bytes:
        digest = blake2b(digest_size=16)
        try:
            texts = read_folder(self.folder).texts
        except (InputError, OSError) as error:  # gone, or a file that went while it was read
            return str(error).encode()
        for path, text in sorted(texts.items()):
            for part in (path.encode(), text.encode(errors="replace")):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()


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
    put_into_force(settings, examine(folder, by, now_us(), settings.home_cc, strict=strict))
    say(f"watching {folder}: a change is published once it checks and its tests pass; Ctrl-C ends it")
    while True:
        time.sleep(EVERY)
        if not watch.has_changed():
            continue
        try:
            candidate = examine(folder, by, now_us(), settings.home_cc, strict=strict)
            change = put_into_force(settings, candidate)
        except (RulesError, RuleTestsError, SettingsError, InputError) as error:
            _say_problems(error)
            note("the set in force stays")
        except TouchpointError as error:
            note(f"{error}; the set in force stays, save a file to try again")
        else:
            say(f"published as {change.change}: {'; '.join(change.lines())}")


def _say_problems(error: TouchpointError) -> None:
    if isinstance(error, RulesError):
        for problem in error.problems:
            typer.echo(f"{problem.pretty()}\n", err=True)
        return
    note(str(error))
