"""docs/rules/places.md: its set is checked as the page shows, and the picture is what the command draws."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from engine.language.checks.codes import ALL
from tests.house.pages import blocks, commands, missing, program_arguments, run
from tests.house.test_docs import write
from tests.testdata import CHECKOUT

PAGE = "docs/rules/places.md"


def test_the_command_prints_and_draws_what_the_page_shows(tmp_path: Path) -> None:
    write(PAGE, tmp_path)
    ran = 0
    for block, below in pairwise(blocks(PAGE)):
        for words in commands(block) if block.info == "sh" else ():
            arguments = program_arguments(words)
            assert arguments is not None
            done = run(arguments, tmp_path)
            assert (done.returncode, done.stderr) == (0, "touchpoint: places.svg written\n")
            assert below.info == "text"
            assert missing(below.text, done.stdout) == []
            ran += 1
    assert ran == 1
    drawn = (tmp_path / "places.svg").read_text(encoding="utf-8")
    assert drawn == (CHECKOUT / "docs" / "rules" / "places.svg").read_text(encoding="utf-8")


def test_it_names_every_warning_about_places() -> None:
    page = (CHECKOUT / PAGE).read_text(encoding="utf-8")
    assert [code for code in ALL if code.startswith("R7") and f"problems/{code}.md" not in page] == []
