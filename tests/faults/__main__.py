"""The crash matrix on real servers: each row a fault, a seeded load, and a checker that replays all of it.

`planted` stands for all the faults that are planted into the roles: the checker has to find each.

Exit codes: 0 every row held and every planted fault was found (a row that cannot be run here says so); 1 not
so; 2 usage.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.faults.checker import Report
from tests.faults.planted import PLANTED
from tests.faults.rows import ROWS
from tests.faults.stage import Stage

_HEAD = ("row", "offers", "in flight", "lost", "doubled", "wrong", "s", "result")
GOOD = ("held", "found", "not run")


def main(arguments: list[str]) -> int:
    """Run rows; return the exit code."""
    parser = argparse.ArgumentParser(prog="./run faults", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="only these rows (1, 9b, ...; all)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the load and the faults (1)")
    parser.add_argument("--quick", action="store_true", help="fewer faults, as in ./run test")
    parser.add_argument("--keep", action="store_true", help="keep the folder of logs and data")
    parser.add_argument("--list", action="store_true", help="only name the rows")
    options = parser.parse_args(arguments)
    known = {**ROWS, **{f"planted-{name}": run for name, run in PLANTED.items()}}
    wanted: list[str] = []
    for name in options.rows or known:
        if name != "planted" and name not in known:
            parser.error(f"expected a row of --list, was {name!r}")
        wanted += [one for one in known if one.startswith("planted-")] if name == "planted" else [name]
    if options.list:
        for name in known:
            print(f"{name:<16}{(known[name].__doc__ or '').strip().splitlines()[0]}")
        return 0
    folder = Path(tempfile.mkdtemp(prefix="touchpoint-faults-"))
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # brokers that are gone are no news here
    print(f"seed {options.seed}, logs in {folder}", flush=True)
    lines, good = [], True
    for name in wanted:
        report = _run(name, Stage(folder / name, options.seed, quick=options.quick))
        said = _result(report, is_planted=name.startswith("planted-"))
        good &= said in GOOD
        lines.append(_line(name, report, said))
        print(_details(report, said), flush=True)
    print("\n" + _line_of(_HEAD))
    print("\n".join(lines))
    if good and not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if good else 1


def _result(report: Report, *, is_planted: bool) -> str:
    if report.not_run:
        return "not run"
    if is_planted:
        return "NOT FOUND" if report.passed else "found"
    if not report.passed:
        return "FAILED"
    return "held" if report.is_whole else "TOO THIN"


def _run(name: str, stage: Stage) -> Report:
    """Run one row; whatever it raises is its result."""
    began = time.monotonic()
    try:
        return {**ROWS, **{f"planted-{row}": run for row, run in PLANTED.items()}}[name](stage)
    except Exception as error:
        text = "".join(traceback.format_exception(error))
        return Report(name, problems=[f"did not come to its end: {text}"], seconds=time.monotonic() - began)
    finally:
        stage.close()


def _details(report: Report, said: str) -> str:
    lines = [f"\n== {report.row}: {said}"]
    for name, counts in (
        ("faults", report.faults),
        ("decisions", report.kinds),
        ("offers", report.rules),
        ("ends", report.ends),
    ):
        lines.append(f"   {name}: " + ", ".join(f"{what} {n}" for what, n in sorted(counts.items())))
    lines += [f"   not run: {report.not_run}"] if report.not_run else []
    lines += [f"   {what}" for what in (*report.problems, *report.notes)]
    return "\n".join(lines)


def _line(name: str, report: Report, said: str) -> str:
    numbers = (report.offers, report.in_flight, report.lost, report.doubled, report.wrong_states)
    return _line_of((name, *map(str, numbers), f"{report.seconds:.0f}", said))


def _line_of(words: tuple[str, ...]) -> str:
    name, *rest = words
    return f"{name:<16}" + "".join(f"{word:>11}" for word in rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
