"""The entry: quick, every command there, a mistake is a message and an exit code."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.cli.main import COMMANDS, load
from tests.testdata import CHECKOUT
from tests.unit.cli.support import Touchpoint

PROGRAM = [sys.executable, "-c", "from engine.cli.main import main; main()"]


def test_help_names_every_command_and_the_exit_codes(touchpoint: Touchpoint) -> None:
    shown = touchpoint("--help")
    assert shown.exit_code == 0
    assert [name for name in COMMANDS if name not in shown.stdout] == []
    assert "Exit codes" in shown.stdout


def test_help_imports_no_command_and_none_of_their_libraries() -> None:
    code = (
        "import sys; from engine.cli.main import main; sys.argv = ['touchpoint', '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = ('connectors', 'pydantic', 'orjson', 'yaml', 'engine.pipeline', 'engine.cli.replay')\n"
        "assert not [name for name in heavy if name in sys.modules]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there_and_explains_itself(touchpoint: Touchpoint, name: str) -> None:
    shown = touchpoint(*name.split(), "--help")
    assert shown.exit_code == 0
    assert f"touchpoint {name}" in shown.stdout
    assert load(name).help


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["chekc"], "chekc"),
        (["check"], "PATH"),
        (["schema", "logs"], "logs"),
        (["replay", "--rules"], "--rules"),
        (["simulate", "profiles", "--from", "f", "--out", "o", "--seed", "many"], "--seed"),
    ],
)
def test_a_wrong_argument_is_named_and_exits_with_2(
    touchpoint: Touchpoint, args: list[str], said: str
) -> None:
    failed = touchpoint(*args)
    assert failed.exit_code == 2
    assert said in failed.stderr


def test_a_wrong_setting_is_a_message(touchpoint: Touchpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHPOINT_HOME_CC", "+86")
    failed = touchpoint("check", ".")
    assert failed.exit_code == 2
    assert "TOUCHPOINT_HOME_CC" in failed.stderr
    assert failed.stdout == ""


def test_a_reader_that_goes_away_is_no_error_to_see() -> None:
    with subprocess.Popen(
        [*PROGRAM, "schema", "log"], cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
        assert (process.wait(30), said) == (141, b"")


def test_ctrl_c_ends_with_130_and_no_traceback(tmp_path: Path) -> None:
    args = [
        "simulate",
        "--seed",
        "1",
        "--subscribers",
        "20000",
        "--hours",
        "48",
        "--out",
        str(tmp_path / "out"),
    ]

    def listen() -> None:
        """Take Ctrl-C in also where whoever runs these tests ignores it, as a shell's background does."""
        signal.signal(signal.SIGINT, signal.default_int_handler)

    with subprocess.Popen(
        [*PROGRAM, *args], cwd=CHECKOUT, stderr=subprocess.PIPE, preexec_fn=listen
    ) as process:
        until = time.monotonic() + 60
        while not (tmp_path / "out").exists() and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        said = process.stderr.read()
        assert process.wait(30) == 130
        assert b"Traceback" not in said


@pytest.mark.parametrize("out", ["/proc/none", "README.md"])
def test_run_says_which_folder_it_cannot_write(touchpoint: Touchpoint, out: str) -> None:
    folder = out if out.startswith("/") else str(CHECKOUT / out)
    done = touchpoint("run", "--for", "1s", "--out", folder)
    assert done.exit_code == 2
    assert f"{folder}: expected a folder for output that can be written" in done.stderr


def test_a_reader_of_the_demo_who_goes_away_ends_it_with_141(tmp_path: Path) -> None:
    words = ["run", "--for", "20s", "--subscribers", "600", "--speed", "0", "--out", str(tmp_path)]
    with subprocess.Popen(
        [*PROGRAM, *words], cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as run:
        assert run.stdout is not None
        run.stdout.readline()
        run.stdout.close()
        assert run.wait(timeout=60) == 141
