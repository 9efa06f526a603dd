"""Plant mutants into copies of the tree, one at a time, and have each hunted.

The checkout itself is only read. A copy is made once for each process; a mutant is written into it, hunted by
a process of its own (so that nothing of the fault stays loaded), and taken out again.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from time import monotonic

from tests.mutants.mutant import Misfit, Mutant, plant
from tests.testdata import CHECKOUT

PARTS = ("engine", "connectors", "rules", "tests", "pyproject.toml")
"""What of the checkout a hunt needs."""
SEEDS = Path(__file__).with_name("seeds.json")
"""Mutant -> [focus or null, seed] of a case that is known to catch it: only saves time."""
LAST = (
    "tests/unit/pipeline",
    "tests/differential/test_corners.py",
)
"""Tests that are run where no case catches a mutant."""
HANGS = 600
"""Seconds after which a hunt is given up as broken."""


@dataclass
class Outcome:
    """What became of one mutant."""

    mutant: Mutant
    caught_by: str = ""
    """A seed or a test; empty: it survived or could not be planted."""
    detail: str = ""
    """What was seen, or what is wrong."""
    seconds: float = 0.0
    seed: tuple[str | None, int] | None = None

    @property
    def caught(self) -> bool:
        return bool(self.caught_by)


@dataclass(frozen=True)
class Plan:
    """How to hunt."""

    limit: int = 5_000
    """Seeds to try beside the known ones."""
    processes: int = 2
    last: Sequence[str] = LAST
    known: dict[str, tuple[str | None, int]] = field(default_factory=dict)


def known_seeds() -> dict[str, tuple[str | None, int]]:
    """Read the seeds that are known to catch."""
    if not SEEDS.exists():
        return {}
    return {name: (focus, seed) for name, (focus, seed) in json.loads(SEEDS.read_text()).items()}


def write_seeds(outcomes: Sequence[Outcome]) -> None:
    """Write the seeds that caught; those of mutants that were not hunted stay."""
    found = known_seeds() | {o.mutant.name: o.seed for o in outcomes if o.seed is not None}
    lines = [f"  {json.dumps(name)}: {json.dumps(found[name])}" for name in sorted(found)]
    SEEDS.write_text("{\n" + ",\n".join(lines) + "\n}\n")


class Copy:
    """A copy of the tree that mutants are planted into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in PARTS:
            source = CHECKOUT / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / part)
        # Modules are compiled once and known again by their content: a time stamp is too coarse for us.
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if name not in ("PYTHONPATH", "TOUCHPOINT_EXAMPLES")
        }
        self.environment |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(folder)}
        command = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "checked-hash", "."]
        subprocess.run(command, cwd=folder, check=True, env=self.environment)

    def hunt(self, mutant: Mutant, plan: Plan) -> Outcome:
        """Plant one mutant and have it hunted."""
        began = monotonic()
        outcome = Outcome(mutant)
        path = self.folder / mutant.file
        healthy = path.read_text(encoding="utf-8")
        try:
            path.write_text(plant(mutant, healthy), encoding="utf-8")
            self._hunt(outcome, plan)
        except Misfit as misfit:
            outcome.detail = str(misfit)
        finally:
            path.write_text(healthy, encoding="utf-8")
        outcome.seconds = monotonic() - began
        return outcome

    def is_healthy(self, plan: Plan, tests: Sequence[str]) -> str:
        """Hunt without a mutant: nothing may be caught, else every catch would mean nothing."""
        return self._run(
            {"known": list(plan.known.values()), "focus": [], "limit": 100, "tests": [[], [*tests]]},
            "no fault",
        )[0]

    def _hunt(self, outcome: Outcome, plan: Plan) -> None:
        mutant = outcome.mutant
        known = plan.known.get(mutant.name)
        order = {
            "known": [known] if known else [],
            "focus": mutant.focus,
            "limit": plan.limit,
            "tests": [[mutant.tests] if mutant.tests else [], [*plan.last]],
        }
        outcome.caught_by, outcome.detail, outcome.seed = self._run(order, mutant.name)

    def _run(self, order: dict[str, object], name: str) -> tuple[str, str, tuple[str | None, int] | None]:
        command = [sys.executable, "-m", "tests.mutants.hunt"]
        try:
            done = subprocess.run(
                command,
                cwd=self.folder,
                env=self.environment,
                input=json.dumps(order),
                capture_output=True,
                text=True,
                timeout=HANGS,
            )
        except subprocess.TimeoutExpired:
            return "", f"{name}: expected an end of the hunt within {HANGS} s, was none", None
        if done.returncode != 0:
            return "", f"{name}: the hunt broke: {done.stderr.strip()[-400:]}", None
        found = json.loads(done.stdout)
        if found is None:
            return "", "", None
        seed = (found["focus"], found["seed"]) if "seed" in found else None
        return found["by"], found["detail"], seed


class Sick(Exception):
    """The tree differs from the reference model, or a test fails, without any fault planted."""


def run(
    mutants: Sequence[Mutant], plan: Plan, done: Callable[[Outcome], None] = lambda outcome: None
) -> list[Outcome]:
    """Hunt all mutants; `done` is told of each as it ends (in any order). Raises `Sick`."""
    with TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(plan.processes) as pool:
        free: SimpleQueue[Copy] = SimpleQueue()
        for copy in pool.map(Copy, [Path(folder) / str(n) for n in range(plan.processes)]):
            free.put(copy)
        tests = sorted({*plan.last, *(m.tests for m in mutants if m.tests)})
        first = free.get()
        found = first.is_healthy(plan, tests)
        free.put(first)
        if found:
            raise Sick(f"without a fault: {found}")

        def hunt(mutant: Mutant) -> Outcome:
            copy = free.get()
            try:
                outcome = copy.hunt(mutant, plan)
            finally:
                free.put(copy)
            done(outcome)
            return outcome

        return list(pool.map(hunt, mutants))
