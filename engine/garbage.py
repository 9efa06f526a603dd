"""Python's collector of cyclic garbage, set for processes that hold many subscribers."""

from __future__ import annotations

import gc


def calm_collector() -> None:
    """Let Python look for cycles of garbage seldom: for processes that hold many subscribers.

    Their state lives long and makes no cycles, but by default all of it is walked again whenever it has grown
    by some thousands of objects (docs/performance.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
