"""Commands called as a user calls them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from engine.cli.main import app
from tests.unit.cli.support import FILES, Touchpoint


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("TOUCHPOINT_"):
            monkeypatch.delenv(name)


@pytest.fixture
def touchpoint() -> Touchpoint:
    """Call `touchpoint ARGS…`; the result has `exit_code`, `stdout` and `stderr`."""

    def call(*args: object) -> Result:
        result = CliRunner().invoke(app, [str(arg) for arg in args], prog_name="touchpoint")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """A folder of one rule: gold and vip customers who come to the hall."""
    folder = tmp_path / "rules"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
