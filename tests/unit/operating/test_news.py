"""What a role logs of itself: each change of a check once, a flood never, rules in force, rebuilds."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from connectors.memory_log import MemoryLog
from connectors.memory_offers import MemoryOffers
from connectors.memory_optouts import MemoryOptOuts
from connectors.memory_store import MemoryStore
from engine.deployment.common import Common
from engine.deployment.engine import NO_RULES, EngineRole
from engine.deployment.lookout import Lookout
from engine.deployment.news import SAME_AFTER, CheckLog
from engine.deployment.process import PagesRole
from engine.lane import Lane
from engine.language.model import Catalog, Policy, RuleSet
from engine.log_fields import ALLOWED
from engine.log_pace import AT_ONCE, EVERY
from engine.rulebook import Rulebook
from engine.settings import Settings
from tests.unit.operating.test_role_metrics import T

AWAY = "redis: info: expected a reply, was ConnectionError"
Line = MutableMapping[str, Any]


class Clock:
    """Seconds that a test moves."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def told() -> Iterator[Sequence[Line]]:
    """What is logged, each line by its fields; all of them may be."""
    with capture_logs() as lines:
        yield lines
    assert {name for line in lines for name in line} <= ALLOWED | {"event", "log_level"}


def brief(lines: Sequence[Line], *names: str) -> list[tuple[Any, ...]]:
    return [(line["log_level"], *(line.get(name) for name in names)) for line in lines]


def test_each_change_of_a_check_is_one_line(told: list[Line]) -> None:
    clock = Clock()
    checks = CheckLog("readyz", clock)
    for sentence in ("", AWAY, AWAY, AWAY, "", ""):
        checks.look({"store": sentence, "rules": ""})
        clock.now += 1
    assert brief(told, "page", "check", "problem", "seconds") == [
        ("warning", "readyz", "store", AWAY, None),
        ("info", "readyz", "store", None, 3.0),
    ]


def test_a_check_that_goes_on_failing_with_other_words_is_told_now_and_then(told: list[Line]) -> None:
    clock = Clock()
    checks = CheckLog("readyz", clock)
    for number in range(200):
        checks.look({"lanes": f"partition 0: expected to be folded up to 900 first, was at {number}"})
        clock.now += 1
    assert len(told) == 1 + 199 // SAME_AFTER


def test_a_check_that_flaps_does_not_flood_and_its_end_is_told(told: list[Line]) -> None:
    clock = Clock()
    checks = CheckLog("readyz", clock)
    for number in range(3_000):
        checks.look({"store": AWAY if number % 2 == 0 else "", "rules": "not yet" if number else ""})
        clock.now += 1
    flapped = [line for line in told if line["check"] == "store"]
    assert AT_ONCE < len(flapped) <= AT_ONCE + 3_000 / EVERY
    assert sum(line.get("count", 0) for line in flapped) > 2_500  # those left out are counted
    assert [line for line in told if line["check"] == "rules"][1:] == []
    for _ in range(100):
        checks.look({"store": AWAY})
        clock.now += 1
    last = [line for line in told if line["check"] == "store"][-1]
    assert last["problem"] == AWAY


class Role:
    """A role with a check of each page."""

    name = "engine"
    stuck = said = ""

    def live(self) -> dict[str, str]:
        return {"lanes": self.stuck}

    def ready(self) -> dict[str, str]:
        return {"store": self.said}


@pytest.fixture
def common() -> Common:
    return Common(Settings(kafka_bootstrap="127.0.0.1:1", redis_url="redis://127.0.0.1:1"))


async def test_a_process_logs_the_checks_of_its_pages(common: Common, told: list[Line]) -> None:
    role = Role()
    pages = PagesRole(common, [role])
    await pages.look()
    role.said, role.stuck = AWAY, "partition 0 hangs"
    await pages.look()
    await pages.look()
    assert sorted(brief(told, "page", "check", "problem")) == [
        ("warning", "livez", "lanes", "partition 0 hangs"),
        ("warning", "readyz", "store", AWAY),
    ]


class Published:
    """Every set of rules that is asked for."""

    def book(self, name: str) -> Rulebook:
        return Rulebook(RuleSet({}, Catalog(), Policy(), name), b"key")


async def test_rules_in_force_are_logged_with_their_hash_at_each_switch_and_rebuilds_by_partition(
    common: Common, told: list[Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: object) -> None:
        """Ask no server how far the log goes on, and whom the store has."""

    monkeypatch.setattr(Lookout, "tell", nothing)
    role = EngineRole(common)
    log, store = MemoryLog(1), MemoryStore(1)
    twins = {"log": log, "store": store, "offers": MemoryOffers(1), "optouts": MemoryOptOuts()}
    for name, twin in {**twins, "_rules": Published(), "_health_at": float("inf")}.items():
        monkeypatch.setattr(role, name, twin)
    monkeypatch.setattr(role, "_await_rules", nothing)
    lane: Lane = role.keeper.lanes.setdefault(0, role._lane(0))
    lane.mark_every = 0

    async def switch(name: str, t: int) -> None:
        await log.append([(0, b'{"kind":"rules.switch","t":%d,"hash":"%s"}' % (t, name.encode()))])
        await lane.run()
        for _ in range(3):
            await role.look()

    first, second = "a1" * 16, "b2" * 16
    await role.look()
    assert told == []  # no lane is open yet
    await lane.run()
    await role.look()
    await switch(first, T)
    await switch(second, T + 1)
    assert brief(told, "hash", "partitions") == [
        ("warning", None, [0]),
        ("info", first, [0]),
        ("info", second, [0]),
    ]
    assert NO_RULES.hash not in str(told)
    told.clear()
    await lane.flush()
    store.lose(0)
    lane.forget()
    await lane.step()
    await role.look()
    await lane.run()
    await role.look()
    await role.look()
    rebuilt = [line for line in told if "partition" in line]
    assert brief(rebuilt, "partition") == [("warning", 0), ("info", 0)]
    assert "seconds" in rebuilt[1]
