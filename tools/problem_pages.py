"""Write `docs/rules/problems/`: a page for each code of a problem, and the list of them.

    python -m tools.problem_pages

What the pages say comes from the checks themselves, what `check` says about an example from running it. A
test holds the committed pages against `pages()`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from engine.language.checks.code import Check
from engine.language.checks.codes import ALL, GROUPS
from engine.settings import CHECKOUT
from tools.problem_examples import run

FOLDER: Final = CHECKOUT / "docs" / "rules" / "problems"
INDEX: Final = "README.md"
TITLES: Final[dict[str, str]] = {
    "R0": "The file",
    "R1": "Its shape",
    "R2": "Names and values",
    "R3": "The offer",
    "R4": "The house rules",
    "R5": "Rules together",
    "R6": "Tests",
    "R7": "Places on the map",
}
"""First two characters of a code -> what these problems are about."""

_HEAD: Final = """# Problems

Everything that `touchpoint check` can find, each with an example and what to do. An error keeps the rules
from running, a warning does not (`--strict` makes it count). What is only worth a look is found by
`touchpoint places check`.
"""
_MADE: Final = "This page is generated (`python -m tools.problem_pages`): change {}, not the page.\n"


def pages() -> dict[str, str]:
    """Return file name -> text."""
    made = {INDEX: _index()}
    for group in GROUPS:
        source = f"`engine/language/checks/{Path(str(group.__file__)).name}`"
        for check in group.CHECKS:
            made[f"{check.code}.md"] = _page(check, source)
    return made


def _index() -> str:
    lines = [_HEAD]
    for start, title in TITLES.items():
        rows = [
            f"| [{check.code}]({check.code}.md) | {check.meaning} | {_level(check)} |"
            for code, check in ALL.items()
            if code.startswith(start)
        ]
        lines.append(f"\n## {title}\n\n| code | means | is |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    return "".join(lines) + "\n" + _MADE.format("the checks in `engine/language/checks/`")


def _level(check: Check) -> str:
    return check.level if check.command == "check" else f"{check.level} of `{check.command}`"


def _page(check: Check, source: str) -> str:
    found_by = check.command
    reports = [found.shown.pretty() for found in run(check.bad, found_by) if found.line is not None]
    sort = "A warning: the rules run."
    if check.command != "check":
        sort = f"A warning of `touchpoint {check.command}`: the rules run."
    if check.level == "error":
        sort = "An error: " + ("the test does not run." if check.code[:2] == "R6" else "no rule runs.")
    blocks = [
        f"# {check.code}: {check.meaning}\n\n{sort} [All problems](README.md).\n",
        f"```yaml\n{check.bad}```\n",
        "```text\n" + "\n\n".join(reports) + "\n```\n",
        f"## What to do\n\n{check.advice}",
        f"```yaml\n{check.good}```\n",
        _MADE.format(source),
    ]
    return "\n".join(blocks)


def write() -> None:
    """Write all pages, and delete those of codes that are no more."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = pages()
    for old in FOLDER.glob("*.md"):
        if old.name not in made:
            old.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
