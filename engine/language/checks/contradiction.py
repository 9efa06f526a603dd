"""R507: lines that contradict each other let nothing through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from engine.language import logic
from engine.language.checks.code import Check
from engine.language.model import Count, FieldSpec, Happens, Rule, Test, Total
from engine.language.report import Report
from engine.language.source import Node
from engine.language.suggest import join
from engine.language.walk import find, patterns

CHECKS: Final = (
    Check(
        code="R507",
        meaning="lines that contradict each other: nobody, or no record, passes them",
        bad="""
            who: {arpu: over 100 yuan}
            except: {arpu: at least 50 yuan}
            """,
        good="""
            who: {arpu: over 100 yuan}
            except: {arpu: at least 500 yuan}
            """,
        advice="""
            `except` bars every value that `who` lets through (or `unless` what `where` does), so the rule
            never fires. Change one of the two lines. A value of `except` is barred; for the range that
            is wanted, write `who: {arpu: 50 to 100 yuan}`. A percentage is from 0% to 100%, and sizes, times
            and the numbers in records are never below 0: a line that asks for others is never true.
            """,
        level="warning",
    ),
)


def check_contradictions(report: Report, rule: Rule, fields: Mapping[str, FieldSpec]) -> None:
    """R507: `who` with `except`, in every pattern `where` with `unless`, and each line by itself.

    `fields`: of subscribers; what has a list there has no other values.
    """
    root = report.source.root
    _check(report, rule.who, rule.excepts, root, ("who", "except"), logic.closed_fields(fields))
    for whole, at in ((rule.when, ("when",)), (rule.goal.converts_when, ("goal", "converts_when"))):
        for pattern, body in patterns(whole, find(root, *at)):
            if isinstance(pattern, Happens | Count | Total):
                unless = pattern.unless if isinstance(pattern, Happens) else ()
                _check(report, pattern.where, unless, body, ("where", "unless"))


def _check(
    report: Report,
    wanted: Iterable[Test],
    barred: Iterable[Test],
    owner: Node | None,
    keys: tuple[str, str],
    closed: logic.Closed = logic.OPEN,
) -> None:
    in_record = keys[0] == "where"
    outcome = "no record passes" if in_record else "nobody passes"
    lines: dict[str, Test] = {}

    def is_impossible(values: logic.Values, test: Test) -> bool:
        return _possible(values, test, closed.get(test.field), in_record=in_record).empty

    for test in wanted:
        where = find(owner, keys[0], test.field)
        if where is not None and is_impossible(logic.passes(test), test):
            said = f"{outcome}: {_range(test, closed)}, so `{test.text}` is never true"
            report.warn("R507", where, said)
        else:
            lines[test.field] = test
    for test in barred:
        line, where = lines.get(test.field), find(owner, keys[1], test.field)
        if where is None:
            continue
        fails = logic.fails(test)
        if is_impossible(fails, test):
            said = f"{outcome}: {_range(test, closed)}, so `{keys[1]}` bars them all"
            report.warn("R507", where, said)
        elif line is not None and is_impossible(logic.both(logic.passes(line), fails), test):
            said = f"{outcome}: `{keys[1]}` bars every `{test.field}` that `{keys[0]}` lets through"
            hint = f"`{keys[0]}` wants `{test.field}: {line.text}`, `{keys[1]}` bars `{test.text}`"
            report.warn("R507", where, said, hint)


def _possible(
    values: logic.Values, test: Test, listed: frozenset[object] | None, *, in_record: bool
) -> logic.Values:
    """Return those of these values that there can be. `listed`: all there are, None for a field without."""
    if isinstance(values, logic.Spans):
        return values.both(logic.possible(test.type, in_record=in_record))
    if isinstance(values, logic.Words):
        every = frozenset[object]({True, False}) if test.type == "yes/no" else listed
        return values if every is None else values.both(logic.Words(every))
    return values


def _range(test: Test, closed: logic.Closed) -> str:
    if test.type == "yes/no":
        return f"`{test.field}` is `yes` or `no`"
    if test.field in closed:
        return f"`{test.field}` is {join(sorted(map(str, closed[test.field])), 'or')}"
    if test.type == "percent":
        return f"`{test.field}` is from 0% to 100%"
    return f"`{test.field}` is never below 0"
