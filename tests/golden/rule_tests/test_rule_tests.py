"""What `touchpoint test` prints about a folder with good, failing, broken and missing tests, word for word.

`TOUCHPOINT_UPDATE_GOLDEN=1` writes the answers anew: read the difference before you keep it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli.main import app

HERE = Path(__file__).parent
_TIME = re.compile(r'time="[0-9.]+"')


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOUCHPOINT_HOME_CC", raising=False)
    monkeypatch.chdir(HERE)


def compare(shown: str, name: str) -> None:
    expected = HERE / name
    if os.environ.get("TOUCHPOINT_UPDATE_GOLDEN"):
        expected.write_text(shown)
    assert shown == expected.read_text()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("failures.out", []),
        ("coverage.out", ["--coverage", "--rule", "hall-visit", "--rule", "idea"]),
        ("coverage.json", ["--coverage", "--rule", "hall-visit", "-k", "spends", "--json"]),
    ],
)
def test_what_is_printed(name: str, options: list[str]) -> None:
    result = CliRunner().invoke(app, ["test", "world", *options])
    assert result.exit_code == 1  # one file of the folder is broken
    compare(result.stdout, name)


def test_what_a_build_server_reads(tmp_path: Path) -> None:
    file = tmp_path / "report.xml"
    CliRunner().invoke(app, ["test", "world", "--junit", str(file)])
    compare(_TIME.sub('time="0"', file.read_text()), "junit.xml")
