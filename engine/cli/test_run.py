"""One run of `touchpoint test`: which cases were asked for, what came of them, which lines they decide."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.cli.console import progress
from engine.errors import InputError
from engine.language.loader import Loaded
from engine.language.model import Rule, RuleSet
from engine.language.problems import Problem
from engine.language.source import Source, read
from engine.language.suggest import did_you_mean
from engine.language.testing import TestFile
from engine.rule_tests.coverage import RuleCoverage, cover
from engine.rule_tests.coverage_report import coverage_json
from engine.rule_tests.enough import untested
from engine.rule_tests.report import to_json
from engine.rule_tests.runner import CaseResult, FileResult, run_files


@dataclass(slots=True)
class TestRun:
    """What was asked for, and what came of it so far."""

    __test__ = False  # pytest: this is no test class

    path: Path
    loaded: Loaded
    home_cc: str
    names: list[str]
    text: str
    done: list[tuple[FileResult, str]] = field(default_factory=list)
    """Results of a file, and its path as a person types it."""
    coverages: list[RuleCoverage] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def rules(self) -> RuleSet | None:
        return self.loaded.testable

    @property
    def timezone(self) -> str:
        return self.rules.policy.timezone if self.rules is not None else "UTC"

    @property
    def failed(self) -> bool:
        """A case failed, a file has a mistake, or nothing was run."""
        results = [result for result, _ in self.done]
        return (
            bool(self.loaded.errors)
            or not results
            or any(result.passed < len(result.results) for result in results)
        )

    def results(self) -> Iterator[tuple[FileResult, str]]:
        """Run the tests that were asked for, one file after the other."""
        rules = self.rules
        if rules is None:
            return
        known = {*rules.rules, *(file.rule for file in self.loaded.tests)}
        for name in self.names:
            if name not in known:
                hint = did_you_mean(name, known)
                raise InputError("--rule", f"a rule of {self.path}{f' ({hint})' if hint else ''}", name)
        files = [
            file for file in map(self._chosen, self.loaded.tests) if file.cases and file.rule in rules.rules
        ]
        for result in run_files(rules, files, self.home_cc, time.perf_counter):
            self.done.append((result, str(self._root / result.file.path)))
            yield self.done[-1]
        if self.done and not self.text:
            self._look_for_untested()

    def measure(self) -> None:
        """Find which lines of the rules are decided by the cases that were run."""
        rules, wanted = self.rules, self._rules()
        with progress("coverage", len(wanted)) as advance:
            for number, rule in enumerate(wanted):
                assert rules is not None  # or nothing is wanted
                advance(number, rule.name)
                self.coverages.append(cover(rules, rule.name, self._of(rule), self.home_cc))
                self.sources.append(self._source(rule))

    def to_json(self) -> dict[str, Any]:
        """Everything as plain data; how long it took is no part of it."""
        body: dict[str, Any] = {
            "files": [to_json(result, shown) for result, shown in self.done],
            "passed": sum(result.passed for result, _ in self.done),
            "failed": sum(len(result.results) - result.passed for result, _ in self.done),
            "problems": [problem.to_json() for problem in self.loaded.errors],
            "warnings": [problem.to_json() for problem in self.warnings],
        }
        if self.coverages:
            body["coverage"] = coverage_json(self.coverages, self.sources)
        return body

    def _chosen(self, file: TestFile) -> TestFile:
        if self.names and file.rule not in self.names:
            return replace(file, cases=())
        said = self.text.casefold()
        return replace(
            file, cases=tuple(case for case in file.cases if said in f"{file.rule} {case.name}".casefold())
        )

    def _look_for_untested(self) -> None:
        for rule in self._rules():
            self.warnings += untested(rule, self._of(rule), self._source(rule))

    def _rules(self) -> list[Rule]:
        """The rules that were asked for; with a part of the cases, those that have some."""
        if self.rules is None:
            return []
        tested = {result.file.rule for result, _ in self.done}
        return [
            rule
            for name, rule in sorted(self.rules.rules.items(), key=lambda item: item[1].path)
            if (not self.names or name in self.names) and (not self.text or name in tested)
        ]

    def _of(self, rule: Rule) -> list[CaseResult]:
        return [each for result, _ in self.done if result.file.rule == rule.name for each in result.results]

    def _source(self, rule: Rule) -> Source:
        file = self._root / rule.path
        try:
            return read(str(file), file.read_bytes().decode())
        except (OSError, UnicodeDecodeError):  # it has changed since it was loaded
            return Source(str(file), "", None)

    @property
    def _root(self) -> Path:
        return self.path if self.path.is_dir() else self.path.parent
