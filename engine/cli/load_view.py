"""What `touchpoint load` prints: what was loaded, or what a dry run found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from engine.cli.console import note, say, table
from engine.cli.load_doubles import Doubles
from engine.load_report import FieldSum, LoadReport, figure
from engine.loading import Loader

VALUES_SHOWN = 6
"""Distinct values of a field in its line; the commonest come first."""
ROWS_SHOWN = 40
"""Lines of a table; a dry run is looked at, not kept."""


def show_counts(loader: Loader, title: str, *, optouts: bool) -> None:
    """Print how many rows came, and what became of them."""
    counts = loader.counts
    rows = [("lines", counts["lines"]), ("records", counts["records"]), ("refused", counts["refused"])]
    if counts["headers"]:
        rows.append(("headers", counts["headers"]))
    if optouts:
        rows.append(("numbers opted out", counts["opted_out"]))
    table((title, "number"), rows)


def show_report(report: LoadReport, doubles: Doubles, name: str) -> None:
    """Print what a dry run found."""
    _refused(report)
    _fields(report)
    _outside(report)
    _doubles(doubles, name)
    if report.samples:
        say()
        say("the first records, whose they are hidden:")
        for line in report.samples:
            say(f"  {line}")


def _refused(report: LoadReport) -> None:
    if not report.refused:
        return
    groups = sorted(report.refused.items(), key=lambda item: -item[1].rows)
    say()
    rows = [
        (
            reason,
            found.rows,
            detail,
            ", ".join(found.positions) + ("" if found.rows <= len(found.positions) else ", …"),
        )
        for (reason, detail), found in groups[:ROWS_SHOWN]
    ]
    table(("refused", "rows", "why", "where"), rows)


def _fields(report: LoadReport) -> None:
    if not report.fields:
        return
    say()
    rows = []
    for name, found in report.fields.items():
        share = f"{found.filled / report.good:.1%}"
        kind = report.type_of(name)
        ends = (
            "" if found.least is None else f"{figure(found.least, kind)} to {figure(found.most or 0, kind)}"
        )
        rows.append((name, share, found.unknown, ends, _values(found)))
    table(("field", "filled", "unknown", "from to", "values"), rows[:ROWS_SHOWN])
    if len(rows) > ROWS_SHOWN:
        note(f"and {len(rows) - ROWS_SHOWN} more fields")


def _values(found: FieldSum) -> str:
    if found.values is None:
        return "many"
    return _commonest(found.values)


def _commonest(values: Counter[str]) -> str:
    said = ", ".join(f"{text} {rows:,}" for text, rows in values.most_common(VALUES_SHOWN))
    return said + (f" and {len(values) - VALUES_SHOWN} more" if len(values) > VALUES_SHOWN else "")


def _outside(report: LoadReport) -> None:
    if report.outside:
        say()
        found = sorted(report.outside.items(), key=lambda item: (item[0][0], -item[1]))
        table(("not in its list", "value", "rows"), [(name, text, rows) for (name, text), rows in found])
    for name, rows in report.strange.items():
        say(f"{name}: no field of catalog/fields.yaml, no rule can test it ({rows:,} rows)")


def _doubles(doubles: Doubles, name: str) -> None:
    say()
    rows: list[tuple[str, int, str]] = [
        ("subscribers", doubles.subscribers, ""),
        ("subscribers with two rows or more", doubles.again, _at(doubles.again_at, name)),
        ("numbers of two subscribers, the last row holds", doubles.numbers, _at(doubles.numbers_at, name)),
    ]
    if doubles.is_compared:
        rows.append(("rows that move a number from another subscriber", doubles.moved, ""))
    table(("rows by subscriber", "number", "where"), rows)


def _at(pairs: Sequence[tuple[int, int]], name: str) -> str:
    return ", ".join(f"{name}:{first} and {second}" for first, second in pairs)
