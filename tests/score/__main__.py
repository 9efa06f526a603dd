"""Scores what treatments and engine conclude of simulated city days against what really happened.

Exit codes: 0 all targets met (or --no-targets); 1 one is missed; 2 usage.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from connectors.city import CityOptions
from connectors.city.options import UNTHINNED, with_faults
from engine.errors import InputError, RulesError
from tests.score import page, tables
from tests.score.course import score
from tests.score.day import live
from tests.score.judge import Score
from tests.score.variants import ALL, ENTERS, NONE, PLACES, THINNED, Variant, variants
from tests.score.world import PLACES as PLACES_OF_THE_DAY
from tests.score.world import build

SEEDS = (101, 102, 103, 104, 105)
"""Not used for tuning anything: that is done on seeds below 100."""


def known_options() -> tuple[str, ...]:
    """Return the options of places and of `enters` that this version knows."""
    found = []
    cell = "460-00-6001-1"
    for name, option in {**PLACES, **ENTERS}.items():
        place = {} if name in ENTERS else {key: [cell] if key == "buffer" else option[key] for key in option}
        with TemporaryDirectory() as folder, suppress(RulesError):
            build(
                Path(folder),
                place=dict.fromkeys(PLACES_OF_THE_DAY, place).__getitem__,
                enters=ENTERS.get(name),
            )
            found.append(name)
    return tuple(found)


def run_seed(
    seed: int, subscribers: int, ways: Sequence[Variant], options: CityOptions, why: bool
) -> list[Score]:
    """Score one day in some ways."""
    with TemporaryDirectory() as folder:
        catalog = build(Path(folder)).catalog
    day = live(seed, subscribers, catalog, options)
    return [score(day, way, why=why) for way in ways]


def _rate(text: str) -> tuple[str, float]:
    name, _, rate = text.partition("=")
    try:
        return name, float(rate)
    except ValueError:
        raise ValueError(f"expected --fault NAME=RATE, was {text}") from None


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a number of 1 or more, was {text}")
    return number


def main(arguments: list[str]) -> int:
    """Run seeds and variants; return the exit code."""
    parser = argparse.ArgumentParser(prog="./run score", description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), metavar="N")
    parser.add_argument(
        "--subscribers", type=_positive, default=2_000, metavar="N", help="of each seed (2000)"
    )
    parser.add_argument("--variants", nargs="+", metavar="NAME", help="only these; see the tables for names")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME=RATE", help="another rate")
    parser.add_argument("--no-faults", action="store_true", help="a clean feed, but for --fault")
    parser.add_argument(
        "--thinned",
        action="store_true",
        help="a feed of which most service requests were taken: 1 of 15 in the busy hour is left",
    )
    parser.add_argument("--no-targets", action="store_true", help="exit 0 whatever the score")
    parser.add_argument("--json", action="store_true", help="all figures as JSON, instead of tables")
    parser.add_argument("--workers", type=_positive, default=2, metavar="N", help="seeds at a time (2)")
    parser.add_argument("--each", action="store_true", help="each treatment alone and taken out as well")
    parser.add_argument("--why", action="store_true", help="causes of what was false or missed as well")
    parser.add_argument("--page", metavar="NAME", help="write this part of docs/signals.md as well")
    given = parser.parse_args(arguments)
    known = variants(known_options())
    names = given.variants or (list(known) if given.each else [NONE, ALL])
    unknown = [name for name in names if name not in known]
    if unknown:
        parser.error(f"expected a variant of {', '.join(known)}, was {unknown[0]}")
    ways = [replace(known[name], settings=THINNED if given.thinned else {}) for name in names]
    try:
        if given.page is not None:
            page.check(given.page, page.PAGE.read_text(encoding="utf-8"))
        rates = dict(map(_rate, given.fault))
        options = with_faults(CityOptions(), rates, none_else=given.no_faults)
        options = options if given.thinned else replace(options, sights=UNTHINNED)
    except (ValueError, InputError) as error:
        parser.error(str(error))
    scores: list[Score] = []
    with ProcessPoolExecutor(max(1, given.workers)) as pool:
        jobs = [
            pool.submit(run_seed, seed, given.subscribers, ways, options, given.why) for seed in given.seeds
        ]
        for seed, job in zip(given.seeds, jobs, strict=True):
            scores += job.result()
            print(f"seed {seed}: done", file=sys.stderr, flush=True)
    judged = ALL if ALL in names else names[-1]
    wanted = tables.targets(scores, judged)
    found = tables.of_each(scores, judged) if given.each else tables.of_all(scores, judged)
    if given.json:
        print(json.dumps([tables.as_json(one) for one in scores], indent=1))
    else:
        print("\n".join(found))
    if given.page:
        page.write(given.page, found, shlex.join(["./run", "score", *arguments]))
    return 0 if given.no_targets or all(row[-1] == "met" for row in wanted) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
