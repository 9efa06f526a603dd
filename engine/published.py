"""Sets of rules as they are published: whole, under their hash, with who did it and when.

A set is one message: {"hash", "by", "at" (µs), "files": {relative path: text}}. Its files are those that
decide (policy, catalogue, rules); tests stay with their authors. Places that are drawn on the map go as the
cells they came to, in a file of their own: the cells table and the areas stay with the authors too. Whoever
reads it compiles it anew with the one loader and must come to the same hash.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from engine.errors import InputError, RulesError
from engine.language.folders import read_folder
from engine.language.loader import decides, load_texts
from engine.language.model import RuleSet
from engine.language.policy import PATH as POLICY_PATH
from engine.paths import is_file, is_folder

BYTES_AT_MOST = 8 << 20
"""Of a set: what the topic takes (`engine.topics`). Lists of cells make up most of it."""

_TYPES = [str, str, int, dict]


@dataclass(frozen=True, slots=True)
class Published:
    """One published set."""

    hash: str
    by: str
    at: int
    """µs UTC."""
    files: dict[str, str]
    """Relative path -> text."""


def files_of(folder: Path) -> dict[str, str]:
    """Read the files of a folder that decide: relative path -> text.

    Raise `InputError` if there is no such folder. One file, or one team's folder, is refused: published alone
    it would end all other rules.
    """
    if is_file(folder):
        raise InputError(str(folder), "a folder of rules", "a file")
    if is_folder(folder) and not is_file(folder / POLICY_PATH) and any(folder.iterdir()):
        raise InputError(str(folder), "a whole set of rules, with policy.yaml and catalog/", "a part of one")
    return {path: text for path, text in read_folder(folder).texts.items() if decides(path)}


def pack(published: Published) -> bytes:
    """Write a set as a message; raise `InputError` if it is too large."""
    value = orjson.dumps(
        {"hash": published.hash, "by": published.by, "at": published.at, "files": published.files}
    )
    if len(value) > BYTES_AT_MOST:
        raise InputError("rules", f"at most {BYTES_AT_MOST >> 20} MiB of rules", f"{len(value) >> 20} MiB")
    return value


def read(value: bytes) -> Published:
    """Read a message; raise `InputError` if it is none of ours."""
    try:
        found: dict[str, Any] = orjson.loads(value)
        published = Published(found["hash"], found["by"], found["at"], found["files"])
        if [type(part) for part in (published.hash, published.by, published.at, published.files)] != _TYPES:
            raise TypeError
        return published
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputError("published rules", "hash, by, at and files", type(error).__name__) from None


def unpack(published: Published, home_cc: str) -> RuleSet:
    """Compile a published set; raise `RulesError` or `InputError` if it does not come out as it went in."""
    loaded = load_texts(published.files, home_cc=home_cc)
    if loaded.ruleset is None:
        raise RulesError(loaded.errors)
    if loaded.ruleset.hash != published.hash:
        raise InputError("published rules", f"the hash {published.hash}", loaded.ruleset.hash)
    return loaded.ruleset
