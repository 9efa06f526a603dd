"""The files of the repository, as the tests of the house look at them."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

from tests.testdata import CHECKOUT

MADE = {"out", "dist", "__pycache__"}
"""Folders that are made, like every hidden one but `.ci`."""


@cache
def files() -> tuple[Path, ...]:
    """Every file that is or may become part of the repository, relative to the checkout.

    Asks git where there is one, else walks: the checkout may be an unpacked archive.
    """
    try:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
            cwd=CHECKOUT,
            capture_output=True,
            check=True,
        ).stdout.decode()
        names = [name for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        names = []
        for folder, below, found in os.walk(CHECKOUT):
            below[:] = [name for name in below if name == ".ci" or (name not in MADE and name[0] != ".")]
            names += [str((Path(folder) / name).relative_to(CHECKOUT)) for name in found]
    return tuple(sorted(Path(name) for name in names if (CHECKOUT / name).is_file()))


@cache
def text(path: Path) -> str:
    """The text of a file of the repository; empty for what is not text."""
    try:
        return (CHECKOUT / path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""
