"""docs/doors/loads.md: its lists and maps are files, and the commands print what it shows."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from connectors.loads.load_map import OF_KIND, Column, Csv, FileMap, LoadMap, Postgres
from connectors.loads.values import UNITS
from engine.language.loader import load_names
from tests.house.pages import blocks, commands, missing, program_arguments, run
from tests.testdata import CHECKOUT

PAGE = "docs/doors/loads.md"
TEXT = (CHECKOUT / PAGE).read_text(encoding="utf-8")
RULES = CHECKOUT / "rules"


def write(folder: Path) -> list[Path]:
    """Write the page's files; return the maps that are right."""
    for name, text in re.findall(r"^`(\S+\.csv)`:\n\n```csv\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL):
        (folder / name).write_text(text, encoding="utf-8")
    maps = [block for block in blocks(PAGE) if block.info.startswith("yml")]
    for block in maps:
        (folder / block.file).write_text(block.body, encoding="utf-8")
    return [folder / block.file for block in maps if block.info == "yml"]


def test_the_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    write(tmp_path)
    checked = 0
    for block, below in pairwise(blocks(PAGE)):
        for words in commands(block) if block.info == "sh" else ():
            arguments = program_arguments(words)
            assert arguments is not None
            assert below.info == "text", str(block)
            done = run(arguments, tmp_path)
            assert done.returncode == (2 if "wrong.yaml" in arguments else 1), done.stderr
            assert missing(below.text, done.stdout + done.stderr) == [], str(below)
            checked += 1
    assert checked == 2


def test_the_maps_of_the_page_are_maps(tmp_path: Path) -> None:
    fields = load_names(RULES).names.catalog.fields
    found = [FileMap(path, kind, fields) for path in write(tmp_path) if (kind := _kind(path))]
    assert [file_map.model.load for file_map in found] == ["profiles", "profiles", "optouts"]


def test_complaints_are_checked_as_the_page_says(tmp_path: Path) -> None:
    write(tmp_path)
    done = run(["load", "complaints", "complaints.csv", "--dry-run"], tmp_path)
    assert done.returncode == 1
    assert "complaints.csv:3" in done.stdout


def test_the_page_names_every_key_and_every_unit() -> None:
    keys = {*LoadMap.model_fields, *Column.model_fields, *Csv.model_fields, *Postgres.model_fields, *OF_KIND}
    units = {unit for units in UNITS.values() for unit in units}
    named = set(re.findall(r"[\w%]+", " ".join(re.findall(r"`([^`\n]+)`", TEXT))))
    assert keys - named == set()
    assert units - named == set()


def _kind(path: Path) -> str:
    found = re.search(r"^load: (\w+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""
