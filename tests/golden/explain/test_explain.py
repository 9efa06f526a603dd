"""What `touchpoint explain` prints about three subscribers of a small world, word for word.

Anna gets an offer, Bo is refused by `who.arpu`, Cara never matched; Anna at night is held.
`TOUCHPOINT_UPDATE_GOLDEN=1` writes the answers anew: read the difference before you keep it.
"""

from __future__ import annotations

import os
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from engine.cli.main import app

HERE = Path(__file__).parent
WORLD = HERE / "world"
ANNA, BO, CARA = "460000000000011", "460000000000012", "460000000000013"
NOON = "2026-09-07 12:00"


@pytest.fixture(autouse=True)
def _demo_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KEY", "SALT", "HOME_CC"):
        monkeypatch.delenv(f"TOUCHPOINT_{name}", raising=False)


def explain(*options: str) -> str:
    files = ["--events", str(WORLD / "events.jsonl"), "--profiles", str(WORLD / "profiles.jsonl")]
    result = CliRunner().invoke(app, ["explain", "--rules", str(WORLD), *files, *options])
    assert result.exit_code == 0, result.output
    return result.stdout


def compare(shown: str, expected: Path) -> None:
    if os.environ.get("TOUCHPOINT_UPDATE_GOLDEN"):
        expected.write_text(shown)
    assert shown == expected.read_text()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("offer", ["--subscriber", ANNA, "--at", NOON]),
        ("refused-by-who", ["--subscriber", BO, "--at", NOON]),
        ("not-matched", ["--subscriber", CARA, "--at", NOON]),
        ("held", ["--subscriber", ANNA, "--rule", "mall-quiet", "--at", "2026-09-08 21:05"]),
        ("waiting", ["--subscriber", ANNA, "--rule", "hall-visit", "--at", "2026-09-07T10:00:00+08:00"]),
    ],
)
def test_what_is_printed(name: str, options: list[str]) -> None:
    compare(explain(*options), HERE / f"{name}.out")


def test_what_machines_read() -> None:
    shown = explain("--subscriber", BO, "--rule", "hall-visit", "--json")
    assert orjson.loads(shown)["rules"][0]["stopped_by"] == "who.arpu"
    compare(shown, HERE / "refused-by-who.json")
