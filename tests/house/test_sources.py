"""What holds for every file of the repository."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.house.sources import files, text
from tests.testdata import CHECKOUT

LONGEST = 500
"""Lines of a source file. The median is meant to be about 150."""

# Written in pieces so that this file passes its own test.
MACHINE_PATHS = ["/wo" + "rk/", "/ro" + "ot/", "/ho" + "me/"]
REGISTRY_HOSTS = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "crates" + ".io",
    "npm" + "js.org",
    "npm" + "js.com",
    "maven.apache" + ".org",
    "repo1" + ".maven.org",
    "deb.debian" + ".org",
    "golang" + ".org",
]
UNFINISHED = ["TO" + "DO", "FIX" + "ME", "XX" + "X"]

PYTHON = [path for path in files() if path.suffix == ".py"]
MARKDOWN = [path for path in files() if path.suffix == ".md"]


def holding(words: list[str], among: list[Path]) -> list[str]:
    """Every line of these files that holds one of the words, as `file:line: word`."""
    return [
        f"{path}:{number}: {word}"
        for path in among
        for number, line in enumerate(text(path).splitlines(), 1)
        for word in words
        if word in line
    ]


def test_no_source_file_is_long() -> None:
    lengths = {str(path): len(text(path).splitlines()) for path in PYTHON}
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


def test_no_file_names_a_machine() -> None:
    assert holding(MACHINE_PATHS, list(files())) == []


def test_no_file_names_a_registry() -> None:
    assert holding(REGISTRY_HOSTS, list(files())) == []


def test_nothing_is_left_unfinished() -> None:
    assert holding(UNFINISHED, PYTHON) == []


def test_every_module_says_what_it_is() -> None:
    # The name of a test file, and the names of its tests, say it already.
    modules = [path for path in PYTHON if text(path) and not path.name.startswith("test_")]
    assert [str(path) for path in modules if not ast.get_docstring(ast.parse(text(path)))] == []


def test_every_file_ends_with_a_newline() -> None:
    assert [str(path) for path in files() if text(path) and not text(path).endswith("\n")] == []


@pytest.mark.parametrize("path", MARKDOWN, ids=str)
def test_links_between_pages_lead_somewhere(path: Path) -> None:
    links = re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", text(path))
    assert [link for link in links if not (CHECKOUT / path.parent / link).exists()] == []


def test_every_page_is_on_the_list_of_pages() -> None:
    listed = text(Path("docs/README.md"))
    pages = [
        path.relative_to("docs")
        for path in MARKDOWN
        if path.parts[0] == "docs" and path.parent.name != "problems"  # these have a list of their own
    ]
    assert [str(page) for page in pages if page.name != "README.md" and f"({page})" not in listed] == []


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [path.name[:4] for path in MARKDOWN if path.parts[:2] == ("docs", "decisions")]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
