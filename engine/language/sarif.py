"""Problems as SARIF 2.1.0, which code review platforms and editors show at the lines concerned.

Columns count characters (`columnKind` says so). `help` holds the advice itself; there is no `helpUri`, which
would have to be absolute (3.49.12). A fingerprint is made of the code, the file and the text of the line, so
that a problem is known again when the lines above it change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from engine.language.checks.code import Check
from engine.language.checks.codes import ALL
from engine.language.problems import Problem

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"

_INDEX: Final = {code: number for number, code in enumerate(ALL)}


def sarif(problems: Iterable[Problem], version: str) -> dict[str, Any]:
    """Return the problems as one run of SARIF. `version`: of the program."""
    seen: Counter[str] = Counter()
    driver = {"name": "touchpoint", "version": version, "rules": [_rule(check) for check in ALL.values()]}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, seen) for problem in problems],
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(check: Check) -> dict[str, Any]:
    markdown = f"{check.advice}\nWrong:\n```yaml\n{check.bad}```\nRight:\n```yaml\n{check.good}```\n"
    return {
        "id": check.code,
        "shortDescription": {"text": check.meaning},
        "help": {"text": check.advice, "markdown": markdown},
        "defaultConfiguration": {"level": check.level},
    }


def _result(problem: Problem, seen: Counter[str]) -> dict[str, Any]:
    path = PurePath(problem.path)
    uri = path.as_uri() if path.is_absolute() else quote(path.as_posix())
    region: dict[str, Any] = {
        "startLine": problem.line,
        "startColumn": problem.col,
        "endLine": problem.line,
        "endColumn": problem.end,
    }
    if problem.source:
        region["snippet"] = {"text": problem.source}
    text = problem.message if not problem.hint else f"{problem.message}; hint: {problem.hint}"
    place = {"artifactLocation": {"uri": uri}, "region": region}
    return {
        "ruleId": problem.code,
        "ruleIndex": _INDEX[problem.code],
        "level": problem.severity,
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"problem/v1": _fingerprint(problem, seen)},
    }


def _fingerprint(problem: Problem, seen: Counter[str]) -> str:
    """Name a problem without its line; the second alike in a file has a name of its own."""
    told = "\0".join((problem.path, problem.code, problem.message, problem.source.strip()))
    seen[told] += 1
    return blake2b(f"{told}\0{seen[told]}".encode(errors="replace"), digest_size=16).hexdigest()
