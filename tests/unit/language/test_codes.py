"""Codes of problems: each said once, each listed."""

from __future__ import annotations

import re
from pathlib import Path

import engine.language
from engine.language.checks.codes import ALL, GROUPS

HERE = Path(engine.language.__path__[0])


def test_every_code_is_said_once_and_every_code_in_use_is_listed() -> None:
    assert len(ALL) == sum(len(group.CHECKS) for group in GROUPS)
    used = {
        code
        for path in HERE.rglob("*.py")
        for code in re.findall(r'(?<!code=)"(R[0-9]{3})"', path.read_text())
    }
    assert used == set(ALL)
    assert all(re.fullmatch(r"R[0-7][0-9]{2}", code) for code in ALL)


def test_every_file_of_checks_with_codes_is_listed() -> None:
    listed = {Path(str(group.__file__)).stem for group in GROUPS}
    with_codes = {path.stem for path in (HERE / "checks").glob("*.py") if "CHECKS: Final" in path.read_text()}
    assert with_codes <= listed
