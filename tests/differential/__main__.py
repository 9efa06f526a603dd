"""Compare engine and reference model over many random cases: `python -m tests.differential --cases 20000`.

Prints how many cases hold each verb, each pair of nested verbs, each outcome and each reason. Exit codes:
0 all agree; 1 some differ (the first one, shrunk, is printed) or something was met too rarely; 2 usage.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.differential.compare import case_of, compare, difference, smallest
from tests.differential.coverage import Coverage
from tests.differential.generator import FOCI

CHUNK = 100
"""Cases that a process takes at once."""
SHOWN = 20
"""Seeds that differ and are named."""


@dataclass
class Found:
    """What came of some seeds."""

    coverage: Coverage = field(default_factory=Coverage)
    differing: list[int] = field(default_factory=list)

    def add(self, other: Found) -> None:
        self.coverage.merge(other.coverage)
        self.differing += other.differing


def search(first: int, cases: int, focus: str | None) -> Found:
    """Compare the cases of the seeds from `first` on."""
    found = Found()
    for seed in range(first, first + cases):
        case = case_of(seed, focus)
        differs, result = compare(case)
        found.coverage.add(case, result)
        if differs is not None:
            found.differing.append(seed)
    return found


def search_all(
    first: int, cases: int, focus: str | None, processes: int, advance: Callable[[int], None]
) -> Found:
    """Share the seeds out over processes; `advance` is told of cases as they are done."""
    chunks = [(at, min(CHUNK, first + cases - at), focus) for at in range(first, first + cases, CHUNK)]
    found = Found()
    if processes == 1:
        for chunk in chunks:
            found.add(search(*chunk))
            advance(chunk[1])
        return found
    with ProcessPoolExecutor(processes) as pool:
        for part in pool.map(search, *zip(*chunks, strict=True)):
            found.add(part)
            advance(part.coverage.cases)
    return found


@contextmanager
def progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on stderr if that is a terminal; else nothing."""
    columns = (TextColumn("cases"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.advance(task, done)


def main(arguments: list[str]) -> int:
    """Run the search; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--cases", type=_positive, default=20_000, metavar="N", help="how many (20,000)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first case (0); then one by one")
    parser.add_argument("--focus", choices=sorted(FOCI), metavar="NAME", help="a verb, a pair, a reason …")
    parser.add_argument("--processes", type=_positive, default=2, metavar="N", help="at once (2)")
    parser.add_argument(
        "--minimum", type=int, default=100, metavar="N", help="cases that hold each thing at least (100)"
    )
    options = parser.parse_args(arguments)
    began = monotonic()
    with progress(options.cases) as advance:
        found = search_all(options.seed, options.cases, options.focus, options.processes, advance)
    print(found.coverage.table())
    print(f"{options.cases - len(found.differing)} cases agree, {len(found.differing)} differ", end="")
    print(f" ({monotonic() - began:.0f} s)")
    lacking = found.coverage.lacking(options.minimum)
    for line in lacking:
        print(f"met in fewer than {options.minimum} cases: {line}")
    if found.differing:
        _show(found.differing, options.focus)
    return 1 if found.differing or lacking else 0


def _show(differing: list[int], focus: str | None) -> None:
    more = f" and {len(differing) - SHOWN} more" if len(differing) > SHOWN else ""
    print(f"seeds that differ: {' '.join(map(str, differing[:SHOWN]))}{more}")
    print(f"the first of them, {differing[0]}, shrunk:")
    case = smallest(case_of(differing[0], focus))
    print(json.dumps(case, ensure_ascii=False, indent=1))
    print(difference(case))


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, was {number}")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
