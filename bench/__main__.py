"""`python -m bench [NAME…] [--quick] [--json FILE] [--cache DIR]`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson

from bench import (
    captures,
    checking,
    collecting,
    day,
    doors,
    lanes,
    loads,
    pieces,
    profiling,
    pushing,
    replaying,
    streaming,
    topics,
    treatments,
)
from bench.report import QUICK, Scale, Section, as_json, is_compiled, machine, show
from engine.errors import TouchpointError
from engine.garbage import calm_collector

BENCHMARKS: dict[str, Callable[[Scale], Section]] = {
    "day": day.measure,
    "pieces": pieces.measure,
    "check": checking.measure,
    "replay": replaying.measure,
    "lanes": lanes.measure,
    "doors": doors.measure,
    "pushing": pushing.measure,
    "captures": captures.measure,
    "treatments": treatments.measure,
    "topics": topics.measure,
    "collecting": collecting.measure,
    "loads": loads.measure,
    "streaming": streaming.measure,
    "profile": profiling.measure,
}
ONLY_NAMED = {"profile"}
"""Left out unless asked for."""


def main() -> int:
    """Run the benchmarks named, all if none is; exit code 0: done, 2: a mistake in the arguments."""
    parser = argparse.ArgumentParser(prog="./run bench", description="Measure touchpoint.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="little of everything: shows that it runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    parser.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        default=Path(tempfile.gettempdir()) / f"touchpoint-bench-{os.getuid()}",
        help="keep simulated feeds there (default: %(default)s; the day takes 150 MB)",
    )
    given = parser.parse_args()
    for name in given.names:
        if name not in BENCHMARKS:
            parser.error(f"expected a benchmark ({', '.join(BENCHMARKS)}), was {name!r}")
    if "profile" in given.names and is_compiled():
        parser.error("profile sees Python functions only: ./run bench --interpreted profile")
    calm_collector()
    names = given.names or [name for name in BENCHMARKS if name not in ONLY_NAMED]
    for key, value in machine().items():
        print(f"{key:8} {value}")
    if given.quick:
        print("quick: shows that everything runs; nothing below is a measurement")
    sections = []
    try:
        scale = replace(QUICK if given.quick else Scale(), cache=given.cache)
        given.cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in names:
            section = BENCHMARKS[name](scale)
            show(section)
            sections.append(section)
        if "day" in names and "pieces" in names:
            by_name = {section.name: section for section in sections}
            sections.append(pieces.ratios(by_name["day"], by_name["pieces"]))
            show(sections[-1])
        if given.json is not None:
            given.json.write_bytes(orjson.dumps(as_json(sections), option=orjson.OPT_INDENT_2))
    except (TouchpointError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
