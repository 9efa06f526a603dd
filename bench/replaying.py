"""`bench replay`: `touchpoint replay` as its user runs it, process start, files in and files out included."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from bench.hour import simulated_hour
from bench.report import ROOT, Scale, Section, middle, tell
from engine.errors import InputError

REPORT_AT_MOST = 1.15
"""What a replay with a report may cost, of one without."""
_START = "import sys; from engine.cli.main import main; sys.argv[0] = 'touchpoint'; sys.exit(main())"


def measure(scale: Scale) -> Section:
    """Replay the hour in a process of its own."""
    _, feed = simulated_hour(scale)
    walls, cpus = [], []
    with TemporaryDirectory(prefix="touchpoint-bench-") as scratch:
        folder = Path(scratch)
        profiles = folder / "profiles.jsonl"
        profiles.write_bytes(b"".join(line + b"\n" for line in feed.profiles))
        ratios = []
        for number in range(scale.runs):
            tell(f"replay: run {number + 1} of {scale.runs}")
            summary, wall, cpu = _run(feed.path, profiles, folder / "out")
            walls.append(summary["read"] / wall)
            cpus.append(cpu / summary["read"] * 1e6)
            # right after it: what else the machine does weighs on both
            ratios.append(_run(feed.path, profiles, folder / "report", "--report")[2] / cpu)
        written = sum(path.stat().st_size for path in (folder / "out").iterdir())
    decided = sum(summary["decisions_by_outcome"].values())
    title = f"1 h of {feed.subscribers:,} subscribers: {summary['read']:,} records, {decided:,} decisions"
    section = Section("replay", f"{title}, {len(feed.profiles):,} profiles, one process")
    rate, note = middle(walls)
    section.add("records", rate, "per second (wall)", note)
    cost, note = middle(cpus)
    section.add("cost", cost, "µs per record", f"start and profiles included; {note}")
    ratio, note = middle(ratios)
    target = None if scale.quick else REPORT_AT_MOST
    section.add("with --report", ratio, "of the CPU without", note, target)
    section.add("written", written / 1e6, "MB", "every refusal has its line")
    return section


def _run(events: Path, profiles: Path, out: Path, *more: str) -> tuple[dict[str, Any], float, float]:
    """Return what is printed (the summary, or the report), seconds of wall and of CPU."""
    words = ["--rules", "rules", "--events", str(events), "--profiles", str(profiles), "--disorder", "5m"]
    before, began = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-P", "-c", _START, "replay", *words, "--out", str(out), "--json", *more],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((os.environ.get("PYTHONPATH", ""), str(ROOT)))},
        capture_output=True,
        check=False,
    )
    wall, after = time.perf_counter() - began, getrusage(RUSAGE_CHILDREN)
    if done.returncode:
        raise InputError(
            "touchpoint replay", "exit code 0", f"{done.returncode}: {done.stderr.decode()[-300:]}"
        )
    summary: dict[str, Any] = orjson.loads(done.stdout)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return summary, wall, cpu
