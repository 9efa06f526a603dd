"""The page about stories shows what the commands print, letter by letter; `…` stands for what is left out."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

from tests.house.pages import blocks, commands, program_arguments, run
from tests.testdata import CHECKOUT

PAGE = "docs/rules/story.md"


def test_the_page_shows_what_is_printed(tmp_path: Path) -> None:
    shutil.copytree(CHECKOUT / "rules", tmp_path / "rules")
    for block in blocks(PAGE):
        if block.file:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
    compared = 0
    for block, below in pairwise(blocks(PAGE)):
        if block.info != "sh":
            continue
        printed = ""
        for words in commands(block):
            arguments = program_arguments(words)
            assert arguments is not None
            done = run(arguments, tmp_path)
            assert done.returncode == 0, done.stderr
            printed = done.stdout
        shown, _, rest = below.text.partition("…\n")
        assert below.info == "text"
        assert rest == ""
        assert printed.startswith(shown.rstrip("\n"))
        assert "…" in below.text or printed.rstrip("\n") == shown.rstrip("\n")
        compared += 1
    assert compared == 3
