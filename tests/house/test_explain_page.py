"""`docs/rules/explain.md`: every command prints what the page shows below it."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

from tests.house.pages import blocks, commands, missing, program_arguments, run
from tests.testdata import CHECKOUT

PAGE = "docs/rules/explain.md"


def test_the_commands_print_what_is_shown_below_them(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "rules", tmp_path / "rules")
    ran = 0
    for block, below in pairwise(blocks(PAGE)):
        for words in commands(block) if block.info == "sh" else ():
            arguments = program_arguments(words)
            assert arguments is not None
            assert below.info == "text", str(block)
            done = run(arguments, tmp_path)
            assert (done.returncode, done.stderr) == (0, ""), str(block)
            assert missing(below.text, done.stdout) == [], str(below)
            ran += 1
    assert ran == 5
