"""One case as text, run against the examples' rules."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent

from engine.language.folders import read_folder
from engine.language.loader import load_texts
from engine.rule_tests.runner import CaseResult, run_case

EXAMPLES = Path(__file__).parents[2] / "examples" / "rules"
TEXTS = {path: text for path, text in read_folder(EXAMPLES).texts.items() if ".test." not in path}

MALL = "given: {arpu: 80 yuan, rfm: 222, tags: []}\nstarts: 2026-09-05 14:00\n"
"""A subscriber that `mall-dwell` would take: 30 minutes in a mall."""
CALLS = "given: {network.months: 30, arpu: 120 yuan, tags: []}\nstarts: 2026-09-05 10:00\n"
"""One that `competitor-calls` would take: three calls of over 30 s in 48 h."""


def run(rule: str, head: str, case: str, **changed: str) -> CaseResult:
    """Run one case; `changed`: words of the rule's file to replace."""
    folder = next(path for path in TEXTS if path.endswith(f"/{rule}.yaml"))
    text = TEXTS[folder]
    for old, new in changed.items():
        assert old in text
        text = text.replace(old, new)
    body = f"tests: {rule}\n{head}cases:\n  - case: it\n{indent(case, '    ')}"
    loaded = load_texts({**TEXTS, folder: text, folder.replace(".yaml", ".test.yaml"): body})
    assert loaded.errors == (), "\n".join(problem.pretty() for problem in loaded.errors)
    assert loaded.ruleset is not None
    (file,) = loaded.tests
    (only,) = file.cases
    return run_case(loaded.ruleset, rule, only)


def problems(rule: str, head: str, case: str, **changed: str) -> tuple[str, ...]:
    """Return what is wrong with a case; nothing if it passes."""
    return run(rule, head, case, **changed).verdict.problems
