"""The language server is pinned, named where it is missing, and got once."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.editor.server import CACHE, HERE, NAME, PINNED, REQUIRED, find_server
from tests.servers.process import NoServerError
from tests.testdata import CHECKOUT

LOCK = orjson.loads((HERE / "package-lock.json").read_bytes())


def test_every_package_is_pinned_by_version_and_hash_and_no_address_is_committed() -> None:
    packages = {path: package for path, package in LOCK["packages"].items() if path}
    assert len(packages) > 10
    assert [path for path, each in packages.items() if not each["integrity"].startswith("sha512-")] == []
    asked = orjson.loads((HERE / "package.json").read_bytes())["dependencies"]
    assert all(re.fullmatch(r"[\d.]+", version) for version in asked.values())
    assert LOCK["packages"][""]["dependencies"] == asked
    assert [name for name in PINNED if "://" in (HERE / name).read_text(encoding="utf-8")] == []


@pytest.mark.parametrize(
    ("there", "why"), [((), "no node on PATH"), (("node",), "no npm on PATH and no packages")]
)
def test_what_is_missing_is_named(tmp_path: Path, there: tuple[str, ...], why: str) -> None:
    environment = {"PATH": tools(tmp_path, *there), CACHE: str(tmp_path / "cache")}
    with pytest.raises(NoServerError, match=why):
        find_server(environment)


def test_an_npm_that_gets_nothing_is_quoted_and_leaves_nothing(tmp_path: Path) -> None:
    path = tools(tmp_path, "node")
    npm = tmp_path / "tools" / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error network is down' >&2\nexit 1\n", encoding="utf-8")
    npm.chmod(0o755)
    with pytest.raises(NoServerError, match="npm got no packages: npm error network is down"):
        find_server({"PATH": path, CACHE: str(tmp_path / "cache")})
    assert [each.name for each in (tmp_path / "cache").iterdir() if not each.name.endswith(".part")] == [
        "lock"
    ]


@pytest.mark.parametrize("required", ["0", "1"])
def test_a_missing_server_is_in_the_table_and_fails_where_it_is_required(
    tmp_path: Path, required: str
) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n0",
            "-p",
            "no:cacheprovider",
            "tests/editor/test_no_squiggle.py",
        ],
        env={"PATH": tools(tmp_path), CACHE: str(tmp_path / "cache"), REQUIRED: required},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == int(required), done.stdout + done.stderr
    assert re.search(rf"^editor +{re.escape(NAME)} +not run: no node on PATH; ", done.stdout, re.MULTILINE)
    if required == "1":
        assert f"{REQUIRED}=1: expected {NAME}, was: no node on PATH" in done.stdout


def tools(folder: Path, *names: str) -> str:
    """Make a PATH on which only these programs are."""
    path = folder / "tools"
    path.mkdir()
    for name in names:
        (path / name).write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        (path / name).chmod(0o755)
    return str(path)
