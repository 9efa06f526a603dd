"""What roles tell without a server: whether they are ready, whether rules could be taken."""

from __future__ import annotations

import pytest

from engine.deployment.common import Common
from engine.deployment.engine import NO_RULES, EngineRole
from engine.deployment.process import PagesRole
from engine.errors import LogError
from engine.language.model import Catalog, Policy, RuleSet
from engine.rulebook import Rulebook
from engine.settings import Settings

KNOWN = "a" * 32


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

    def ready(self) -> dict[str, str]:
        """Say what the test says."""
        return {"store": self.said}


@pytest.fixture
def common() -> Common:
    return Common(Settings(kafka_bootstrap="127.0.0.1:1", redis_url="redis://127.0.0.1:1"))


def value(common: Common, name: str) -> float | None:
    """One value of the page."""
    return common.registry.get_sample_value(f"touchpoint_{name}")


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
