"""Results as JUnit XML, in the form that Jenkins and GitLab read.

`testsuites` > `testsuite` per test file > `testcase` per case; a case that failed has a `failure`, a file
that could not be read a case of its own with an `error`. `classname` is the path of the test file without its
ending, dots for slashes, so that reports group by team; `file` and `line` lead to the case; `time` is in
seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Final
from xml.etree import ElementTree

from engine.language.problems import Problem
from engine.language.testing import SUFFIXES
from engine.rule_tests.report import failure
from engine.rule_tests.runner import CaseResult, FileResult

NAME: Final = "touchpoint test"
_FORBIDDEN: Final = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may hold, not even escaped."""

Element = ElementTree.Element


def junit(results: Sequence[tuple[FileResult, str]], problems: Iterable[Problem], timezone: str) -> bytes:
    """Write results, each with its file's path as shown, and problems of files that were not run."""
    suites = [_suite(result, shown, timezone) for result, shown in results]
    broken: dict[str, list[Problem]] = {}
    for problem in problems:
        broken.setdefault(problem.path, []).append(problem)
    suites += [_broken(path, found) for path, found in broken.items()]
    root = Element("testsuites", name=NAME)
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    root.set("time", _seconds(sum(float(suite.get("time", "0")) for suite in suites)))
    root.extend(suites)
    ElementTree.indent(root)
    written = BytesIO()
    ElementTree.ElementTree(root).write(written, encoding="utf-8", xml_declaration=True)
    return written.getvalue() + b"\n"


def _suite(result: FileResult, shown: str, timezone: str) -> Element:
    failed = len(result.results) - result.passed
    seconds = sum(each.seconds for each in result.results)
    suite = _open(result.file.rule, len(result.results), failed, 0, seconds)
    suite.extend(_case(each, shown, timezone) for each in result.results)
    return suite


def _case(result: CaseResult, shown: str, timezone: str) -> Element:
    case = _testcase(result.case.name, shown, result.case.line, result.seconds)
    if not result.verdict.passed:
        first = result.verdict.problems[0].split("\n")[0]
        told = ElementTree.SubElement(case, "failure", message=_clean(first), type="expectation")
        told.text = _clean(failure(result, shown, timezone))
    return case


def _broken(path: str, problems: list[Problem]) -> Element:
    suite = _open(path, 1, 0, 1, 0.0)
    case = _testcase("can be read", path, problems[0].line, 0.0)
    told = ElementTree.SubElement(case, "error", message=_clean(problems[0].message), type=problems[0].code)
    told.text = _clean("\n\n".join(problem.pretty() for problem in problems))
    suite.append(case)
    return suite


def _open(name: str, tests: int, failures: int, errors: int, seconds: float) -> Element:
    counts = {"tests": str(tests), "failures": str(failures), "errors": str(errors), "skipped": "0"}
    return Element("testsuite", {"name": _clean(name), **counts, "time": _seconds(seconds)})


def _testcase(name: str, shown: str, line: int, seconds: float) -> Element:
    stem = next((shown.removesuffix(end) for end in SUFFIXES if shown.endswith(end)), shown)
    group = ".".join(part for part in stem.split("/") if part.strip("."))
    where = {"classname": _clean(group), "file": _clean(shown), "line": str(line)}
    return Element("testcase", {"name": _clean(name), **where, "time": _seconds(seconds)})


def _seconds(seconds: float) -> str:
    return f"{seconds:.6f}"


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text)
