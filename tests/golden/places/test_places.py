"""What `touchpoint places check` says of the example with places on the map, word for word.

`TOUCHPOINT_UPDATE_GOLDEN=1` writes the answers anew: read the difference before you keep it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from tests.testdata import CHECKOUT

HERE = Path(__file__).parent


def compare(shown: str, name: str) -> None:
    if os.environ.get("TOUCHPOINT_UPDATE_GOLDEN"):
        (HERE / name).write_text(shown, encoding="utf-8")
    assert shown == (HERE / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(("words", "name"), [((), "check.out"), (("--json",), "check.json")])
def test_the_example(words: tuple[str, ...], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CHECKOUT)
    done = CliRunner().invoke(app, ["places", "check", "tests/examples/places", *words])
    assert done.exit_code == 0
    compare(done.stdout, name)
