"""Scores as tables: of the terminal, and as Markdown for docs/signals.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from tests.score.judge import AtPlace, Count, Score
from tests.score.world import PLACES

ENTER_PRECISION: Final = 0.98
ENTER_RECALL: Final = 0.97
DWELL_MINUTES: Final = 54.0
"""Targets of the issue, for places wider than three cells: worst seed."""
VISITS: Final = 1_000
"""True visits that a score needs."""

_KINDS: Final = ("wide", "small")
Row = tuple[str, ...]


def of_all(scores: Sequence[Score], judged: str) -> list[str]:
    """Return the tables of a run of few variants, `judged` the one that the targets are for."""
    parts: list[tuple[str, Row, Sequence[Row]]] = [
        (f"Targets, with `{judged}`", TARGETS_HEAD, targets(scores, judged)),
        ("Worst seed of each figure", WORST_HEAD, worst(scores)),
        (f"Each seed, with `{judged}`", BY_SEED_HEAD, by_seed(scores, judged)),
        (f"Each place, with `{judged}`, all seeds together", BY_PLACE_HEAD, by_place(scores, judged)),
        ("Roaming and handsets, all seeds together", IDENTITY_HEAD, identity(scores)),
    ]
    rows = causes(scores, judged)
    if rows:
        parts.append((f"Why, with `{judged}`: wide places, all seeds together", CAUSES_HEAD, rows))
    return [_titled(*part) for part in parts]


def of_each(scores: Sequence[Score], judged: str) -> list[str]:
    """Return the tables of a run of many variants: sums over all seeds, as each has few visits."""
    visits = sum(score.visits for score in scores if score.variant == judged)
    return [
        _titled(f"What each is worth: {visits:,} true visits", EACH_HEAD, each(scores)),
        _titled("Roaming and handsets", IDENTITY_HEAD, identity(scores)),
    ]


def _titled(title: str, head: Row, rows: Sequence[Row]) -> str:
    return f"### {title}\n\n{markdown(head, rows)}"


def each(scores: Sequence[Score]) -> list[Row]:
    """One row per variant, all seeds together."""
    rows = []
    for variant in dict.fromkeys(score.variant for score in scores):
        mine = [score for score in scores if score.variant == variant]
        row = [variant]
        for verb, kind in (("enters", "wide"), ("enters", "small"), ("leaves", "wide"), ("stays", "wide")):
            count = Count()
            for score in mine:
                count.add(getattr(score, verb)[kind])
            row += [*_pair(count)[: 3 if (verb, kind) == ("enters", "wide") else 2]]
        errors = sorted(error for score in mine for error in score.dwell["wide"])
        row.append(f"{errors[min(int(0.9 * len(errors)), len(errors) - 1)] if errors else 0:.1f}")
        rows.append(tuple(row))
    return rows


EACH_HEAD: Final[Row] = (
    "treatments", "enters wide P", "R", "hits / missed / false", "small P", "R", "leaves wide P", "R",
    "stays wide P", "R", "dwell error p90 min",
)  # fmt: skip


def causes(scores: Sequence[Score], variant: str) -> list[Row]:
    """Return the causes of false and of missed enters, the frequent ones first; empty: nobody asked."""
    rows: list[Row] = []
    for number, what in enumerate(("false", "missed")):
        found: Counter[str] = Counter()
        for score in scores:
            if score.variant == variant:
                found.update(score.causes[number])
        rows += [
            (what, why, str(count)) for why, count in sorted(found.items(), key=lambda one: (-one[1], one[0]))
        ]
    return rows


CAUSES_HEAD: Final[Row] = ("enters", "why", "how many")


def worst(scores: Sequence[Score]) -> list[Row]:
    """One row per variant: the worst seed of each figure by itself."""
    rows = []
    for variant in dict.fromkeys(score.variant for score in scores):
        mine = [score for score in scores if score.variant == variant]
        row = [variant]
        for verb in ("enters", "leaves"):
            for kind in _KINDS:
                counts = [getattr(score, verb)[kind] for score in mine]
                row += [_least(counts, "precision"), _least(counts, "recall")]
        row += [f"{max(score.dwell_at(q, ('wide',)) for score in mine):.1f}" for q in (0.5, 0.9, 0.99)]
        rows.append(tuple(row))
    return rows


WORST_HEAD: Final[Row] = (
    "treatments", "enters wide P", "R", "small P", "R", "leaves wide P", "R", "small P", "R",
    "dwell error p50", "p90", "p99 min",
)  # fmt: skip


def by_seed(scores: Sequence[Score], variant: str) -> list[Row]:
    """One row per seed of a variant."""
    rows = []
    for score in scores:
        if score.variant != variant:
            continue
        row = [str(score.seed), f"{score.visits:,}", str(score.unseen)]
        for counts in (score.enters, score.leaves, score.stays):
            for kind in _KINDS:
                row += [_share(counts[kind].precision), _share(counts[kind].recall)]
        row += [f"{score.dwell_at(q, ('wide',)):.1f}" for q in (0.5, 0.9, 0.99)]
        row += [f"{score.dwell_at(q, ('small',)):.1f}" for q in (0.5, 0.9, 0.99)]
        rows.append(tuple(row))
    return rows


BY_SEED_HEAD: Final[Row] = (
    "seed", "visits", "unseen", "enters wide P", "R", "small P", "R", "leaves wide P", "R", "small P", "R",
    "stays wide P", "R", "small P", "R", "dwell error wide p50", "p90", "p99", "small p50", "p90", "p99 min",
)  # fmt: skip


def by_place(scores: Sequence[Score], variant: str) -> list[Row]:
    """One row per place, the wide ones first, all seeds together: a place alone has few visits a day."""
    rows = []
    for place, cells in sorted(PLACES.items(), key=lambda one: (-one[1], one[0])):
        total = AtPlace()
        for score in scores:
            if score.variant == variant:
                total.enters.add(score.places[place].enters)
                total.leaves.add(score.places[place].leaves)
                total.stays.add(score.places[place].stays)
        rows.append((place, str(cells), *_pair(total.enters), *_pair(total.leaves), *_pair(total.stays)[:2]))
    return rows


BY_PLACE_HEAD: Final[Row] = (
    "place", "cells", "enters P", "R", "hits / missed / false", "leaves P", "R", "hits / missed / false",
    "stays P", "R",
)  # fmt: skip


def identity(scores: Sequence[Score]) -> list[Row]:
    """One row per variant, all seeds together: false roaming and changes of handset are rare."""
    rows = []
    for variant in dict.fromkeys(score.variant for score in scores):
        mine = [score for score in scores if score.variant == variant]
        handsets, roaming = Count(), Count()
        for score in mine:
            handsets.add(score.handsets)
            roaming.add(score.roaming)
        told = roaming.hits + roaming.false
        share = f"{roaming.false / told:.1%} of {told}" if told else "none told"
        precision, *rest = _pair(handsets)
        told_any = handsets.hits + handsets.false > 0
        rows.append((variant, share, _share(roaming.recall), precision if told_any else "none told", *rest))
    return rows


IDENTITY_HEAD: Final[Row] = (
    "treatments", "roam.out that is false", "true ones told", "handset.change P", "R",
    "hits / missed / false",
)  # fmt: skip


def targets(scores: Sequence[Score], variant: str) -> list[Row]:
    """The targets of the issue for one variant: what, wanted, found, met or not."""
    mine = [score for score in scores if score.variant == variant]
    precision = min(score.enters["wide"].precision for score in mine)
    recall = min(score.enters["wide"].recall for score in mine)
    dwell = max(score.dwell_at(0.9, ("wide",)) for score in mine)
    visits = sum(score.visits for score in mine)
    return [
        ("true visits, all seeds", f">= {VISITS:,}", f"{visits:,}", _met(visits >= VISITS)),
        (
            "enter precision, wide, worst seed",
            f">= {ENTER_PRECISION}",
            _share(precision),
            _met(precision >= ENTER_PRECISION),
        ),
        (
            "enter recall, wide, worst seed",
            f">= {ENTER_RECALL}",
            _share(recall),
            _met(recall >= ENTER_RECALL),
        ),
        (
            "dwell error p90, wide, worst seed",
            f"<= {DWELL_MINUTES:g} min",
            f"{dwell:.1f}",
            _met(dwell <= DWELL_MINUTES),
        ),
    ]


TARGETS_HEAD: Final[Row] = ("target", "wanted", "found", "")


def markdown(head: Row, rows: Sequence[Row]) -> str:
    """Write a table as Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines) + "\n"


def as_json(score: Score) -> dict[str, Any]:
    """Return a score as plain JSON."""

    def counts(given: dict[str, Count]) -> dict[str, Any]:
        return {kind: count_json(count) for kind, count in given.items()}

    def count_json(count: Count) -> dict[str, Any]:
        shares = {"precision": round(count.precision, 5), "recall": round(count.recall, 5)}
        return {"hits": count.hits, "missed": count.missed, "false": count.false, **shares}

    return {
        "seed": score.seed,
        "variant": score.variant,
        "visits": score.visits,
        "unseen": score.unseen,
        "enters": counts(score.enters),
        "leaves": counts(score.leaves),
        "stays": counts(score.stays),
        "dwell_error_minutes": {
            kind: {f"p{round(q * 100)}": round(score.dwell_at(q, (kind,)), 2) for q in (0.5, 0.9, 0.99)}
            for kind in _KINDS
        },
        "places": {
            place: {verb: count_json(getattr(at, verb)) for verb in ("enters", "leaves", "stays")}
            for place, at in score.places.items()
        },
        "handsets": count_json(score.handsets),
        "roaming": count_json(score.roaming),
        "treatments": dict(score.dropped),
    }


def _least(counts: Sequence[Count], figure: str) -> str:
    return _share(min(getattr(count, figure) for count in counts))


def _share(value: float) -> str:
    return f"{value:.3f}"


def _pair(count: Count) -> Row:
    return _share(count.precision), _share(count.recall), f"{count.hits} / {count.missed} / {count.false}"


def _met(good: bool) -> str:
    return "met" if good else "MISSED"
