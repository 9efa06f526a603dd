"""A replay of the small world, and of a small city, with a report."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import Result

from tests.unit.backtest.world import events, profiles
from tests.unit.cli.conftest import _no_settings_of_the_machine, touchpoint
from tests.unit.cli.support import Touchpoint, write_lines

__all__ = ["_no_settings_of_the_machine", "touchpoint"]
"""The fixtures of the commands serve here, too."""

Replayed = Callable[..., Result]


@pytest.fixture
def replay(touchpoint: Touchpoint, tmp_path: Path) -> Replayed:
    """Replay the world's events, or those given, by a folder of rules into `tmp_path / OUT`."""

    def call(
        rules: Path, out: str, *options: object, lines: Iterable[dict[str, Any]] | None = None
    ) -> Result:
        inputs = (
            *("--events", write_lines(tmp_path / "events.jsonl", events() if lines is None else lines)),
            *("--profiles", write_lines(tmp_path / "profiles.jsonl", profiles())),
        )
        return touchpoint("replay", "--rules", rules, *inputs, "--out", tmp_path / out, *options)

    return call


def read_report(folder: Path) -> dict[str, Any]:
    """Read `report.json`."""
    found: dict[str, Any] = orjson.loads((folder / "report.json").read_bytes())
    return found


def by_rule(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the rules of a report by name."""
    return {rule["rule"]: rule for rule in report["rules"]}
