"""What every test gets: real data or an honest skip, real servers, Hypothesis profiles, the closing table."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import testdata as real
from tests.closing_table import print_table, stand_on
from tests.servers.fixtures import (
    _kafka,
    _postgres,
    _redis,
    _redis_cluster,
    kafka_server,
    new_redis,
    postgres_server,
    redis_cluster,
    redis_sentinel,
    redis_server,
    topic_prefix,
)

__all__ = [
    "_kafka",
    "_postgres",
    "_redis",
    "_redis_cluster",
    "kafka_server",
    "new_redis",
    "postgres_server",
    "redis_cluster",
    "redis_sentinel",
    "redis_server",
    "stand_on",
    "topic_prefix",
]

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
    print_table(terminalreporter)
