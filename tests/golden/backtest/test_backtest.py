"""What `touchpoint replay --report --against` prints and writes about a small world, word for word.

`TOUCHPOINT_UPDATE_GOLDEN=1` writes the answers anew: read the difference before you keep it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from tests.unit.backtest.world import events, profiles, write_rules
from tests.unit.cli.support import write_lines

HERE = Path(__file__).parent
_SPEED = re.compile(r"in [\d.]+ s: [\d,]+ per second")


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """What was printed, and the folder that was written."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("KEY", "SALT", "HOME_CC"):
            patched.delenv(f"TOUCHPOINT_{name}", raising=False)
        folder = tmp_path_factory.mktemp("backtest")
        patched.chdir(folder)
        changes = {"team/hall-stay.yaml": ("30m", "40m"), "team/hall-visit.yaml": ("gold, vip", "ordinary")}
        write_rules(folder / "rules")
        write_rules(folder / "live", changes)
        files = {
            "--events": write_lines(folder / "events.jsonl", events()),
            "--profiles": write_lines(folder / "profiles.jsonl", profiles()),
        }
        words = [str(word) for pair in files.items() for word in pair]
        options = ["--against", "live", "--sms-cost", "0.05", "--out", "out"]
        done = CliRunner().invoke(app, ["replay", "--rules", "rules", *words, *options])
        assert done.exit_code == 0, done.output
    return _SPEED.sub("in … s", done.stdout), folder / "out"


def compare(shown: str, name: str) -> None:
    if os.environ.get("TOUCHPOINT_UPDATE_GOLDEN"):
        (HERE / name).write_text(shown, encoding="utf-8")
    assert shown == (HERE / name).read_text(encoding="utf-8")


def test_what_is_printed(replayed: tuple[str, Path]) -> None:
    compare(replayed[0], "report.out")


@pytest.mark.parametrize("name", ["report.json", "losses.jsonl"])
def test_what_is_written(replayed: tuple[str, Path], name: str) -> None:
    compare((replayed[1] / name).read_text(encoding="utf-8"), name)
