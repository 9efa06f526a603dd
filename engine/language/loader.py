"""Which files make a set of rules, and what comes of them.

    policy.yaml  catalog/{fields,places,products,numbers}.yaml  catalog/**/*.{csv,geojson}
    <folder>/<rule>.yaml  <rule>.test.yaml  approvals.yaml

Everything is read and every problem reported, each once, sorted by file and position. An error in the
policy, the catalogue or a rule leaves no `RuleSet`: an engine never runs half a set. Errors in tests do not
stop the engine.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Final

from engine.errors import InputError
from engine.language.approvals import PATH as APPROVALS_PATH
from engine.language.approvals import Approvals, read_approvals
from engine.language.cases import read_tests_file
from engine.language.catalog import FILES as CATALOG_FILES
from engine.language.catalog import FOLDER, Names, read_catalog
from engine.language.checks.across import declared_name, refuse_second
from engine.language.checks.approved_text import check_recorded, check_rules_there
from engine.language.compile import read_rule
from engine.language.cost import MessageCost, message_costs
from engine.language.folders import read_folder
from engine.language.geometry import COMPILED, SUFFIX, Geography
from engine.language.model import Catalog, Policy, Rule, RuleSet
from engine.language.place_review import review_places
from engine.language.policy import PATH as POLICY_PATH
from engine.language.policy import read_policy
from engine.language.problems import Problem
from engine.language.report import Report
from engine.language.review import Tested, Written, review_set
from engine.language.source import Mapping as MappingNode
from engine.language.source import read
from engine.language.suggest import closest, did_you_mean
from engine.language.testing import SUFFIXES, TestFile

YAML: Final = (".yaml", ".yml")


_LOOKED_UP: Final = {
    "fields": ("R206", "subscribers have no field"),
    "places": ("R204", "in the catalogue"),
    "products": ("R301", "in the catalogue"),
    "numbers": ("R207", "no list of numbers"),
}
"""File of the catalogue -> code and words of the problem of a name that is not in it."""
_PLACES: Final = tuple(f"{FOLDER}places{suffix}" for suffix in YAML)
OTHER_FILE: Final = re.compile(r"(?<=[(`])[^()`:]+\.ya?ml(?=[:`])")
"""A file that a message names: another rule's."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a set of files came to. `ruleset` is None if policy, catalogue or a rule has an error."""

    ruleset: RuleSet | None
    problems: tuple[Problem, ...]
    tests: tuple[TestFile, ...] = ()
    rule_paths: tuple[str, ...] = ()
    """The rule files, broken ones included, as a person types them."""
    costs: tuple[MessageCost, ...] = ()
    """What the messages of good rules cost at most; of a set that was reviewed."""
    testable: RuleSet | None = None
    """The rules without an error, for their tests: each is run alone, so the broken ones do not matter. None
    if the policy or the catalogue has an error. Never for an engine."""
    names: Names = field(default_factory=lambda: Names(Catalog()))
    """The catalogue as far as it can be read, with where its cells and places are."""
    deciding: Mapping[str, str] = field(default_factory=dict)
    """What the hash is over, and what is published: relative path -> text. Places that were drawn stand in it
    as the cells they came to, without the table and the areas they came from."""

    @property
    def rule_files(self) -> int:
        """How many rule files there were."""
        return len(self.rule_paths)

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that are more than warnings."""
        return tuple(problem for problem in self.problems if problem.severity == "error")


def load_dir(
    path: Path,
    *,
    catalog: Path | None = None,
    ignore: Collection[str] = (),
    home_cc: str = "86",
    review: datetime | None = None,
    places: bool = False,
) -> Loaded:
    """Load a folder of rules, or one rule file.

    policy.yaml, approvals.yaml and catalog/ are taken from `catalog` if given, else from the folder itself or
    the nearest one above it that has a policy.yaml. Problems name files as `path` and `catalog` do. `review`,
    `places`: as for `load_texts`. Raises `InputError` if there is no such folder or file.
    """
    folder = read_folder(path, catalog)
    loaded = _Loader(folder.texts, ignore, home_cc, review, folder.whole, places).load()
    problems = [
        replace(
            problem,
            path=folder.shown.get(problem.path, problem.path),
            message=_as_typed(problem, folder.shown),
        )
        for problem in loaded.problems
    ]
    unread = {problem.path for problem in folder.problems}  # such a file is there, so it is not missing
    problems = [problem for problem in problems if problem.code != "R005" or problem.path not in unread]
    problems += [problem for problem in folder.problems if problem.code not in ignore]
    problems.sort(key=lambda problem: problem.order)
    if folder.problems:
        loaded = replace(loaded, ruleset=None, testable=None if folder.home_broken else loaded.testable)
    rule_files = tuple(folder.shown.get(path, path) for path in loaded.rule_paths)
    return replace(loaded, problems=tuple(problems), rule_paths=rule_files)


def _as_typed(problem: Problem, shown: Mapping[str, str]) -> str:
    """Return the message with the other file that it names, if it is about two."""
    if not problem.code.startswith("R50"):
        return problem.message
    return OTHER_FILE.sub(lambda found: shown.get(found[0], found[0]), problem.message)


def load_texts(
    texts: Mapping[str, str],
    *,
    ignore: Collection[str] = (),
    home_cc: str = "86",
    review: datetime | None = None,
    places: bool = False,
) -> Loaded:
    """Load files given as relative path -> text. Never raises for what is in them.

    `ignore`: codes of checks to leave out, for tests that generate rules; `home_cc`: country calling code
    that is taken off phone numbers. `review`: the moment (with a timezone) as of which the set is also
    reviewed, which brings warnings about the rules together, their approvals, tests and dates, and `costs`.
    `places`: hold places against each other and against the rules too.
    """
    return _Loader(texts, ignore, home_cc, review, places=places).load()


@dataclass(frozen=True, slots=True)
class Known:
    """What rules of a folder may name, as far as it can be read."""

    names: Names
    policy: Policy | None
    """None: there is none, or it is no YAML."""
    rules: tuple[str, ...]


def load_names(path: Path, *, catalog: Path | None = None, home_cc: str = "86") -> Known:
    """Read catalogue and policy as `load_dir` does, however many mistakes files have: for editors.

    Raises `InputError` if there is no such folder or file, or no catalogue beside it.
    """
    texts = read_folder(path, catalog).texts
    if not any(name.startswith(FOLDER) for name in texts):
        raise InputError("rules", f"a folder with {FOLDER} in it or above it", str(catalog or path))
    return read_names(texts, home_cc)


def read_names(texts: Mapping[str, str], home_cc: str = "86") -> Known:
    """Read the names in files given as relative path -> text. Never raises for what is in them."""
    return _Loader(texts, (), home_cc, None).names()


class _Loader:
    """Loads one set of files, in the order: catalogue, policy, rules, approvals, tests.

    `whole`: all rules are there, not some of a larger set, so that a name in approvals.yaml can be missed.
    """

    def __init__(
        self,
        texts: Mapping[str, str],
        ignore: Collection[str],
        home_cc: str,
        review: datetime | None,
        whole: bool = True,
        places: bool = False,
    ) -> None:
        self.texts = {path: texts[path] for path in sorted(texts)}
        self.ignore = ignore
        self.home_cc = home_cc
        self.review = review
        self.whole = whole
        self.places = places
        self.misnamed_policy = "" if POLICY_PATH in self.texts else _looks_like_policy(self.texts)
        self.texts.pop(self.misnamed_policy, None)  # it is no rule either
        self.written: dict[str, Written] = {}
        """The rules without errors, by name, with their files."""
        self.reports: list[Report] = []
        self.problems: list[Problem] = []
        self.tested: list[Tested] = []

    def load(self) -> Loaded:
        names = self._catalog()
        policy = self._policy(names)
        house_broken = bool(self.problems) or any(report.failed for report in self.reports)
        rule_paths = [path for path in self.texts if is_rule(path)]
        rules = self._rules(rule_paths, names, policy)
        approvals = self._approvals(rules)
        broken = bool(self.problems) or any(report.failed for report in self.reports)
        tests = self._tests(names, policy, rules)
        costs: tuple[MessageCost, ...] = ()
        if self.review is not None and policy is not None:
            review_set(
                list(self.written.values()),
                policy,
                self.review,
                approvals,
                self.tested,
                names.catalog.fields,
            )
            costs = tuple(cost for one in self.written.values() for cost in message_costs(
                one.rule, one.root, names.catalog, policy
            ))  # fmt: skip
        if not house_broken and (self.review is not None or self.places):
            self.problems += self._review_places(names, None if broken else rules)
        problems = {problem: None for report in self.reports for problem in report.problems}
        problems.update(dict.fromkeys(self.problems))
        problems = dict.fromkeys(self._without_a_file(problems))
        deciding = self._deciding(names)
        testable = None
        if not house_broken and policy is not None:
            good = {name: rule for name, rule in rules.items() if rule is not None}
            testable = RuleSet(good, names.catalog, policy, _hash(deciding))
        shown = tuple(sorted(problems, key=lambda problem: problem.order))
        return Loaded(
            None if broken else testable, shown, tests, tuple(rule_paths), costs, testable, names, deciding
        )

    def _review_places(self, names: Names, rules: Mapping[str, Rule | None] | None) -> list[Problem]:
        """Review the places; only of rules that can all be read it is known which place none uses."""
        path = next((each for each in _PLACES if each in self.texts), None)
        if path is None:
            return []
        source = read(path, self.texts[path])
        every = [rule for rule in (rules or {}).values() if rule is not None]
        return review_places(names, source, self.ignore, every if self.places and rules is not None else None)

    def _without_a_file(self, problems: Iterable[Problem]) -> list[Problem]:
        """Put one problem in place of all that are for want of one whole file of the catalogue."""
        found = list(problems)
        if "R005" in self.ignore or not any(path.startswith(FOLDER) for path in self.texts):
            return found
        for stem, (code, words) in _LOOKED_UP.items():
            path = f"{FOLDER}{stem}.yaml"
            if path in self.texts or f"{FOLDER}{stem}.yml" in self.texts:
                continue
            lost = [one for one in found if one.code == code and words in one.message]
            if lost:
                said = f"there is no such file, and {len(lost)} names are looked up in it"
                found = [one for one in found if one not in lost] + [Problem(path, 1, 1, 1, "R005", said)]
        return found

    def names(self) -> Known:
        """Read catalogue and policy, and the names of the rules."""
        names = self._catalog()
        rules = [declared_name(self._report(path)) for path in self.texts if is_rule(path)]
        return Known(names, self._policy(names), tuple(sorted({name for name in rules if name})))

    def _report(self, path: str) -> Report:
        report = Report(read(path, self.texts[path]), self.ignore)
        self.reports.append(report)
        return report

    def _catalog(self) -> Names:
        files = tuple((path, text) for path, text in self.texts.items() if path.startswith(FOLDER))
        misnamed = "" if files else _looks_like_catalog(self.texts)
        if misnamed:  # its files are no rules either
            inside = f"{misnamed}/"
            self.texts = {path: text for path, text in self.texts.items() if not path.startswith(inside)}
        names, reports, problems = _read_files_of_catalog(
            files, frozenset(self.ignore), self.home_cc, misnamed
        )
        self.reports += reports
        self.problems += problems
        return names

    def _policy(self, names: Names) -> Policy | None:
        if POLICY_PATH not in self.texts:
            hint = "it holds the house rules: quiet times, limits on contacts, groups"
            hint = f"rename `{self.misnamed_policy}`" if self.misnamed_policy else hint
            if "R005" not in self.ignore:
                said = "there is no policy.yaml beside the rules"
                self.problems.append(Problem(POLICY_PATH, 1, 1, 1, "R005", said, hint))
            return None
        report = self._report(POLICY_PATH)
        policy = read_policy(report, names)
        unreadable = report.source.broken or not isinstance(report.source.root, MappingNode)
        return None if report.failed and unreadable else policy

    def _rules(self, paths: list[str], names: Names, policy: Policy | None) -> dict[str, Rule | None]:
        rules: dict[str, Rule | None] = {}
        first: dict[str, str] = {}
        for path in paths:
            report = self._report(path)
            rule = read_rule(report, names, policy)
            name = rule.name if rule is not None else declared_name(report) or PurePosixPath(path).stem
            named_right = [PurePosixPath(each).stem == name for each in (first.get(name, ""), path)]
            if name in first and (all(named_right) or "R201" in self.ignore):
                refuse_second(report, name, first[name])
                continue
            if name in first and not named_right[1]:
                continue  # its name is not that of its file, which is told
            first[name] = path
            rules[name] = rule
            if rule is not None and isinstance(report.source.root, MappingNode):
                self.written[name] = Written(rule, report, report.source.root)
        return rules

    def _approvals(self, rules: Mapping[str, Rule | None]) -> Approvals:
        for path in self.texts:
            nested = path.endswith(f"/{APPROVALS_PATH}") and not path.startswith(FOLDER)
            if nested and "R005" not in self.ignore:
                said = f"approvals are read from `{APPROVALS_PATH}` beside policy.yaml, not from here"
                self.problems.append(Problem(path, 1, 1, 1, "R005", said, "move its lines there"))
        if APPROVALS_PATH not in self.texts:
            return Approvals()
        report = self._report(APPROVALS_PATH)
        approvals = read_approvals(report)
        for name, one in self.written.items():
            check_recorded(one.report, one.rule, approvals.entries.get(name), report)
        if self.whole:
            check_rules_there(report, approvals.entries, rules)
        return approvals

    def _tests(
        self, names: Names, policy: Policy | None, rules: Mapping[str, Rule | None]
    ) -> tuple[TestFile, ...]:
        found = []
        for path in self.texts:
            if not path.endswith(SUFFIXES) or path.startswith(FOLDER):
                continue
            report = self._report(path)
            test = read_tests_file(report, names, policy, rules)
            if test is not None:
                found.append(test)
            self.tested.append(Tested(declared_name(report, "tests"), test))
        return tuple(found)

    def _deciding(self, names: Names) -> dict[str, str]:
        """Return the files that decide: relative path -> text, sorted."""
        found = {path: text for path, text in self.texts.items() if decides(path)}
        if names.geography is not None:
            for path in names.geography.sources:
                found.pop(path, None)
            if names.geography.compiled:
                found[COMPILED] = names.geography.compiled
        return {path: found[path] for path in sorted(found)}


def decides(path: str) -> bool:
    """Say whether a file is part of what the hash is over, if nothing was compiled from it."""
    return is_rule(path) or path == POLICY_PATH or path.startswith(FOLDER)


def _hash(deciding: Mapping[str, str]) -> str:
    """Hash the files that decide, each with its length so that no two sets of files run together."""
    digest = blake2b(digest_size=16)
    for path, text in deciding.items():
        for part in (path.encode(), text.encode(errors="replace")):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


@lru_cache(maxsize=2)
def _read_files_of_catalog(
    files: tuple[tuple[str, str], ...], ignore: frozenset[str], home_cc: str, misnamed: str
) -> tuple[Names, tuple[Report, ...], tuple[Problem, ...]]:
    """Read a catalogue; cached, because an editor and a reload mostly change one rule and no catalogue.

    `misnamed`: a folder that looks like it, empty if there is none.
    """
    reports: dict[str, Report] = {}
    lists: dict[str, str] = {}
    areas: dict[str, str] = {}
    problems: list[Problem] = []
    for path, text in files:
        name = path.removeprefix(FOLDER)
        stem = PurePosixPath(name).stem
        if name.endswith(".csv"):
            lists[name] = text
        elif name.endswith(SUFFIX):
            areas[name] = text
        elif name.endswith(YAML) and stem in CATALOG_FILES and stem not in reports and "/" not in name:
            reports[stem] = Report(read(path, text), ignore)
        elif name.endswith(YAML):
            said, hint = f"the catalogue has no file `{name}`", did_you_mean(stem, CATALOG_FILES)
            problems.append(Problem(path, 1, 1, 1, "R005", said, hint))
    geography = Geography(lists, areas, dict(files).get(COMPILED), ignore)
    names = read_catalog(reports, lists, home_cc, geography)
    if not reports:
        said = "there is no catalogue beside the rules"
        hint = "a catalogue has " + ", ".join(f"`{name}.yaml`" for name in CATALOG_FILES)
        hint = f"rename the folder `{misnamed}`" if misnamed else hint
        problems.append(Problem(FOLDER.rstrip("/"), 1, 1, 1, "R005", said, hint))
        if "R005" not in ignore:  # told once, not at each name
            names = replace(names, unreadable=frozenset(CATALOG_FILES))
    kept = () if "R005" in ignore else tuple(problems)
    return names, (*reports.values(), *geography.reports.values()), kept


def _looks_like_policy(texts: Mapping[str, str]) -> str:
    """Return the file that is the policy under another name, empty if there is none."""
    for path in texts:
        stem = PurePosixPath(path).stem
        if "/" in path or not path.endswith(YAML) or re.search(r"^rule\s*:", texts[path], re.MULTILINE):
            continue
        if closest(stem, ("policy",)) or re.search(
            r"^(?:timezone|quiet|contact)\s*:", texts[path], re.MULTILINE
        ):
            return path
    return ""


def _looks_like_catalog(paths: Iterable[str]) -> str:
    """Return a top folder that holds files of a catalogue, empty if there is none."""
    for path in paths:
        top, _, name = path.partition("/")
        if PurePosixPath(name).stem in CATALOG_FILES and "/" not in name and name.endswith(YAML):
            return top
    return ""


def is_rule(path: str) -> bool:
    """Tell whether a relative path is that of a rule file."""
    name = PurePosixPath(path).name
    special = path == POLICY_PATH or path.startswith(FOLDER) or path.endswith(SUFFIXES)
    return path.endswith(YAML) and not special and name != APPROVALS_PATH
