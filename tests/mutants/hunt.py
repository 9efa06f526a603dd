"""Look for what catches a planted fault: run in a copy of the tree, by `tests.mutants.runner`.

Reads an order (JSON) from stdin: `{"known", "focus", "limit", "tests": [[file, …], [file, …]]}`. Tried in
turn: the known seeds; the first group of test files; seeds from 0 on, `limit` of them, shared out over the
foci and cases of none; the second group. Prints the catch (JSON): `{"by": …, "detail": …, "focus", "seed"}`
(focus and seed only of a seed), or `null`.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any

import engine
from tests.differential.compare import case_of, difference

Json = dict[str, Any]

HANGS = 20
"""Seconds after which a case hangs (it takes about 0.01)."""
TEST_HANGS = 120


def seeds_of(order: Json) -> Iterator[tuple[str | None, int]]:
    """Yield (focus, seed): one for each focus in turn, and one for none."""
    foci = [*order["focus"], None]

    def every() -> Iterator[tuple[str | None, int]]:
        seed = 0
        while True:
            for focus in foci:
                yield focus, seed
            seed += 1

    return islice(every(), order["limit"])


def try_seed(focus: str | None, seed: int) -> Json | None:
    """Compare one case; a case that hangs is a catch, too."""
    signal.alarm(HANGS)
    try:
        found = difference(case_of(seed, focus))
    except TimeoutError as error:
        found = str(error)
    finally:
        signal.alarm(0)
    if found is None:
        return None
    by = f"seed {seed}{f' of {focus}' if focus else ''}"
    return {"by": by, "detail": found.splitlines()[0], "focus": focus, "seed": seed}


def try_tests(files: list[str]) -> Json | None:
    """Run test files; a catch names the first test that fails."""
    if not files:
        return None
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run([*command, *files], capture_output=True, text=True, timeout=TEST_HANGS)
    except subprocess.TimeoutExpired:
        return {"by": files[0], "detail": "the tests hang"}
    if done.returncode == 0:
        return None
    failed = [
        line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))
    ] or done.stdout.splitlines()[-1:]
    name = failed[0].partition(" ")[2].partition(" - ")[0] if failed else done.stderr[-200:]
    return {"by": Path(name).name, "detail": failed[0] if failed else name}


def hunt(order: Json) -> Json | None:
    """Try everything in turn; return the first catch."""
    first, second = order["tests"]
    for focus, seed in order["known"]:
        found = try_seed(focus, seed)
        if found:
            return found
    found = try_tests(first)
    if found:
        return found
    for focus, seed in seeds_of(order):
        found = try_seed(focus, seed)
        if found:
            return found
    return try_tests(second)


def _hangs(signum: int, frame: FrameType | None) -> None:
    raise TimeoutError(f"the case hangs for {HANGS} s")


if __name__ == "__main__":
    if not Path(str(engine.__file__)).is_relative_to(Path.cwd()):
        raise SystemExit(f"expected the engine of {Path.cwd()}, was {engine.__file__}")
    signal.signal(signal.SIGALRM, _hangs)
    print(json.dumps(hunt(json.load(sys.stdin))))
