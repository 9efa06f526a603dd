"""One case through the engine and the reference model: where, if anywhere, do they differ?"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from traceback import format_exception_only
from typing import Any

from tests.differential import engine_side
from tests.differential.gen_shrink import shrink
from tests.differential.gen_world import Json
from tests.differential.generator import generate, with_receipts
from tests.reference import model

FIELDS = (
    *("id", "rule", "subscriber_key", "at", "outcome", "reason"),
    *("arm", "channel", "product", "place", "due"),
)
"""What both sides say of a decision. Texts, parts and triggers are the engine's alone."""

COUNTS = ("read", "applied", "duplicate", "late", "refused")

RECEIPTS = 8
"""Every so many seeds receipts follow the offers of the case."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHOWN = 12
"""Lines of a difference that are shown of each kind."""


def case_of(seed: int, focus: str | None = None) -> Json:
    """Build the case of a seed; in every eighth one receipts follow the offers that it leads to."""
    case = generate(random.Random(seed), focus=focus)
    if seed % RECEIPTS:
        return case
    return with_receipts(case, model.run(case)["decisions"], random.Random(seed))


def difference(case: Json) -> str | None:
    """Say in what engine and reference model differ, a line for each thing; None if in nothing."""
    return compare(case)[0]


def compare(case: Json) -> tuple[str | None, Json]:
    """Return the difference (None: none) and the reference model's result."""
    expected = model.run(case)
    try:
        found = engine_side.run(case)
    except Exception as error:
        return f"the engine raised {''.join(format_exception_only(error)).strip()}", expected
    lines = [*_counts(found["summary"], expected["summary"])]
    lines += _decisions(found["decisions"], expected["decisions"])
    return "\n".join(lines) or None, expected


def smallest(case: Json, *, tries: int = 2000) -> Json:
    """Reduce a case that differs to a small one that still does."""
    return shrink(case, lambda smaller: _loads(smaller) and difference(smaller) is not None, tries=tries)


def _loads(case: Json) -> bool:
    """Whether the case is still one: shrinking may leave a rule that no author could write."""
    try:
        engine_side.Prepared(case)
    except AssertionError:
        return False
    return True


def _counts(found: Json, expected: Json) -> list[str]:
    lines = [
        f"{name} records: the engine counts {found[name]}, the model {expected[name]}"
        for name in COUNTS
        if found[name] != expected[name]
    ]
    if found["refused_by"] != expected["refused_by"]:
        lines.append(
            f"refused by reason: the engine says {found['refused_by']}, the model {expected['refused_by']}"
        )
    if found["decisions"] != expected["decisions"]:
        lines.append(f"decisions: the engine counts {found['decisions']}, the model {expected['decisions']}")
    return lines


def _decisions(found: list[Json], expected: list[Json]) -> list[str]:
    ours = [tuple(one.get(name) for name in FIELDS) for one in found]
    theirs = [tuple(one.get(name) for name in FIELDS) for one in expected]
    if ours == theirs:
        return []
    lines = _only("engine", ours, theirs) + _only("model", theirs, ours)
    if not lines:
        place = next(n for n, (a, b) in enumerate(zip_longest(ours, theirs)) if a != b)
        lines = [f"order: the same decisions, but number {place + 1} is another one"]
    return lines


def _only(side: str, these: list[tuple[Any, ...]], those: list[tuple[Any, ...]]) -> list[str]:
    left = list(those)
    alone = []
    for one in these:
        if one in left:
            left.remove(one)
        else:
            alone.append(one)
    lines = [f"only the {side:<6} {_line(one)}" for one in alone[:_SHOWN]]
    if len(alone) > _SHOWN:
        lines.append(f"only the {side:<6} {len(alone) - _SHOWN} more")
    return lines


def _line(one: tuple[Any, ...]) -> str:
    """A decision in a line: time, rule and outcome first, then whatever is given."""
    values = dict(zip(FIELDS, one, strict=True))
    head = f"{clock(values.pop('at'))} {values.pop('rule')} {values.pop('outcome')}"
    values["due"] = clock(values["due"]) if values["due"] is not None else None
    for name in ("id", "subscriber_key"):
        values[name] = str(values[name])[:8]
    return f"{head} {' '.join(f'{name}={value}' for name, value in values.items() if value is not None)}"


def clock(t: int) -> str:
    """Write a time of µs UTC for reading."""
    return f"{_EPOCH + timedelta(microseconds=t):%Y-%m-%d %H:%M:%S.%f}Z"
