"""What roles tell without a server: whether they are ready, whether rules could be taken, what lanes did."""

from __future__ import annotations

import ast
import inspect
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from structlog.testing import capture_logs

from connectors.memory_log import MemoryLog
from connectors.memory_offers import MemoryOffers
from connectors.memory_optouts import MemoryOptOuts
from connectors.memory_store import MemoryStore
from engine import __version__
from engine.deployment.common import Common
from engine.deployment.engine import NO_RULES, EngineRole
from engine.deployment.lookout import Lookout
from engine.deployment.process import PagesRole
from engine.errors import LogError, StoreError
from engine.lane import Lane
from engine.language.model import Catalog, Policy, RuleSet
from engine.log_fields import allowed
from engine.look_back import SETTING, too_long
from engine.metrics import Metrics
from engine.rulebook import Rulebook
from engine.settings import Settings
from tests.testdata import CHECKOUT
from tests.unit.pipeline.stage import rule, rules_of

KNOWN = "a" * 32
T = 1_788_740_000_000_000
"""A morning in September 2026, µs UTC."""


class Published:
    """Published rules: one set, and nothing else can be had."""

    def book(self, name: str) -> Rulebook:
        """Return the one set."""
        if name != KNOWN:
            raise KeyError(name)
        return Rulebook(RuleSet({}, Catalog(), Policy(), KNOWN), b"key")


class Role:
    """A role with one check."""

    name = "engine"
    said = ""

    def live(self) -> dict[str, str]:
        """Say that all is well."""
        return {}

    def ready(self) -> dict[str, str]:
        """Say what the test says."""
        return {"store": self.said}


@pytest.fixture
def common() -> Common:
    return Common(Settings(kafka_bootstrap="127.0.0.1:1", redis_url="redis://127.0.0.1:1"))


def value(common: Common, name: str, **labels: str) -> float | None:
    """One value of the page."""
    return common.registry.get_sample_value(f"touchpoint_{name}", labels)


class Doors:
    """An engine role on twins, and the lane of its one partition."""

    def __init__(self, common: Common, patch: pytest.MonkeyPatch) -> None:
        self.role = EngineRole(common)
        self.log, self.store = MemoryLog(1), MemoryStore(1)
        twins = {
            "log": self.log,
            "store": self.store,
            "offers": MemoryOffers(1),
            "optouts": MemoryOptOuts(),
        }
        for name, twin in twins.items():
            patch.setattr(self.role, name, twin)
        self.lane: Lane = self.role.keeper.lanes.setdefault(0, self.role._lane(0))

    async def fold(self, *records: dict[str, Any]) -> None:
        """Append records about one subscriber, fold and commit them."""
        await self.log.append([(0, orjson.dumps({"subscriber_key": "a1" * 16, **each})) for each in records])
        await self.lane.run()


@pytest.fixture
def doors(common: Common, monkeypatch: pytest.MonkeyPatch) -> Doors:
    # no server is asked how far the log goes on, and whom the store has: there is none
    monkeypatch.setattr(Lookout, "tell", _nothing)
    return Doors(common, monkeypatch)


async def _nothing(*_: object) -> None:
    return None


async def _came(*_: object) -> bool:
    return True


def test_the_version_is_on_the_page(common: Common) -> None:
    assert __version__
    assert value(common, "build_info", version=__version__) == 1


async def test_readiness_is_a_metric(common: Common) -> None:
    role = Role()
    pages = PagesRole(common, [role])
    assert value(common, "ready") == 0
    await pages.look()
    assert value(common, "ready") == 1
    role.said = "Redis: expected to answer, did not"
    await pages.look()
    assert value(common, "ready") == 0


async def test_rules_that_can_not_be_taken_are_told(common: Common, monkeypatch: pytest.MonkeyPatch) -> None:
    role = EngineRole(common)
    monkeypatch.setattr(role, "_rules", Published())
    make_fold = role._fold
    assert make_fold(None).book.hash == NO_RULES.hash
    assert make_fold(KNOWN).book.hash == KNOWN
    assert value(common, "rules_reload_success") == 1
    with pytest.raises(LogError, match="expected to be among the published"):
        make_fold("b" * 32)
    assert value(common, "rules_reload_success") == 0
    make_fold(KNOWN)
    assert value(common, "rules_reload_success") == 1


async def test_rules_that_look_back_too_far_are_warned_of_once(
    common: Common, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = rules_of(rule("seldom", {"happens": "sms.out"}, at_most="1 in 400d"))
    near = rules_of(rule("often", {"happens": "sms.out"}, at_most="1 in 366d"))
    books = {found.hash: Rulebook(found, b"key") for found in (far, near)}
    published = SimpleNamespace(book=books.__getitem__, wait=_came)
    monkeypatch.setattr(doors.role, "_rules", published)
    told = []
    for found in (near, far, near, far):
        with capture_logs() as lines:
            await doors.fold({"kind": "rules.switch", "t": T, "hash": found.hash})
            assert doors.lane.fold is not None
            assert doors.lane.fold.book.hash == found.hash
            await doors.role.look()
            await doors.role.look()
        told += [line for line in lines if line.get("setting") == SETTING]
    [line] = told
    fields = {name: value for name, value in line.items() if name not in ("event", "log_level")}
    assert line["log_level"] == "warning"
    assert allowed(fields) == (fields, 0)
    assert fields["hash"] == far.hash
    assert fields["problems"] == too_long(far, 366)


async def test_commits_that_the_store_does_not_take_are_told(
    common: Common, doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: object) -> None:
        raise StoreError("store: expected an answer, was none")

    with monkeypatch.context() as patched:
        patched.setattr(doors.store, "commit", lost)
        for _ in range(2):
            with pytest.raises(StoreError):
                await doors.fold({"kind": "consent.change", "t": T, "consent": {"marketing": True}})
    await doors.lane.run()
    for _ in range(2):
        await doors.role.look()
        assert value(common, "commits_total", result="error") == 2
        assert value(common, "commits_total", result="fenced") == 0
    assert value(common, "commits_total", result="ok") == 1


async def test_opt_outs_are_told_by_what_brought_them(common: Common, doors: Doors) -> None:
    said = {"marketing": False}
    await doors.fold(
        {"kind": "profile.update", "t": T, "consent": {"marketing": True}},
        {"kind": "consent.change", "t": T + 1, "consent": said},
        {"kind": "consent.change", "t": T + 2, "consent": said},
        {"kind": "profile.update", "t": T + 3, "consent": said},
    )
    assert value(common, "optouts_total", source="consent.change") == 1
    assert value(common, "optouts_total", source="profile.update") is None
    await doors.fold(
        {"kind": "consent.change", "t": T + 4, "consent": {"marketing": True}},
        {"kind": "complaint", "t": T + 5},
        {"kind": "complaint", "t": T + 6},
        {"kind": "consent.change", "t": T + 7, "consent": {"marketing": True}},
        {"kind": "sms.reply", "t": T + 8, "text": "hello", "to": "10086"},
        {"kind": "sms.reply", "t": T + 9, "text": " R ", "to": "10086"},
        {"kind": "product.bought", "t": T + 10, "product": "x"},
    )
    assert value(common, "optouts_total", source="complaint") == 1
    assert value(common, "optouts_total", source="sms.reply") == 1
    assert value(common, "optouts_total", source="consent.change") == 1
    await doors.fold({"kind": "profile.update", "t": T + 11, "consent": said})
    assert value(common, "optouts_total", source="profile.update") == 1


def test_every_metric_is_set_by_a_role() -> None:
    """Each method is named by a role; that each metric has its method, `test_metrics` shows."""
    said = {name for name, _ in inspect.getmembers(Metrics, inspect.isfunction) if not name.startswith("_")}
    named = set()
    for path in (CHECKOUT / "engine" / "deployment").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value).split(".")[-1] == "metrics":
                named.add(node.attr)
    assert said - named == set()
    assert named <= said | {"registry"}
