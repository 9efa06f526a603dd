"""`touchpoint story`: a rule in plain words, with the cases at its edges as the engine answers them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.console import note, say, say_json
from engine.cli.inputs import rule_of
from engine.errors import InputError
from engine.language.testing import SUFFIXES
from engine.paths import is_folder, is_there
from engine.settings import load_settings
from engine.story.report import to_json
from engine.story.tell import LANGUAGES, Story, story, tell
from engine.story.write import write_tests

NO_CASES = 1


class Language(StrEnum):
    """What `--lang` takes."""

    EN = "en"
    ZH = "zh"
    BOTH = "both"


def command(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="A rule file, or the name of a rule.")],
    rules: Annotated[
        Path | None,
        typer.Option(
            "--rules",
            metavar="DIR",
            help="Rules that RULE is one of, or is judged with; default: TOUCHPOINT_RULES.",
        ),
    ] = None,
    lang: Annotated[Language, typer.Option("--lang", help="English, Chinese, or both.")] = Language.BOTH,
    write: Annotated[
        Path | None,
        typer.Option("--write", metavar="RULE.test.yaml", help="Write the cases as a test file as well."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="With --write: overwrite a file.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, every case included.")] = False,
) -> None:
    """Say in plain words what a rule does, and what happens at its edges.

    The cases are made from the rule: for each mark, window, line and limit a value just inside and one just
    outside. Each is run on the real engine, and what is said is what the engine did.

    Exit code 0: told; 1: no case could be made for the rule; 2: RULE or the rules are not as expected.
    """
    settings = load_settings()
    ruleset, name = rule_of(rule, rules, settings)
    if write is not None:
        _check_target(write, name, force)
    told = story(ruleset, name, settings.home_cc)
    words = {key: each for key, each in LANGUAGES.items() if lang in (key, Language.BOTH)}
    if as_json:
        say_json(to_json(told, words))
    else:
        say("\n\n\n".join(tell(told, each) for each in words.values()))
    if not told.told:
        raise typer.Exit(NO_CASES)
    if write is not None:
        _write(write, told, "en" if lang is Language.BOTH else lang.value)


def _check_target(path: Path, name: str, force: bool) -> None:
    """Refuse a file name that the loader would not take, and to overwrite."""
    if path.name not in [name + suffix for suffix in SUFFIXES]:
        raise InputError("--write", f"a file called {name}.test.yaml", path.name)
    if is_there(path) and not force:
        raise InputError("--write", "a file that is not there yet, or --force", str(path))
    if not is_folder(path.parent):
        raise InputError("--write", "a folder that exists", str(path.parent))


def _write(path: Path, told: Story, lang: str) -> None:
    try:
        path.write_text(write_tests(told, LANGUAGES[lang]), encoding="utf-8")
    except OSError as error:
        raise InputError("--write", "a file that can be written", f"{path}: {error.strerror}") from error
    note(f"wrote {len(told.told)} cases to {path}")
