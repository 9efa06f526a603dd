"""Which files make a set of rules, and what comes of them.

    policy.yaml  catalog/{fields,places,products,numbers}.yaml  catalog/**/*.csv  <folder>/<rule>.yaml
    <rule>.test.yaml

Everything is read and every problem reported, each once, sorted by file and position. An error in the
policy, the catalogue or a rule leaves no `RuleSet`: an engine never runs half a set. Errors in tests do not
stop the engine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Final

from engine.language.cases import read_tests_file
from engine.language.catalog import FILES as CATALOG_FILES
from engine.language.catalog import FOLDER, Names, read_catalog
from engine.language.checks import across
from engine.language.compile import read_rule
from engine.language.folders import read_folder
from engine.language.model import Policy, Rule, RuleSet
from engine.language.policy import PATH as POLICY_PATH
from engine.language.policy import read_policy
from engine.language.problems import Problem
from engine.language.report import Report
from engine.language.source import Mapping as MappingNode
from engine.language.source import read
from engine.language.suggest import did_you_mean
from engine.language.testing import SUFFIXES, TestFile

YAML: Final = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a set of files came to. `ruleset` is None if policy, catalogue or a rule has an error."""

    ruleset: RuleSet | None
    problems: tuple[Problem, ...]
    tests: tuple[TestFile, ...] = ()
    rule_files: int = 0
    """How many rule files there were, broken ones included."""
    testable: RuleSet | None = None
    """The rules without an error, for their tests: each is run alone, so the broken ones do not matter. None
    if the policy or the catalogue has an error. Never for an engine."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that are more than warnings."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


def load_dir(
    path: Path, *, catalog: Path | None = None, ignore: Collection[str] = (), home_cc: str = "86"
) -> Loaded:
    """Load a folder of rules, or one rule file.

    policy.yaml and catalog/ are taken from `catalog` if given, else from the folder itself or the nearest
    one above it that has a policy.yaml. Problems name files as `path` and `catalog` do. Raises `InputError`
    if there is no such folder or file.
    """
    folder = read_folder(path, catalog)
    loaded = _Loader(folder.texts, ignore, home_cc).load()
    problems = [
        replace(problem, path=folder.shown.get(problem.path, problem.path)) for problem in loaded.problems
    ]
    problems += [problem for problem in folder.problems if problem.code not in ignore]
    problems.sort(key=lambda problem: problem.order)
    if folder.problems:
        loaded = replace(loaded, ruleset=None, testable=None if folder.home_broken else loaded.testable)
    return replace(loaded, problems=tuple(problems))


def load_texts(texts: Mapping[str, str], *, ignore: Collection[str] = (), home_cc: str = "86") -> Loaded:
    """Load files given as relative path -> text. Never raises for what is in them.

    `ignore`: codes of checks to leave out, for tests that generate rules; `home_cc`: country calling code
    that is taken off phone numbers.
    """
    return _Loader(texts, ignore, home_cc).load()


class _Loader:
    """Loads one set of files, in the order: catalogue, policy, rules, tests."""

    def __init__(self, texts: Mapping[str, str], ignore: Collection[str], home_cc: str) -> None:
        self.texts = {path: texts[path] for path in sorted(texts)}
        self.ignore = ignore
        self.home_cc = home_cc
        self.reports: list[Report] = []
        self.problems: list[Problem] = []

    def load(self) -> Loaded:
        names = self._catalog()
        policy = self._policy(names)
        house_broken = bool(self.problems) or any(report.failed for report in self.reports)
        rule_paths = [path for path in self.texts if is_rule(path)]
        rules = self._rules(rule_paths, names, policy)
        broken = bool(self.problems) or any(report.failed for report in self.reports)
        tests = self._tests(names, policy, rules)
        problems = {problem: None for report in self.reports for problem in report.problems}
        problems.update(dict.fromkeys(self.problems))
        testable = None
        if not house_broken and policy is not None:
            good = {name: rule for name, rule in rules.items() if rule is not None}
            testable = RuleSet(good, names.catalog, policy, self._hash())
        found = tuple(sorted(problems, key=lambda problem: problem.order))
        return Loaded(None if broken else testable, found, tests, len(rule_paths), testable)

    def _report(self, path: str) -> Report:
        report = Report(read(path, self.texts[path]), self.ignore)
        self.reports.append(report)
        return report

    def _catalog(self) -> Names:
        reports: dict[str, Report] = {}
        lists: dict[str, str] = {}
        for path, text in self.texts.items():
            if not path.startswith(FOLDER):
                continue
            name = path.removeprefix(FOLDER)
            stem = PurePosixPath(name).stem
            if name.endswith(".csv"):
                lists[name] = text
            elif name.endswith(YAML) and stem in CATALOG_FILES and stem not in reports and "/" not in name:
                reports[stem] = self._report(path)
            elif name.endswith(YAML):
                hint = did_you_mean(stem, CATALOG_FILES)
                self._whole_file(path, f"the catalogue has no file `{name}`", hint)
        if not reports:
            hint = "a catalogue has " + ", ".join(f"`{name}.yaml`" for name in CATALOG_FILES)
            self._whole_file(FOLDER.rstrip("/"), "there is no catalogue beside the rules", hint)
        return read_catalog(reports, lists, self.home_cc)

    def _policy(self, names: Names) -> Policy | None:
        if POLICY_PATH not in self.texts:
            hint = "it holds the house rules: quiet times, limits on contacts, groups"
            self._whole_file(POLICY_PATH, "there is no policy.yaml beside the rules", hint)
            return None
        report = self._report(POLICY_PATH)
        policy = read_policy(report, names)
        return None if report.failed and not isinstance(report.source.root, MappingNode) else policy

    def _rules(self, paths: list[str], names: Names, policy: Policy | None) -> dict[str, Rule | None]:
        rules: dict[str, Rule | None] = {}
        first: dict[str, str] = {}
        for path in paths:
            report = self._report(path)
            rule = read_rule(report, names, policy)
            name = rule.name if rule is not None else across.declared_name(report) or PurePosixPath(path).stem
            if name in first:
                across.refuse_second(report, name, first[name])
                continue
            first[name] = path
            rules[name] = rule
        return rules

    def _tests(
        self, names: Names, policy: Policy | None, rules: Mapping[str, Rule | None]
    ) -> tuple[TestFile, ...]:
        found = [
            read_tests_file(self._report(path), names, policy, rules)
            for path in self.texts
            if path.endswith(SUFFIXES) and not path.startswith(FOLDER)
        ]
        return tuple(test for test in found if test is not None)

    def _whole_file(self, path: str, message: str, hint: str) -> None:
        if "R005" not in self.ignore:
            self.problems.append(Problem(path, 1, 1, 1, "R005", message, hint))

    def _hash(self) -> str:
        """Hash the files that decide, each with its length so that no two sets of files run together."""
        digest = blake2b(digest_size=16)
        for path, text in self.texts.items():
            if is_rule(path) or path == POLICY_PATH or path.startswith(FOLDER):
                for part in (path.encode(), text.encode(errors="replace")):
                    digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()


def is_rule(path: str) -> bool:
    """Tell whether a relative path is that of a rule file."""
    special = path == POLICY_PATH or path.startswith(FOLDER) or path.endswith(SUFFIXES)
    return path.endswith(YAML) and not special
