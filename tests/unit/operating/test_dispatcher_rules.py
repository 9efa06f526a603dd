"""Which rules a dispatcher asks by, given what the lanes say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import orjson

from engine.deployment.dispatcher import DispatcherRole

OLD, NEW = "a" * 32, "b" * 32


def role() -> Any:
    """A dispatcher role without its doors, that knows every set."""
    made: Any = DispatcherRole.__new__(DispatcherRole)
    made.common = SimpleNamespace(settings=SimpleNamespace(partitions=2))
    made._book, made._canary, made._owed = None, None, {}
    made._rules = SimpleNamespace(book=lambda name: SimpleNamespace(hash=name))
    return made


def lane(rules: str, canary: str | None = None) -> bytes:
    more = {} if canary is None else {"canary": {"hash": canary, "canary": "5%", "mark": "0:5"}}
    return orjson.dumps({"rules": rules, **more})


def test_those_on_a_canary_are_asked_by_its_set() -> None:
    found = role()
    found._look_at_lanes([lane(OLD, NEW), lane(OLD, NEW)])
    assert found._book_of("").hash == OLD
    assert found._book_of(f"{OLD}@0:5").hash == OLD
    assert found._book_of(f"{NEW}@0:5").hash == NEW


def test_a_lane_that_has_no_canary_any_more_keeps_nobody_waiting() -> None:
    found = role()
    found._look_at_lanes([lane(OLD, NEW), lane(OLD)])
    assert (found._book_of("").hash, found._book_of(f"{NEW}@0:5").hash) == (OLD, NEW)


def test_while_lanes_differ_the_rules_are_those_that_were() -> None:
    found = role()
    found._look_at_lanes([lane(OLD), lane(NEW)])
    assert found._book_of("") is None
    found._look_at_lanes([lane(OLD), lane(OLD)])
    found._look_at_lanes([lane(OLD), lane(NEW)])
    assert found._book_of("").hash == OLD
    found._look_at_lanes([lane(NEW), lane(NEW)])
    assert found._book_of("").hash == NEW
