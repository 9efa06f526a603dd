"""Without a treatment, `replay` decides as it did before feeds, treatments and places on the map were built.

The golden was taken from version 1bd35d9 (26 November 2026). Its `touchpoint simulate --subscribers 75
--hours 6 --seed 4 --lively` made events and profiles: canonical JSON, with doubles and late records. Its own
sets of rules are in `rules.json.gz`: `rules`, and `tests/examples/rules`. Its `touchpoint replay --disorder
5m`, with the settings that nobody changed, wrote what `golden.json` holds: the hash of decisions.jsonl, and
summary.json. So neither the simulator nor the rules of today take part. It is not to be made anew from
today's program: a difference means that decisions on recorded events have changed. If that is meant, say so
here, with the version that the new golden is from.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.cli.main import app

HERE = Path(__file__).parent
GOLDEN: dict[str, Any] = json.loads((HERE / "golden.json").read_text(encoding="utf-8"))


def unpacked(name: str) -> bytes:
    return gzip.decompress((HERE / name).read_bytes())


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that nobody changed."""
    for name in os.environ:
        if name.startswith("TOUCHPOINT_"):
            monkeypatch.delenv(name)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("name", list(GOLDEN))
def test_every_decision_is_what_it_was(name: str, tmp_path: Path) -> None:
    for path, text in json.loads(unpacked("rules.json.gz"))[name].items():
        file = tmp_path / "rules" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (tmp_path / "profiles.jsonl").write_bytes(unpacked("profiles.jsonl.gz"))
    arguments = ["--rules", tmp_path / "rules", "--events", HERE / "events.jsonl.gz", "--disorder", "5m"]
    arguments += ["--profiles", tmp_path / "profiles.jsonl", "--out", tmp_path / "out"]
    done = CliRunner().invoke(app, ["replay", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    # first what tells most
    assert json.loads((tmp_path / "out" / "summary.json").read_bytes()) == GOLDEN[name]["summary"]
    decisions = (tmp_path / "out" / "decisions.jsonl").read_bytes()
    assert hashlib.sha256(decisions).hexdigest() == GOLDEN[name]["decisions.jsonl"]


def test_the_golden_says_something() -> None:
    for golden in GOLDEN.values():
        summary = golden["summary"]
        assert summary["duplicate"]
        assert summary["late"]
    fates = {fate for each in GOLDEN["rules"]["summary"]["decisions"].values() for fate in each}
    assert fates >= {"offer", "held", "control", "refused:arbitration", "refused:limits.at_most"}
    assert len(GOLDEN["rules"]["summary"]["decisions"]) > 15
