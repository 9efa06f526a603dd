"""Figures: what a benchmark gives back, printed for people and as JSON for machines."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from engine import pipeline

ROOT = Path(__file__).resolve().parent.parent
MORE = "more"
"""In the unit of a difference of two runs: where it is small, noise makes it less than nothing."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number."""

    name: str
    value: float
    unit: str
    note: str = ""
    target: float | None = None
    """At most this much is wanted."""

    @property
    def is_met(self) -> bool | None:
        """Say whether the target is met; None without one."""
        return None if self.target is None else self.value <= self.target


@dataclass(slots=True)
class Section:
    """What one benchmark measured."""

    name: str
    title: str
    figures: list[Figure] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What one must know to read the figures."""

    def add(self, name: str, value: float, unit: str, note: str = "", target: float | None = None) -> None:
        """Add a figure."""
        self.figures.append(Figure(name, value, unit, note, target))

    def value(self, name: str) -> float:
        """Return a figure's number."""
        return next(figure.value for figure in self.figures if figure.name == name)


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured. The quick scale only shows that everything runs: its times mean nothing."""

    subscribers: int = 20_000
    hours: float = 24.0
    runs: int = 3
    two_days: int = 2_000
    """Subscribers of the run over two days, for sizes of states."""
    profiled: int = 2_000
    calls: int = 200_000
    """Calls of a piece per run."""
    rules: int = 200
    rows: int = 300_000
    """Rows per door, at most."""
    quick: bool = False
    cache: Path = Path()
    """Folder of simulated feeds."""


QUICK = Scale(
    quick=True, subscribers=60, hours=3.0, runs=1, two_days=20, profiled=30, calls=1_000, rules=40, rows=1_000
)


def machine() -> dict[str, Any]:
    """Describe what the figures were measured on."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 0,
        "load": [round(load, 2) for load in os.getloadavg()],
        "system": f"{platform.system()} {platform.release().partition('-')[0]} {platform.machine()}",
        "python": platform.python_version(),
        "core": "compiled" if is_compiled() else "interpreted",
        "commit": _commit(),
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "command": " ".join(["python -m bench", *sys.argv[1:]]),
    }


def is_compiled() -> bool:
    """Say whether the engine's core runs as machine code (`./run compile`)."""
    return not str(pipeline.__file__).endswith(".py")


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    fields = dict(part for line in lines if len(part := [p.strip() for p in line.split(":", 1)]) == 2)
    name = fields.get("model name", "unknown")
    if fields.get("model", "").isdigit():
        name += f", family {fields.get('cpu family')} model {fields['model']}"
    return f"{name}, {fields.get('cpu MHz', '?')} MHz"


def _commit() -> str:
    try:
        named = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return named.stdout.strip()


def middle(values: Sequence[float]) -> tuple[float, str]:
    """Return the median of runs and a note on their spread."""
    if len(values) == 1:
        return values[0], "one run"
    return median(values), f"median of {len(values)} runs, {plain(min(values))} to {plain(max(values))}"


def plain(value: float) -> str:
    """Write a number with three digits or more, no more than it deserves."""
    if value == int(value) or abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.{0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3}f}"


def show(section: Section) -> None:
    """Print a section as aligned lines."""
    print(f"\n{section.name}: {section.title}")
    wide = max((len(figure.name) for figure in section.figures), default=0)
    numbers = max((len(plain(figure.value)) for figure in section.figures), default=0)
    units = max((len(figure.unit) for figure in section.figures), default=0)
    for figure in section.figures:
        note = figure.note
        if figure.target is not None:
            verdict = "met" if figure.is_met else "missed"
            note = f"target <= {plain(figure.target)}: {verdict}" + (f"; {note}" if note else "")
        line = f"  {figure.name:{wide}}  {plain(figure.value):>{numbers}}  {figure.unit:{units}}  {note}"
        print(line.rstrip())
    for remark in section.remarks:
        print(f"  - {remark}")


def as_json(sections: Sequence[Section]) -> dict[str, Any]:
    """Return everything as plain JSON."""
    return {
        "machine": machine(),
        "sections": [
            {
                "name": section.name,
                "title": section.title,
                "figures": [{**asdict(figure), "met": figure.is_met} for figure in section.figures],
                "remarks": section.remarks,
            }
            for section in sections
        ],
    }


def tell(text: str) -> None:
    """Say on stderr what is being done: some of it takes minutes."""
    print(f"bench: {text}", file=sys.stderr, flush=True)
