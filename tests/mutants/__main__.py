"""Plant faults in the engine's core: each has to be caught by a random case or a test.

Exit codes: 0 all are caught; 1 one survives, or no longer fits the source; 2 usage, or the tree is not in
order without any fault.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.mutants.faults import MUTANTS
from tests.mutants.runner import Outcome, Plan, Sick, known_seeds, run, write_seeds


def main(arguments: list[str]) -> int:
    """Run the mutants; return the exit code."""
    parser = argparse.ArgumentParser(prog="./run mutants", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="only this mutant (may be repeated)")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="at once (2)")
    parser.add_argument("--limit", type=int, default=5_000, metavar="N", help="seeds to try for each (5,000)")
    parser.add_argument("--list", action="store_true", help="only name the mutants and what they break")
    parser.add_argument(
        "--record", action="store_true", help="note the seeds that catch, to be quicker later"
    )
    options = parser.parse_args(arguments)
    names = {mutant.name for mutant in MUTANTS}
    for name in options.only or ():
        if name not in names:
            parser.error(f"expected a mutant (see --list), was {name!r}")
    mutants = [mutant for mutant in MUTANTS if not options.only or mutant.name in options.only]
    if options.list:
        for mutant in mutants:
            print(f"{mutant.name:<44}{mutant.sentence}")
        return 0
    began = monotonic()
    plan = Plan(limit=options.limit, processes=max(1, options.processes), known=known_seeds())
    try:
        with progress(len(mutants)) as show:
            outcomes = run(mutants, plan, show)
    except Sick as sick:
        print(f"the tree is not in order {sick}", file=sys.stderr)
        return 2
    if options.record:
        write_seeds(outcomes)
    left = [outcome for outcome in outcomes if not outcome.caught]
    for outcome in left:
        print(f"{outcome.mutant.name}: {outcome.detail or 'nothing caught it'}")
    print(f"{len(outcomes) - len(left)} of {len(outcomes)} mutants are caught ({monotonic() - began:.0f} s)")
    return 1 if left else 0


def _row(outcome: Outcome) -> str:
    by = outcome.caught_by or ("DOES NOT FIT" if outcome.detail else "SURVIVES")
    return f"{outcome.mutant.name:<42}{by:<40}{outcome.seconds:>6.1f}  {outcome.mutant.sentence}"


@contextmanager
def progress(total: int) -> Iterator[Callable[[Outcome], None]]:
    """Print a row of the table for each mutant as it ends; on a terminal with a bar below."""
    columns = (TextColumn("mutants"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    print(f"{'mutant':<42}{'caught by':<40}{'s':>6}  sentence", flush=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=total)

        def show(outcome: Outcome) -> None:
            print(_row(outcome), flush=True)
            bar.advance(task)

        yield show


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
