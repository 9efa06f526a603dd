"""Coverage as text for people and as plain data for machines: which lines no case decides, and where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.language.source import Mapping, Node, Source
from engine.language.source import Sequence as SequenceNode
from engine.rule_tests.coverage import LineResult, RuleCoverage, percent
from engine.rule_tests.pattern_mutants import Path


def coverage_line(coverage: RuleCoverage, shown: str) -> str:
    """One line per rule: its file and how many of its lines are decided."""
    return f"{shown}  {_of(coverage.decided, len(coverage.lines))}"


def findings(coverage: RuleCoverage, source: Source) -> Iterator[str]:
    """One line for each line of a rule that no case decides, or that could as well be another."""
    placed = sorted((position(source, each.line.path), n) for n, each in enumerate(coverage.lines))
    for (line, column), number in placed:
        each = coverage.lines[number]
        said = _said(each)
        if said:
            yield f"{source.path}:{line}:{column}: {each.line.label}: {said}"


def coverage_sum(coverages: Sequence[RuleCoverage]) -> str:
    """The closing line."""
    total = sum(len(each.lines) for each in coverages)
    decided = sum(each.decided for each in coverages)
    rules = "1 rule" if len(coverages) == 1 else f"{len(coverages)} rules"
    return f"{rules}: {_of(decided, total)} ({written(percent(coverages))})"


def coverage_json(coverages: Sequence[RuleCoverage], sources: Sequence[Source]) -> dict[str, Any]:
    """All of it as plain data; lines and columns from 1."""
    return {
        "lines": sum(len(each.lines) for each in coverages),
        "decided": sum(each.decided for each in coverages),
        "percent": round(percent(coverages), 2),
        "rules": [
            {
                "rule": coverage.rule.name,
                "file": source.path,
                "decided": coverage.decided,
                "lines": [_line_json(each, source) for each in coverage.lines],
            }
            for coverage, source in zip(coverages, sources, strict=True)
        ],
    }


def written(share: float) -> str:
    """Write a percentage, never rounded up to what it has not reached: `99.9%`."""
    return f"{int(share * 10) / 10:g}%"


def position(source: Source, path: Path) -> tuple[int, int]:
    """Return line and column, from 1, of a key or list item; of a path that is not there its nearest part."""
    node = source.root
    found: Node | None = node
    for part in path:
        if isinstance(part, int):
            if isinstance(node, SequenceNode) and part < len(node.items):
                found = node = node.items[part]
        elif isinstance(node, Mapping) and part in node.entries:
            found, node = node.entries[part]
        else:
            break
    if found is None:
        return 1, 1
    return found.start.line + 1, found.start.column + 1


def _said(result: LineResult) -> str:
    if not result.decided:
        change = result.line.without.could_be
        return (
            f"no case decides this ({f'with `{change}`' if change else 'without it'} every case still passes)"
        )
    if result.could_be:
        return f"could as well be {' or '.join(map(_quoted, result.could_be))}"
    return ""


def _quoted(could_be: str) -> str:
    return could_be if could_be.startswith("another ") else f"`{could_be}`"


def _line_json(result: LineResult, source: Source) -> dict[str, Any]:
    line, column = position(source, result.line.path)
    by = result.by
    return {
        "name": result.line.label,
        "line": line,
        "col": column,
        "decided": result.decided,
        "by": None if by is None else {"case": by.name, "line": by.line},
        "could_be": list(result.could_be),
    }


def _of(decided: int, total: int) -> str:
    return f"{decided} of {total} lines decided"
