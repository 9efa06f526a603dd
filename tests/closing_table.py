"""The table at the end of a run: what tests stood on outside of the repository, and what was not run without.

Real data sets, the compiled core, engines (Redis, Kafka), tools (promtool). It travels in the reports: xdist,
too, shows it.
"""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests import testdata as real

NOTE = "stands on"
"""Name of the user property that carries kind, name, how it was found and why not, parted by tabs."""

WHY_NOT = {"data": real.MISSING, "build": "no C compiler", "tool": "not on PATH"}
"""What the table says about a kind of thing that is missing, where `stand_on` was told no reason."""


def stand_on(item: pytest.Item, kind: str, name: str, found: str, why_not: str = "") -> None:
    """Note for the closing table that `item` needs `name`; `found`: where and how, empty if it is missing."""
    item.user_properties.append((NOTE, f"{kind}\t{name}\t{found}\t{why_not}"))


def print_table(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests stood on and what was not run; nothing if they stood on nothing."""
    found: dict[tuple[str, str], str] = {}
    missing: dict[tuple[str, str], str] = {}
    ran: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    left: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for outcome, reports in terminalreporter.stats.items():
        # "" holds the passed setups and teardowns: the call's report says how the test went.
        for report in reports if outcome else ():
            for name, value in getattr(report, "user_properties", ()):
                if name == NOTE:
                    kind, need, where, why = str(value).split("\t")
                    found[kind, need] = found.get((kind, need)) or where
                    missing[kind, need] = missing.get((kind, need)) or why
                    went = ran if outcome != "skipped" and where else left
                    went[kind, need].add(report.nodeid)
    if not found:
        return
    terminalreporter.section("what the tests stood on")
    width = max(len(need) for _, need in found)
    for row, where in sorted(found.items()):
        head = f"{row[0]:6}  {row[1]:{width}}  "
        if where and ran[row]:
            skipped = f", {len(left[row])} skipped" if left[row] else ""
            terminalreporter.write_line(f"{head}tests run: {len(ran[row])}{skipped}; {where}", green=True)
        else:
            reason = missing[row] or WHY_NOT.get(row[0], "not found")
            why = "skipped for another reason" if where else reason
            terminalreporter.write_line(
                f"{head}not run: {why}; tests left out: {len(left[row])}", yellow=True
            )
