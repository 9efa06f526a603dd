"""What every test gets: real data or an honest skip, Hypothesis profiles, and the closing table.

The table lists whatever outside of the repository tests stood on: real data sets, and engines (Redis, Kafka)
where a fixture calls `stand_on` with kind `engine`. It travels in the reports: xdist too shows all of it.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import testdata as real

NOTE = "stands on"
"""Name of the user property that carries kind, name and how it was found, parted by tabs."""

WHY_NOT = {"data": real.MISSING, "build": "no C compiler"}
"""What the table says about a kind of thing that is missing."""

# The same few examples at every run; how many is each test's own decision. A busy machine is no failure.
settings.register_profile(
    "default", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def pytest_configure(config: pytest.Config) -> None:
    """Load the Hypothesis profile: `TOUCHPOINT_EXAMPLES=20000` searches that many fresh random cases."""
    wanted = os.environ.get("TOUCHPOINT_EXAMPLES")
    if wanted is None:
        settings.load_profile("default")
        return
    if not wanted.isdigit() or int(wanted) < 1:
        raise pytest.UsageError(f"TOUCHPOINT_EXAMPLES: expected a number of examples, was {wanted!r}")
    settings.register_profile(
        "deep",
        max_examples=int(wanted),
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("deep")


def stand_on(item: pytest.Item, kind: str, name: str, found: str) -> None:
    """Note for the closing table that `item` needs `name`; `found`: where and how, empty if it is missing."""
    item.user_properties.append((NOTE, f"{kind}\t{name}\t{found}"))


def demand(item: pytest.Item, path: str) -> Path:
    """Return the real data `path`, or skip the test where it is missing."""
    found = real.find(path)
    stand_on(item, "data", path, str(found or ""))
    if found is None:
        pytest.skip(f"{real.MISSING}: {path}")
    return found


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked `testdata(path)` whose data is missing, before its fixtures are built."""
    for marker in item.iter_markers("testdata"):
        demand(item, *marker.args)


@pytest.fixture
def testdata(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """Give the real file or folder `PATH`; the test is skipped where it is missing."""
    return lambda path: demand(request.node, path)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests stood on and what was not run for want of it."""
    found: dict[tuple[str, str], str] = {}
    ran: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    left: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for outcome, reports in terminalreporter.stats.items():
        # "" holds the passed setups and teardowns: the call's report says how the test went.
        for report in reports if outcome else ():
            for name, value in getattr(report, "user_properties", ()):
                if name == NOTE:
                    kind, need, where = str(value).split("\t")
                    found[kind, need] = found.get((kind, need)) or where
                    (left if outcome == "skipped" else ran)[kind, need].add(report.nodeid)
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
            why = "skipped for another reason" if where else WHY_NOT.get(row[0], "not found")
            terminalreporter.write_line(
                f"{head}not run: {why}; tests left out: {len(left[row])}", yellow=True
            )
