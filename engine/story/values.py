"""Values for one field: those that pass its lines, by a hair and comfortably, and those that just fail.

Whether a value passes is asked of the engine's own compiled lines (`engine.audience`). Values are as records
and profiles carry them: money in yuan, sizes bytes, durations seconds, sets lists of text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from engine.audience import compile_test
from engine.language.model import FieldType, Test
from engine.language.testing import FieldValue

KEY: Final = b"story"
"""Any will do: it only has to be the same for the numbers of a rule and those held against them."""

_PHONES: Final = ("95188", "12306", "95533", "96110", "12315")
_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "country": ("JP", "TH", "FR"),
    "to.model": ("Mate 60", "P40"),
    "to.network": ("5G", "4G", "3G", "2G"),
    "app": ("video", "maps"),
    "from.tac": ("86012345", "35012345"),
    "to.tac": ("86012345", "35012345"),
    "plmn": ("46000", "46001"),
    "home_plmn": ("46000", "46001"),
    "host": ("example.com", "example.org"),
    "text": ("KTXX", "hello"),
    "product": ("some-product", "other-product"),
}
"""Values of open text that read well; any other field has `_ANY`."""
_ANY: Final = ("something", "anything")


def passes(test: Test, value: FieldValue) -> bool | None:
    """Say whether a value passes one line; None where that can't be said, of an unknown value above all."""
    if value is None:
        return None
    if test.type == "phone" and isinstance(value, str):
        # records hold long numbers as hashes; both sides are plain here
        inside = value in test.values
        return inside is not (test.op == "not")
    return compile_test(test, KEY)(value)


def fits(value: FieldValue, wanted: Sequence[Test], barred: Sequence[Test] = ()) -> bool:
    """Say whether a value passes every line of `wanted` and none of `barred`; unknown never does."""
    return all(passes(test, value) for test in wanted) and all(
        passes(test, value) is False for test in barred
    )


def candidates(tests: Sequence[Test], choices: Sequence[str] = ()) -> list[FieldValue]:
    """Return values worth trying for a field with these lines: plain ones first, then those at the marks.

    `choices`: the closed list of the field, if it has one.
    """
    found: list[FieldValue] = []
    for value in (each for test in tests for each in _around(test, choices)):
        if value not in found or isinstance(value, bool):
            found.append(value)
    return found


def sample(field: str, kind: FieldType, choices: Sequence[str] = ()) -> FieldValue:
    """Return any value of a field that no line asks for, so that a text can show it."""
    match kind:
        case "set":
            return ["something"]
        case "phone":
            return _PHONES[0]
        case "yes/no":
            return True
        case "text" | "place":
            return choices[0] if choices else _WORDS.get(field, _ANY)[0]
        case _:
            return 20


def step_of(kind: FieldType, mark: float) -> int | float:
    """Return the least difference that a test file can show at a mark: 0.01 yuan, 1 KB, 1 s, 1."""
    if kind == "money" or mark != int(mark):
        return 0.01
    return 1024 if kind == "bytes" else 1


def shift(kind: FieldType, mark: float, by: int) -> int | float:
    """Return the value `by` steps from a mark, without the dust of floats."""
    value = round(mark + by * step_of(kind, mark), 6)
    return int(value) if value == int(value) else value


def _around(test: Test, choices: Sequence[str]) -> Iterator[FieldValue]:
    if test.type == "yes/no":
        yield from (bool(test.values[0]), not test.values[0])
    elif test.type == "set":
        yield [str(test.values[0])]
        yield []
    elif test.type == "phone":
        yield str(test.values[0])
        yield from _PHONES
        yield from map(str, test.values[1:])
    elif test.type in ("text", "place"):
        yield str(test.values[0])
        yield from choices or (*_WORDS.get(test.field, _ANY), "another")
        yield from map(str, test.values[1:])
    else:
        yield from _numbers(test)


def _numbers(test: Test) -> Iterator[FieldValue]:
    marks = [value for value in test.values if isinstance(value, int | float)]
    typical = _typical(test, marks)
    for value in (*typical, *(shift(test.type, mark, by) for mark in marks for by in (0, -1, 1))):
        if test.type == "percent" and not 0 <= value <= 100:
            continue
        if value < 0 and test.type in ("bytes", "duration"):
            continue
        yield value


def _typical(test: Test, marks: list[int | float]) -> Iterator[int | float]:
    """Values well inside, of two significant digits; nothing where only the marks themselves will do."""
    low, high = marks[0], marks[-1]
    match test.op:
        case "at_least" | "over":
            yield low + (10 if low < 100 else low // 2)
        case "at_most" | "under":
            yield high // 2
        case "between":
            yield (low + high) // 2


def near(tests: Sequence[Test], line: Test, choices: Sequence[str], barred: Sequence[Test] = ()) -> Edges:
    """Return the values at the edge of one line that all other lines of the field let by."""
    others = [test for test in tests if test is not line]
    inside: list[FieldValue] = []
    outside: list[FieldValue] = []
    for value in _edge_values(line, choices, tests):
        if fits(value, others, barred):
            held = passes(line, value)
            if held is not None:
                (inside if held else outside).append(value)
    return inside, outside


Edges = tuple[list[FieldValue], list[FieldValue]]
"""(values that pass, values that do not)."""


def listed(line: Test, others: Sequence[Test] = ()) -> list[FieldValue]:
    """Return each value of a line that lists words or labels by name; none if it does not."""
    if line.type not in ("text", "set", "phone") or len(line.values) < 2 or not line.text.startswith("["):
        return []
    words = [str(value) for value in line.values]
    values: list[FieldValue] = [[word] for word in words] if line.type == "set" else list(words)
    return [value for value in values if all(passes(test, value) for test in others)]


def _edge_values(line: Test, choices: Sequence[str], tests: Sequence[Test]) -> list[FieldValue]:
    """For a number the marks and their neighbours, else one value that passes and one that does not."""
    if line.type not in ("number", "money", "bytes", "percent", "duration"):
        firsts: dict[bool, FieldValue] = {}
        wanted = candidates(tests, choices)
        if line.type == "set":
            # with another label of the same subscriber beside it, so that the other lines still hold
            both = [str(test.values[0]) for test in tests if test.type == "set"]
            wanted = [*wanted, both, *([word] for word in both)]
        for value in wanted:
            if all(passes(test, value) for test in tests if test is not line):
                held = passes(line, value)
                if held is not None:
                    firsts.setdefault(held, value)
        return list(firsts.values())
    found: list[FieldValue] = []
    for mark in line.values:
        assert isinstance(mark, int | float)
        for value in (shift(line.type, mark, by) for by in (0, -1, 1)):
            if line.type == "percent" and not 0 <= value <= 100:
                continue
            if value < 0 and line.type in ("bytes", "duration"):
                continue
            if value not in found:
                found.append(value)
    return _closest(line, found)


def _closest(line: Test, values: list[FieldValue]) -> list[FieldValue]:
    """Drop neighbours on the same side as the mark: `at least 50` is shown with 50 and 49.99, not 50.01."""
    if line.op in ("is", "not"):
        return values
    sides: dict[tuple[bool, int], FieldValue] = {}
    for value in values:
        held = bool(passes(line, value))
        assert isinstance(value, int | float)
        # of a range both ends count, so the two halves are kept apart
        half = int(line.op == "between" and value > (line.values[0] + line.values[-1]) / 2)  # type: ignore[operator]
        best = sides.get((held, half))
        if best is None or _distance(line, value) < _distance(line, best):
            sides[held, half] = value
    return list(sides.values())


def _distance(line: Test, value: FieldValue) -> float:
    assert isinstance(value, int | float)
    return min(abs(value - mark) for mark in line.values if isinstance(mark, int | float))
