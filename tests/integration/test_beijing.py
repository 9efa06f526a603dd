"""The real xDR files of Beijing through rules of their own (`tests/beijing/rules`), by the commands.

Four files of August 2015, one of them damaged. Their rows are in no order of time, within a subscriber
neither: no `--disorder` makes good what is behind its own subscriber's newest record, it only keeps ticks
from running ahead. The subscribers are hashes, so their profiles are made up.
"""

from __future__ import annotations

import gzip
import os
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.language.loader import load_dir
from tests.testdata import CHECKOUT, find

FOLDER = "data/xdr_gn_unicom_2015"
RULES = CHECKOUT / "tests" / "beijing" / "rules"
DISORDER = "14h"
"""The least whole number of hours at which ticks make under 1 % of the rows late."""

pytestmark = pytest.mark.testdata(FOLDER)


def call(*args: object) -> str:
    """Call a command that has to end well; return what it prints."""
    done = CliRunner().invoke(app, [str(arg) for arg in args], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def files() -> list[Path]:
    folder = find(FOLDER)
    assert folder is not None
    return sorted(folder.glob("*.csv.gz"))


@pytest.fixture(scope="module")
def profiles(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("profiles") / "profiles.jsonl"
    args = ("--map", "gn-unicom-2015", "--seed", 7, "--rules", RULES, "--out", out)
    call("simulate", "profiles", "--from", *files, *args)
    return out


Replay = Callable[[str, str], tuple[Path, dict[str, Any]]]


@pytest.fixture(scope="module")
def replay(files: list[Path], profiles: Path, tmp_path_factory: pytest.TempPathFactory) -> Replay:
    """Replay with a disorder into a folder of a name; returns the folder and the summary."""
    root = tmp_path_factory.mktemp("replay")

    def run(disorder: str, name: str) -> tuple[Path, dict[str, Any]]:
        out = root / name
        if not out.exists():
            args = ("--map", "gn-unicom-2015", "--profiles", profiles, "--disorder", disorder, "--out", out)
            call("replay", "--rules", RULES, "--events", *files, *args)
        return out, orjson.loads((out / "summary.json").read_bytes())

    return run


@pytest.fixture(autouse=True, scope="module")
def _no_settings_of_the_machine() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith("TOUCHPOINT_") and name != "TOUCHPOINT_TESTDATA":
                patch.delenv(name)
        yield


def test_the_rules_are_right() -> None:
    loaded = load_dir(RULES)
    assert (loaded.rule_files, loaded.problems) == (8, ())


def test_every_row_is_read_and_the_summary_balances(files: list[Path], replay: Replay) -> None:
    _, summary = replay(DISORDER, "one")
    rows = sum(gzip.decompress(file.read_bytes()).count(b"\n") for file in files)
    assert summary["read"] == rows == 31_060
    fates = ("applied", "duplicate", "late", "refused")
    assert sum(summary[fate] for fate in fates) == rows


def test_bad_rows_are_quarantined_with_reason_file_and_line(replay: Replay) -> None:
    out, summary = replay(DISORDER, "one")
    letters = [orjson.loads(line) for line in (out / "deadletters.jsonl").read_bytes().splitlines()]
    assert Counter(letter["reason"] for letter in letters) == summary["refused_by"]
    assert sum(summary["refused_by"].values()) == summary["refused"] > 0
    assert all(re.fullmatch(r"beijing_\d+\.csv\.gz:\d+", letter["position"]) for letter in letters)
    assert len({letter["position"] for letter in letters}) == len(letters)
    # the damaged file is refused row by row, whole; the others are not touched by that
    assert Counter(letter["position"].split(":")[0] for letter in letters) == {
        "beijing_20150801.csv.gz": 1000
    }


def test_there_are_offers_controls_holds_and_refusals(replay: Replay) -> None:
    _, summary = replay(DISORDER, "one")
    for outcome in ("offer", "control", "held", "shadow", "refused"):
        assert summary["decisions_by_outcome"][outcome] > 0
    assert len(summary["decisions"]) == 8
    assert len(summary["decisions_by_reason"]) >= 10
    assert "valid" not in summary["decisions_by_reason"]


def test_two_runs_write_the_same_bytes(replay: Replay) -> None:
    one, _ = replay(DISORDER, "one")
    two, _ = replay(DISORDER, "two")
    for name in ("decisions.jsonl", "summary.json", "deadletters.jsonl"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_decisions_are_sorted_and_name_nobody(profiles: Path, replay: Replay) -> None:
    out, summary = replay(DISORDER, "one")
    text = (out / "decisions.jsonl").read_text()
    decisions = [orjson.loads(line) for line in text.splitlines()]
    order = [(decision["at"], decision["id"]) for decision in decisions]
    assert order == sorted(order)
    assert len(order) == sum(summary["decisions_by_outcome"].values())
    names = {orjson.loads(line)["subscriber"] for line in profiles.read_bytes().splitlines()}
    assert not names & set(re.findall(r"[0-9A-F]{32}", text))


def test_ticks_make_few_rows_late_at_the_chosen_disorder(replay: Replay) -> None:
    _, chosen = replay(DISORDER, "one")
    _, none = replay("0", "none")
    assert chosen["lateness"]["late_by_ticks"] < chosen["read"] / 100
    assert none["lateness"]["late_by_ticks"] > none["read"] / 2
    for summary in (chosen, none):
        lateness = summary["lateness"]
        by_cause = lateness["late_by_own_order"] + lateness["late_by_ticks"]
        assert by_cause == lateness["within_patience"] + lateness["beyond_patience"] + lateness["dropped"]
        assert lateness["dropped"] == summary["late"]
