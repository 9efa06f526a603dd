"""What `touchpoint map check` says of the examples of the pages about maps, word for word.

`TOUCHPOINT_UPDATE_GOLDEN=1` writes the answers anew: read the difference before you keep it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from tests.house.pages import Block, blocks, commands, missing, program_arguments

HERE = Path(__file__).parent
COLUMNS, PATHS = "docs/doors/maps.md", "docs/doors/topics.md"


def compare(shown: str, name: str) -> None:
    if os.environ.get("TOUCHPOINT_UPDATE_GOLDEN"):
        (HERE / name).write_text(shown, encoding="utf-8")
    assert shown == (HERE / name).read_text(encoding="utf-8")


def called(*words: str, code: int = 1) -> str:
    done = CliRunner().invoke(app, ["map", "check", *words])
    assert done.exit_code == code, done.output
    assert done.stderr == ""
    return done.stdout


def files(page: str, folder: Path) -> tuple[Block, Block]:
    """Write the map and the sample of a page; return its command and what it shows of the answer."""
    found = blocks(page)
    at = next(place for place, block in enumerate(found) if "map check" in block.text)
    if page == COLUMNS:
        (folder / "province.yaml").write_text(found[0].text, encoding="utf-8")
        (folder / "rows.txt").write_text(found[1].text, encoding="utf-8")
    else:
        which = next(place for place, block in enumerate(found) if block.file == "probe.yaml")
        (folder / "probe.yaml").write_text(found[which].text, encoding="utf-8")
        message = orjson.dumps(orjson.loads(found[which + 1].text))
        (folder / "sample.jsonl").write_bytes(message + b"\n")
    return found[at], found[at + 1]


@pytest.mark.parametrize(("page", "name"), [(COLUMNS, "columns"), (PATHS, "paths")])
def test_the_examples_of_the_pages(
    page: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, shown = files(page, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    [words] = commands(command)
    arguments = program_arguments(words)
    assert arguments is not None
    assert arguments[:2] == ["map", "check"]
    assert missing(shown.text, called(*arguments[2:])) == []
    compare(called(*arguments[2:4]), f"{name}.out")
    compare(called(*arguments[2:4], "--json"), f"{name}.json")


def test_mistakes_of_a_field_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files(PATHS, tmp_path)
    monkeypatch.chdir(tmp_path)
    path = Path("probe.yaml")
    text = path.read_text(encoding="utf-8")
    for good, bad in (
        ("epoch ms", "epochs"),
        ("loc.tac", "loc..tac"),
        ("otherwise: skip", "otherwise: slip"),
        ("duration:", "durations:"),
    ):
        assert good in text
        text = text.replace(good, bad, 1)
    path.write_text(text, encoding="utf-8")
    told = called("probe.yaml", "sample.jsonl")
    assert all(
        re.match(r"probe\.yaml:\d+:\d+: \S+: expected .*, was ", line) for line in told.splitlines()[:-1]
    )
    compare(told, "mistakes.out")
