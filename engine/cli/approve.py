"""`touchpoint approve`: record that somebody has read a rule and agrees to what it says."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Final

import typer

from engine.approving import approve
from engine.cli.console import note, say
from engine.deployment.common import now_us
from engine.errors import InputError, RulesError
from engine.language.approvals import Approval, content_hash
from engine.language.checks.approval import is_same_person
from engine.language.folders import read_folder
from engine.language.loader import is_rule, load_dir
from engine.language.source import Mapping, read
from engine.language.suggest import did_you_mean
from engine.paths import is_file, is_folder
from engine.settings import load_settings

BY_AT_MOST: Final = 200
CURED: Final = ("R202", "R211")
"""What an approval puts right, or what says that there is none yet."""


def command(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="Name of a rule, or its file.")],
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who approves it; not its owner.")],
    rules: Annotated[
        Path, typer.Option("--rules", metavar="DIR", help="Folder of rules in which the name is looked up.")
    ] = Path("rules"),
) -> None:
    """Record in approvals.yaml, beside policy.yaml, who approves a rule and the hash of what it says.

    The hash is over the content of the file but `status` and `approved_by`. When anything else changes,
    `touchpoint check` calls the approval stale, and a live rule does not run until it is approved again.

    Exit code 0: recorded; 2: there is no such rule, it has errors, or NAME owns it.
    """
    name = by.strip()
    if not 1 <= len(name) <= BY_AT_MOST or not name.isprintable():
        raise InputError("--by", f"a name of 1 to {BY_AT_MOST} characters", by)
    file = _file_of(rule, rules)
    loaded = load_dir(file, home_cc=load_settings().home_cc, ignore=CURED)
    if loaded.ruleset is None:
        raise RulesError(loaded.errors)
    (found,) = loaded.ruleset.rules.values()
    if is_same_person(name, found.owner):
        raise InputError("--by", f"somebody other than `{found.owner}`, who owns `{found.name}`", by)
    folder = read_folder(file)
    root = read(found.path, folder.texts[found.path]).root
    assert isinstance(root, Mapping)  # a rule without errors is one
    at = datetime.fromtimestamp(now_us() // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    approval = Approval(name, at, content_hash(root))
    approve(folder.approvals, found.name, approval)
    say(f"{name} approves `{found.name}` ({found.title}) as it stands in {file}")
    say(f"recorded in {folder.approvals}: {approval.hash}")
    if loaded.problems:
        note(f"the rule has {len(loaded.problems)} warnings: touchpoint check {file}")
    if not is_same_person(found.approved_by, name):
        say(f"to let it go live: `status: live` and `approved_by: {name}` in {file}")


def _file_of(rule: str, rules: Path) -> Path:
    """Find the file of a rule, which has its name (R201)."""
    given = Path(rule)
    if is_file(given):
        if not is_rule(given.name):
            raise InputError("RULE", "the file of a rule", rule)
        return given
    if not is_folder(rules):
        raise InputError("--rules", "a folder that exists", str(rules))
    folder = read_folder(rules)
    files = {PurePosixPath(path).stem: path for path in folder.texts if is_rule(path)}
    if rule not in files:
        hint = did_you_mean(rule, files)
        raise InputError("RULE", f"a rule of {rules}, or its file", rule + (f" ({hint})" if hint else ""))
    return Path(folder.shown[files[rule]])
