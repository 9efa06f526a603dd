"""Lines about records: which record of a kind came nearest to passing, and what each line saw of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.audience import compile_test
from engine.language import model
from engine.patterns.counting import all_bytes
from engine.trace.gates import Bench
from engine.trace.watch import Noted
from engine.trace.words import say

MEGABYTE, GIGABYTE = 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class Asked:
    """A line of `where` or `unless`, asked of a record."""

    block: str
    """`where` or `unless`."""
    test: model.Test
    value: object
    passes: bool | None
    """None: the value is unknown, and the record is rejected."""


def lines_of(pattern: model.Happens | model.Count | model.Total) -> list[tuple[str, model.Test]]:
    """List the lines about a record, each with its block."""
    lines = [("where", test) for test in pattern.where]
    if isinstance(pattern, model.Happens):
        lines += [("unless", test) for test in pattern.unless]
    return lines


def ask(
    bench: Bench, pattern: model.Happens | model.Count | model.Total, past: Sequence[Noted]
) -> tuple[Noted, list[Asked]] | None:
    """Ask each line of the record nearest to passing: the fewest lines reject it; the latest of these."""
    compiled = [(block, test, compile_test(test, bench.book.key)) for block, test in lines_of(pattern)]
    best: tuple[Noted, list[Asked]] | None = None
    fewest = (0, 0)
    for noted in past:
        asked = []
        for block, test, holds in compiled:
            value = value_of(test.field, noted)
            said = holds(value) if value is not None else None
            passes = said if block == "where" or said is None else not said
            asked.append(Asked(block, test, value, passes))
        rank = (sum(one.passes is not True for one in asked), -noted.event.t)
        if best is None or rank < fewest:
            best, fewest = (noted, asked), rank
    return best


def value_of(field: str, noted: Noted) -> object:
    """Read what a line tests: the record's own field, or what is derived from it."""
    if field == "place":
        return noted.places
    if field == "bytes":
        return all_bytes(noted.event.fields)
    return noted.event.cell if field == "cell" else noted.event.fields.get(field)


def looser(asked: Asked) -> model.Test | None:
    """Move the mark of a line to the value that it rejected; None: the line can only go."""
    test, value = asked.test, asked.value
    if asked.block == "unless" or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    match test.op:
        case "at_least" | "over":
            mark = rounded(value, test.type, up=False)
            return replace(test, op="at_least", values=(mark,), text=f"at least {say(mark, test.type)}")
        case "at_most" | "under":
            mark = rounded(value, test.type, up=True)
            return replace(test, op="at_most", values=(mark,), text=f"at most {say(mark, test.type)}")
        case "between":
            low, high = test.values
            assert isinstance(low, int | float)
            assert isinstance(high, int | float)
            ends = (
                min(low, rounded(value, test.type, up=False)),
                max(high, rounded(value, test.type, up=True)),
            )
            text = " to ".join(say(end, test.type) for end in ends)
            return replace(test, values=ends, text=text)
        case _:
            return None


def rounded(amount: float, type: model.FieldType, *, up: bool) -> float:
    """Round an amount to what an author would write, so that it is what is shown."""
    if type == "duration" and amount >= 1:
        return _whole(amount, 1, up)
    if type == "bytes" and amount >= GIGABYTE:
        tenths = _whole(amount * 10, GIGABYTE, up) // GIGABYTE
        # a tenth of a GB is no whole number of bytes: to the side that passes
        return (tenths * GIGABYTE + (9 if up else 0)) // 10
    if type == "bytes" and amount >= MEGABYTE:
        return _whole(amount, MEGABYTE, up)
    return amount


def _whole(amount: float, unit: int, up: bool) -> int:
    return int(-(-amount // unit) if up else amount // unit) * unit
