"""The simulated hour that `replay`, `lanes` and `doors` share."""

from __future__ import annotations

from bench.course import HOME_CC
from bench.feeds import HOUR_OF, Feed, simulate
from bench.report import ROOT, Scale
from engine.app import load_rules
from engine.language.model import RuleSet


def simulated_hour(scale: Scale) -> tuple[RuleSet, Feed]:
    """Return the project's rules and an hour of the morning."""
    rules = load_rules(ROOT / "rules", HOME_CC)
    return rules, simulate(scale.cache, rules, scale.subscribers, 1.0, HOUR_OF)
