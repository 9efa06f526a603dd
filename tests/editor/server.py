"""yaml-language-server, the one behind the YAML plug-ins of editors: by npm, once per machine.

`package.json` and `package-lock.json` pin it and all it needs by version and hash, and name no registry.
After a change: `npm install --package-lock-only` here, then take the `funding` entries out: addresses.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import orjson
import pytest

from tests.closing_table import stand_on
from tests.servers.process import NoServerError
from tests.testdata import CHECKOUT

HERE = Path(__file__).parent
PINNED = ("package.json", "package-lock.json", ".npmrc")
CACHE = "TOUCHPOINT_EDITOR_CACHE"
"""Variable that names the folder of the packages, default `.cache/editor` of the checkout."""
REQUIRED = "REQUIRE_REAL_EDITOR"
"""Variable that makes a missing language server a failure."""
VERSION: str = orjson.loads((HERE / "package.json").read_bytes())["dependencies"]["yaml-language-server"]
NAME = f"yaml-language-server {VERSION}"
PROGRAM = "node_modules/yaml-language-server/bin/yaml-language-server"


@dataclass(frozen=True, slots=True)
class FoundServer:
    """A language server that can be started by `command`; `how` it was found."""

    command: tuple[str, ...]
    how: str


def find_server(environment: Mapping[str, str] = os.environ) -> FoundServer:
    """Look for Node and the packages, which npm gets if the cache has none.

    Raises NoServerError where Node or npm is missing or npm cannot get them.
    """
    path = environment.get("PATH", "")
    if (node := shutil.which("node", path=path)) is None:
        raise NoServerError("no node on PATH")
    cache = Path(environment.get(CACHE) or CHECKOUT / ".cache" / "editor")
    folder = cache / f"{VERSION}-{_hash()}"
    if not folder.exists():
        if (npm := shutil.which("npm", path=path)) is None:
            raise NoServerError(f"no npm on PATH and no packages in {cache}")
        _fill(folder, npm)
    return FoundServer((node, str(folder / PROGRAM), "--stdio"), f"packages in {cache}")


def note_server(item: pytest.Item) -> FoundServer:
    """Note that `item` stands on the language server; skip or fail the test where there is none."""
    try:
        found = find_server()
    except NoServerError as error:
        stand_on(item, "editor", NAME, "", str(error))
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{REQUIRED}=1: expected {NAME}, was: {error}", pytrace=False)
        pytest.skip(f"no {NAME}: {error}")
    stand_on(item, "editor", NAME, found.how)
    return found


def _hash() -> str:
    """Name the pinned packages: another lock is another folder."""
    return blake2b(b"".join((HERE / name).read_bytes() for name in PINNED), digest_size=4).hexdigest()


def _fill(folder: Path, npm: str) -> None:
    """Have npm get the packages; the folder appears when it is complete."""
    cache = folder.parent
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return
        part = cache / f"{folder.name}.part"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir()
        for name in PINNED:
            shutil.copy(HERE / name, part)
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=part, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not (part / PROGRAM).is_file():
            said = [line for line in done.stderr.splitlines() if line.strip()]
            raise NoServerError(f"npm got no packages: {said[0][:200] if said else done.returncode}")
        part.rename(folder)
