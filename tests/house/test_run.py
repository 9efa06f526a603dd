"""`./run` on a machine of its own: a copy of the script, a uv that installs nothing, a program that echoes.

Nothing here needs a network: what the locks hold is installed by whoever runs the tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.testdata import CHECKOUT

PROGRAM = """
import os, sys
def main():
    print("|".join([*sys.argv, os.getcwd()]))
    return 7
"""

UV = """#!/bin/sh
echo "$@" >>"$UV_LOG"
if [ "$1" = venv ]; then
    for folder in "$@"; do :; done
    exec "$BASE_PYTHON" -m venv --without-pip "$folder"
fi
"""


@dataclass
class Machine:
    """A checkout in `folder` (its name has a space) and the few tools of a bare system."""

    folder: Path
    log: Path
    tools: Path

    def start(
        self, *words: str, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Start `./run` without HOME, terminal or input."""
        base = getattr(sys, "_base_executable", sys.executable)
        paths = {"PATH": str(self.tools), "UV_LOG": str(self.log), "BASE_PYTHON": base}
        return subprocess.run(
            ["/bin/sh", str(self.folder / "run"), *words],
            env={**paths, "CI": "true", **environment},
            cwd=cwd or self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def installs(self) -> list[str]:
        """The locks installed so far, in order."""
        lines = self.log.read_text(encoding="utf-8").splitlines() if self.log.exists() else []
        return [line.rsplit("/", 1)[1] for line in lines if line.startswith("pip sync")]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    folder = tmp_path / "check out"
    (folder / "engine" / "cli").mkdir(parents=True)
    (folder / "engine" / "cli" / "main.py").write_text(PROGRAM, encoding="utf-8")
    for name in ("run", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(CHECKOUT / name, folder)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("basename", "cat", "cksum", "date", "dirname", "mkdir", "readlink", "rm", "sh", "sleep"):
        (tools / name).symlink_to(shutil.which(name) or name)
    (tools / "python3").symlink_to(getattr(sys, "_base_executable", sys.executable))
    (tools / "uv").write_text(UV, encoding="utf-8")
    (tools / "uv").chmod(0o755)
    return Machine(folder, tmp_path / "uv.log", tools)


def test_the_first_start_sets_up_and_the_second_does_not(machine: Machine) -> None:
    first = machine.start("touchpoint", "check", "a b")
    assert (first.returncode, first.stdout) == (7, f"touchpoint|check|a b|{machine.folder}\n")
    assert "setting up" in first.stderr
    began = time.perf_counter()
    second = machine.start("touchpoint", "check", "a b")
    took = time.perf_counter() - began
    assert (second.returncode, second.stdout, second.stderr) == (7, first.stdout, "")
    assert machine.installs() == ["requirements.lock"]
    assert took < 3, "a second start must not set up again; 0.05 s on an idle machine"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "touchpoint|run"),
        (("--for", "20s"), "touchpoint|run|--for|20s"),
        (("run", "--for", "20s"), "touchpoint|run|--for|20s"),
        (("touchpoint",), "touchpoint"),
        (("touchpoint", "run", "--help"), "touchpoint|run|--help"),
    ],
)
def test_words_reach_the_program_where_the_user_stands(
    machine: Machine, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    # A folder of the user's own that is called like a package of ours.
    (elsewhere / "engine").mkdir(parents=True)
    (elsewhere / "engine" / "__init__.py").write_text("raise SystemExit('not this one')", encoding="utf-8")
    assert machine.start(*words, cwd=elsewhere).stdout == f"{said}|{elsewhere}\n"


def test_tests_need_the_dev_lock_and_the_program_is_content_with_it(machine: Machine) -> None:
    machine.start()
    machine.start("test", "--version")
    machine.start()
    machine.start("lint")
    assert machine.installs() == ["requirements.lock", "requirements-dev.lock"]


def test_another_lock_or_another_folder_sets_up_again(machine: Machine) -> None:
    machine.start()
    with (machine.folder / "requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("# changed\n")
    machine.start()
    assert len(machine.installs()) == 2
    moved = machine.folder.with_name("moved")
    machine.folder.rename(moved)
    machine.folder = moved
    assert machine.start().returncode == 7
    assert len(machine.installs()) == 3


def test_an_interrupted_set_up_is_done_again(machine: Machine) -> None:
    (machine.tools / "uv").write_text(UV + "exit 1\n", encoding="utf-8")
    broken = machine.start()
    assert broken.returncode == 3
    assert "packages could not be installed" in broken.stderr
    (machine.tools / "uv").write_text(UV, encoding="utf-8")
    assert machine.start().returncode == 7


def test_two_first_starts_at_once_set_up_once(machine: Machine) -> None:
    environment = {"PATH": str(machine.tools), "UV_LOG": str(machine.log), "BASE_PYTHON": sys.executable}
    command = ["/bin/sh", str(machine.folder / "run")]
    both = [
        subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert [one.wait(60) for one in both] == [7, 7]
    assert len(machine.installs()) == 1


def test_a_guard_left_by_a_killed_start_is_taken_over(machine: Machine) -> None:
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    (machine.folder / ".venv.setup").mkdir()
    (machine.folder / ".venv.setup" / "pid").write_text(f"{gone.pid}\n", encoding="utf-8")
    assert machine.start().returncode == 7
    assert not (machine.folder / ".venv.setup").exists()


def test_without_python_one_line_says_what_is_expected(machine: Machine) -> None:
    (machine.tools / "python3").unlink()
    (machine.tools / "uv").unlink()
    done = machine.start()
    assert done.returncode == 3
    assert (
        done.stderr
        == "touchpoint: expected Python 3.11 or newer as python3 (or $PYTHON), was none: install it\n"
    )


def test_without_uv_venv_and_pip_one_line_says_what_to_install(machine: Machine) -> None:
    (machine.tools / "uv").unlink()
    (machine.tools / "python3").unlink()
    # A python that answers as Debian's does without python3-venv and python3-pip.
    (machine.tools / "python3").write_text(
        '#!/bin/sh\ncase "$*" in *version_info*) exit 0 ;; *) exit 1 ;; esac\n', encoding="utf-8"
    )
    (machine.tools / "python3").chmod(0o755)
    done = machine.start()
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 1
    assert "install python3-venv" in done.stderr


def test_an_unknown_command_is_named(machine: Machine) -> None:
    done = machine.start("tset")
    assert done.returncode == 2
    assert "was 'tset'" in done.stderr
    assert machine.installs() == []


def test_help_needs_no_set_up(machine: Machine) -> None:
    for word in ("help", "--help", "-h"):
        done = machine.start(word)
        assert done.returncode == 0
        assert "./run test" in done.stdout
    assert machine.installs() == []


def test_ci_brings_what_a_bare_debian_lacks_and_runs_the_gate(machine: Machine, tmp_path: Path) -> None:
    (machine.folder / ".ci").mkdir()
    shutil.copy(CHECKOUT / ".ci" / "run", machine.folder / ".ci")
    calls = tmp_path / "calls.log"
    for name, does in {
        "python3": "exit 1",
        "id": "echo 0",
        "apt-get": f'echo "apt-get $*" >>"{calls}"',
    }.items():
        (machine.tools / name).unlink(missing_ok=True)
        (machine.tools / name).write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
        (machine.tools / name).chmod(0o755)
    (machine.tools / "uv").unlink()
    required = "REQUIRE_REAL_KAFKA=$REQUIRE_REAL_KAFKA REQUIRE_REAL_EDITOR=$REQUIRE_REAL_EDITOR"
    gate = f'echo "run $* with {required}" >>"{calls}"'
    (machine.folder / "run").write_text(f"#!/bin/sh\n{gate}\nexit 5\n", encoding="utf-8")
    script = [shutil.which("bash") or "bash", str(machine.folder / ".ci" / "run")]
    done = subprocess.run(script, env={"PATH": str(machine.tools)}, cwd=tmp_path, check=False)
    assert done.returncode == 5
    update, install, again, java, gate = calls.read_text(encoding="utf-8").splitlines()
    assert update.endswith("update")
    assert install.endswith("python3-venv")
    assert again.endswith("update")
    assert java.endswith("default-jre-headless maven nodejs npm")
    assert gate == "run test with REQUIRE_REAL_KAFKA=1 REQUIRE_REAL_EDITOR=1"


@pytest.mark.parametrize("script", ["run", ".ci/run"])
def test_the_scripts_can_be_executed(script: str) -> None:
    assert os.access(CHECKOUT / script, os.X_OK)


# -- the compiled core ---------------------------------------------------------------------------------------

COMPILED = PROGRAM.replace('"|".join(', '"compiled|" + "|".join(')


def with_core(machine: Machine, stamp: str) -> None:
    """Put a compiled program into a machine that is set up; `stamp`: what it says it was made of."""
    for name in ("find", "sort", "xargs"):
        (machine.tools / name).symlink_to(shutil.which(name) or name)
    (machine.folder / "connectors").mkdir(exist_ok=True)
    machine.start()
    core = machine.folder / ".venv" / "compiled"
    (core / "engine" / "cli").mkdir(parents=True)
    (core / "engine" / "cli" / "main.py").write_text(COMPILED, encoding="utf-8")
    (core / "stamp").write_text(stamp, encoding="utf-8")


def stamp_of(machine: Machine) -> str:
    """What `core_stamp` of the script prints."""
    script = (
        "cd \"$0\" && find engine connectors -type f ! -name '*.pyc' | LC_ALL=C sort | xargs cat | cksum;"
        ' readlink -f "$0/.venv/bin/python"'
    )
    return subprocess.run(
        ["sh", "-c", script, str(machine.folder)], capture_output=True, text=True, check=True
    ).stdout


def test_a_compiled_core_of_these_sources_runs_and_replays(machine: Machine) -> None:
    with_core(machine, "")
    (machine.folder / ".venv" / "compiled" / "stamp").write_text(stamp_of(machine), encoding="utf-8")
    assert machine.start("--for", "1s").stdout.startswith("compiled|touchpoint|run")
    assert machine.start("touchpoint", "replay").stdout.startswith("compiled|touchpoint|replay")
    # these watch patterns by replacing methods
    assert machine.start("touchpoint", "explain").stdout.startswith("touchpoint|explain")


def test_one_of_other_sources_does_not_and_it_is_said(machine: Machine) -> None:
    with_core(machine, "123 456\n")
    done = machine.start("--for", "1s")
    assert done.stdout.startswith("touchpoint|run")
    assert "of other sources and not used" in done.stderr
