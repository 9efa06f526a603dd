"""Lay the examples of the checks over a small valid set of rules and check them, as a test and the pages do.

How an example is written stands in `engine/language/checks/code.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Final

from engine.language.checks.code import PLACES_CHECK
from engine.language.loader import is_rule, load_dir
from engine.language.problems import Problem

BASE: Final = Path(__file__).parent / "problem_base"
DEFAULT: Final = "r.yaml"
AS_OF: Final = datetime(2026, 9, 5, tzinfo=UTC)
"""The day of the review: within the dates of the base."""

_HEADER = re.compile(r"# (\S+\.(?:yaml|yml|csv|geojson))(?: as (\S+))?\s*")
_KEY = re.compile(r"[^\s#\-:{\[]+(?=\s*[:：])")
_BY_KEYS: Final = ("policy.yaml", "r.test.yaml", "catalog/fields.yaml", "catalog/places.yaml",
                   "catalog/products.yaml", "catalog/numbers.yaml")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One file of an example: its lines, each with the number it has in the part."""

    path: str
    charset: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A problem of an example, at its place in the whole file and, if the example shows it, in its part."""

    problem: Problem
    line: int | None

    @property
    def shown(self) -> Problem:
        """The problem as a reader of the example counts lines."""
        return self.problem if self.line is None else replace(self.problem, line=self.line)


def parts(example: str) -> list[Part]:
    """Split an example into its files."""
    found: list[Part] = []
    path, charset, lines = DEFAULT, "utf-8", list[str]()
    for line in example.rstrip("\n").split("\n"):
        header = _HEADER.fullmatch(line)
        if header is None:
            lines.append(line)
            continue
        if lines:
            found.append(Part(path, charset, tuple(lines)))
        path, charset, lines = header[1], header[2] or "utf-8", []
    return [*found, Part(path, charset, tuple(lines))]


def run(example: str, command: str = "check") -> list[Found]:
    """Check an example and return its problems, in the order of a report, with paths as it writes them.

    `command`: which finds them, `check` or `places check`.
    """
    given = parts(example)
    numbers: dict[str, dict[int, int]] = {}
    with TemporaryDirectory(prefix="touchpoint-example-") as scratch:
        folder = Path(scratch)
        for path in _base_files(given):
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((BASE / path).read_bytes())
        for part in given:
            rows = list(_lay(part))
            numbers[part.path] = {at: number for at, (number, _) in enumerate(rows, 1) if number}
            target = folder / part.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes("".join(text + "\n" for _, text in rows).encode(part.charset))
        found = load_dir(folder, review=AS_OF, places=command == PLACES_CHECK).problems
    base = f"{scratch}/"
    named = [
        replace(each, path=each.path.removeprefix(base), message=each.message.replace(base, ""))
        for each in found
    ]
    return [Found(each, numbers.get(each.path, {}).get(each.line)) for each in named]


def _base_files(given: list[Part]) -> Iterator[str]:
    named = [part.path for part in given]
    with_rule = DEFAULT in named or not any(is_rule(path) for path in named)
    for path in sorted(BASE.rglob("*")):
        name = path.relative_to(BASE).as_posix()
        if path.is_file() and (with_rule or name not in (DEFAULT, "r.test.yaml")):
            yield name


def _lay(part: Part) -> Iterator[tuple[int, str]]:
    """Yield the lines of the whole file, each with its number in the part, 0 for those of the base."""
    own = _sections([(number, line) for number, line in enumerate(part.lines, 1)])
    for key, rows in _sections([(0, line) for line in _base_lines(part.path)]):
        given = [section for section in own if section[0] == key]
        own = [section for section in own if section[0] != key]
        for _, lines in given or [(key, rows)]:
            if [line for _, line in lines] != [f"{key}: ~"]:
                yield from lines
    for _, lines in own:
        yield from lines


def _base_lines(path: str) -> list[str]:
    if path == DEFAULT or path in _BY_KEYS:
        return (BASE / path).read_text(encoding="utf-8").splitlines()
    if is_rule(path) and path != "approvals.yaml":
        text = (BASE / DEFAULT).read_text(encoding="utf-8")
        return text.replace("rule: r\n", f"rule: {PurePosixPath(path).stem}\n", 1).splitlines()
    return []


def _sections(rows: list[tuple[int, str]]) -> list[tuple[str, list[tuple[int, str]]]]:
    """Split lines at the keys that start in the first column."""
    found: list[tuple[str, list[tuple[int, str]]]] = []
    for row in rows:
        key = _KEY.match(row[1])
        if key is not None or not found:
            found.append((key[0] if key else "", []))
        found[-1][1].append(row)
    return found
