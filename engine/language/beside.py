"""What the rules around a file have against it: a rule checked alone collides with nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from engine.language.folders import read_folder
from engine.language.loader import load_dir
from engine.language.problems import Problem

AMONG: Final = ("R501", "R502", "R503", "R504", "R505", "R506")
"""Findings across rules."""


def beside(path: Path, *, home_cc: str, review: datetime) -> list[Problem] | None:
    """Return what is found across rules where a file, or a folder, of a set has a part in it.

    Also what stands at another file and names a rule of these: that one may be right, and never sent any
    more. None if `path` is a whole set itself. Problems name files as `path` does. Raises `InputError` if
    there is no such folder or file.
    """
    ours = read_folder(path)
    if ours.whole:
        return None
    shown = {Path(name).resolve(): name for name in ours.shown.values()}
    around = load_dir(ours.approvals.parent, home_cc=home_cc, review=review)
    rules = [f"`{file.stem}`" for file in shown]
    found = []
    for problem in around.problems:
        file = Path(problem.path).resolve()
        if problem.code in AMONG and (file in shown or any(name in problem.message for name in rules)):
            found.append(replace(problem, path=shown.get(file, problem.path)))
    return found
