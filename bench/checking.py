"""`bench check`: reading and checking many rules, and making them ready to run."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from bench.course import KEY
from bench.report import ROOT, Scale, Section, middle, tell
from engine.errors import RulesError
from engine.language.loader import load_dir
from engine.language.source import read
from engine.rulebook import Rulebook

AS_OF = datetime(2026, 9, 5, tzinfo=UTC)
_NAME = re.compile(r"^(rule|tests): *(\S+)", re.MULTILINE)


def measure(scale: Scale) -> Section:
    """Check copies of this project's rules, tests included."""
    tell(f"check: {scale.rules} rules")
    with TemporaryDirectory(prefix="touchpoint-bench-") as scratch:
        folder = Path(scratch) / "rules"
        tests = copy_rules(ROOT / "rules", folder, scale.rules)
        loads, builds = [], []
        for _ in range(scale.runs):
            read.cache_clear()  # as for a person who runs `check`
            began = process_time()
            loaded = load_dir(folder, review=AS_OF)  # rules against each other, too
            loads.append(process_time() - began)
            if loaded.ruleset is None:
                raise RulesError(loaded.errors)
            began = process_time()
            book = Rulebook(loaded.ruleset, KEY)
            builds.append(process_time() - began)
    count = len(book.compiled)
    section = Section("check", f"{count} rules and {tests} files of tests, copies of rules/")
    seconds, note = middle(loads)
    section.add("read and check", seconds, "s", note)
    section.add("read and check, each", seconds / count * 1e3, "ms per rule", "with its tests")
    seconds, note = middle(builds)
    section.add("make ready", seconds * 1e3, "ms", f"{len(book.nodes)} pattern nodes; {note}")
    return section


def copy_rules(source: Path, folder: Path, wanted: int) -> int:
    """Copy policy, catalogue and so many rules under names of their own; return the number of test files."""
    shutil.copytree(source / "catalog", folder / "catalog")
    shutil.copy(source / "policy.yaml", folder / "policy.yaml")
    rules = sorted(path for path in source.glob("*/*.yaml") if path.parent.name != "catalog")
    rules = [path for path in rules if not path.name.endswith(".test.yaml")]
    tests = 0
    for number in range(wanted):
        rule = rules[number % len(rules)]
        name = f"{rule.stem}-{number // len(rules) + 1}"
        below = folder / rule.parent.name
        below.mkdir(exist_ok=True)
        for path, suffix in ((rule, ".yaml"), (rule.with_suffix(".test.yaml"), ".test.yaml")):
            if path.exists():
                text = path.read_text(encoding="utf-8")
                text = text.replace(f"rule: {rule.stem}", f"rule: {name}")
                text = _NAME.sub(lambda found: f"{found[1]}: {name}", text)  # noqa: B023 - used at once
                text = re.sub(rf"\boffer: {re.escape(rule.stem)}\b(?!-)", f"offer: {name}", text)
                (below / f"{name}{suffix}").write_text(text, encoding="utf-8")
                tests += suffix == ".test.yaml"
    return tests
