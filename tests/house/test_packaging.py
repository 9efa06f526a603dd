"""What the package declares, locks and ships."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from engine import __version__
from tests.house.sources import files
from tests.testdata import CHECKOUT

PYPROJECT = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(PYPROJECT)
LOCKS = ["requirements.lock", "requirements-dev.lock"]


def plain(name: str) -> str:
    """The name of a requirement, as locks spell it."""
    return re.split(r"[ \[<>=~!;]", name)[0].lower().replace("_", "-")


def locked(lock: str) -> dict[str, tuple[str, frozenset[str]]]:
    """name -> (version with its marker, hashes) of a lock."""
    packages: dict[str, tuple[str, frozenset[str]]] = {}
    for entry in re.split(r"\n(?=\S)", (CHECKOUT / lock).read_text(encoding="utf-8")):
        head = re.match(r"([\w.-]+)==([^\\\n]+)", entry)
        if head:
            packages[head[1]] = (head[2].strip(), frozenset(re.findall(r"sha256:[0-9a-f]{64}", entry)))
    return packages


def test_each_dependency_says_what_it_is_for() -> None:
    declared = PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["dev"]
    silent = [line for line in declared if not re.search(re.escape(f'"{line}"') + r", +# \w", PYPROJECT)]
    assert silent == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_is_pinned_by_hash(lock: str) -> None:
    assert [name for name, (_, hashes) in locked(lock).items() if not hashes] == []
    assert len(locked(lock)) > 20


def test_the_program_knows_the_version_of_its_package() -> None:
    assert PROJECT["project"]["version"] == __version__


def test_the_locks_hold_what_is_declared() -> None:
    runtime = {plain(line) for line in PROJECT["project"]["dependencies"]}
    assert runtime - set(locked("requirements.lock")) == set()
    dev = {plain(line) for line in PROJECT["dependency-groups"]["dev"]}
    assert dev - set(locked("requirements-dev.lock")) == set()
    # the gate tests what the extras are for
    for extra in PROJECT["project"].get("optional-dependencies", {}).values():
        assert {plain(line) for line in extra} - set(locked("requirements-dev.lock")) == set()


def test_the_dev_lock_holds_the_runtime_lock() -> None:
    # `./run` starts the program from the dev environment as it is: see `is_ready` there.
    assert locked("requirements.lock").items() <= locked("requirements-dev.lock").items()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_ships_both_packages_whole(wheel: zipfile.ZipFile) -> None:
    ours = {str(path) for path in files() if path.parts[0] in ("engine", "connectors")}
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert shipped == ours


def test_the_wheel_has_the_command_and_refuses_upload(wheel: zipfile.ZipFile) -> None:
    metadata = {
        Path(name).name: wheel.read(name).decode() for name in wheel.namelist() if ".dist-info/" in name
    }
    assert "touchpoint = engine.cli.main:main" in metadata["entry_points.txt"]
    assert "Classifier: Private :: Do Not Upload" in metadata["METADATA"]
    assert "License-Expression: Apache-2.0" in metadata["METADATA"]
