"""Roles that are set wrongly end at once, asking no server: a sentence for each variable, exit code 2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.deployment import PROGRAM
from tests.testdata import CHECKOUT

FINE = {
    "KEY": "a key of the tests",
    "SALT": "a salt of the tests",
    "KAFKA_BOOTSTRAP": "127.0.0.1:1",  # nobody listens there: a role that asked would wait
    "REDIS_URL": "redis://127.0.0.1:1",
    "WEB_PORT": "0",
}


def ended(folder: Path, role: str, **given: str) -> list[str]:
    """Start a role that can't start; return its words."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TOUCHPOINT_")}
    settings = {f"TOUCHPOINT_{name}": value for name, value in {**FINE, **given}.items()}
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, "run", role],
        cwd=folder,
        env={**environment, **settings, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    return done.stderr.splitlines()


@pytest.mark.parametrize("role", ["dispatcher", "all"])
def test_a_folder_for_output_that_can_not_be_made(tmp_path: Path, role: str) -> None:
    (tmp_path / "landing").mkdir()
    [line] = ended(tmp_path, role, OUT="/proc/x", LANDING="landing")
    assert line.startswith("touchpoint: TOUCHPOINT_OUT: expected a folder that can be written, was '/proc/x'")


def test_an_output_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    [line] = ended(tmp_path, "dispatcher")
    assert line.startswith("touchpoint: TOUCHPOINT_OUT: expected a folder that can be written, was 'out'")


@pytest.mark.parametrize(("given", "what"), [("/etc/passwd", "is no folder"), ("gone", "does not exist")])
def test_a_landing_that_is_no_folder(tmp_path: Path, given: str, what: str) -> None:
    assert ended(tmp_path, "collector", LANDING=given) == [
        f"touchpoint: TOUCHPOINT_LANDING: expected a folder, was '{given}', which {what}"
    ]


@pytest.mark.parametrize(("role", "blocked"), [("collector", "done"), ("all", "bad")])
def test_a_landing_whose_files_can_not_be_put_away(tmp_path: Path, role: str, blocked: str) -> None:
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / blocked).write_text("")
    assert ended(tmp_path, role, LANDING="landing") == [
        "touchpoint: TOUCHPOINT_LANDING: expected a folder whose files can be moved to its done/ and bad/, "
        "was 'landing' (file exists)"
    ]
    assert [path.name for path in (tmp_path / "landing").iterdir() if path.is_file()] == [blocked]


def test_a_landing_that_can_not_be_changed(tmp_path: Path) -> None:
    [line] = ended(tmp_path, "collector", LANDING="/proc/self")  # not even root may
    assert line.startswith("touchpoint: TOUCHPOINT_LANDING: expected a folder whose files can be moved")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("/nonexist", "TOUCHPOINT_LANDING_MAP: expected a .yaml file or one of the maps"),
        ("none.yaml", "TOUCHPOINT_LANDING_MAP: none.yaml: expected a column map that can be read"),
        ("bad.yaml", "TOUCHPOINT_LANDING_MAP: bad.yaml:"),
    ],
)
def test_a_column_map_that_there_is_not(tmp_path: Path, given: str, said: str) -> None:
    (tmp_path / "landing").mkdir()
    (tmp_path / "bad.yaml").write_text("map: [\n")
    [line] = ended(tmp_path, "collector", LANDING="landing", LANDING_MAP=given)
    assert line.startswith(f"touchpoint: {said}")


def test_all_of_them_are_named_at_once(tmp_path: Path) -> None:
    said = ended(tmp_path, "all", LANDING="/etc/passwd", LANDING_MAP="/nonexist", OUT="/proc/x", KEY="short")
    named = [line.removeprefix("touchpoint: ").split(":")[0] for line in said]
    assert named == [f"TOUCHPOINT_{name}" for name in ("LANDING", "KEY", "OUT", "LANDING_MAP")]
