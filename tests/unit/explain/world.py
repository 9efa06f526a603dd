"""A small world for tests of explain: one rule, one subscriber, all that the engine and explain say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.identity import Identity
from engine.intake import Intake
from engine.language.loader import load_texts
from engine.language.model import RuleSet
from engine.replay import Replay
from engine.rulebook import Rulebook
from engine.trace.flips import RECORDS_AT_MOST, Flips, Trials
from engine.trace.story import RuleStory, stories
from engine.trace.waits import PatternLine
from engine.trace.watch import WatchedFold
from tests.unit.cli.support import CONSENT, FILES, SECOND, T

ANNA = "anna"
KEY, SALT = b"key", b"salt"
PLACES = """
hall: {name: 营业厅, cells: [hall-1]}
mall: {name: 商圈, cells: [mall-1, mall-2]}
yard: {name: 院子, cells: [yard-1], leave_after: 10m}
groups: {centre: [hall, mall]}
"""
FIELDS = """
tier: {values: [ordinary, gold, vip], say: t}
arpu: {type: money, say: a}
age: {type: number, say: a}
left: {type: bytes, say: l}
student: {type: yes/no, say: s}
tags: {type: set, say: t}
"""
RULE = """
rule: NAME
title: A rule of the tests
owner: team
status: live
approved_by: lead
valid: 2026-09-01 to 2026-09-30
when: WHEN
who: WHO
offer:
  product: gift
  send:
    - {channel: sms, text: "【移动】领取{product.name}。退订回R。"}
limits: {priority: 50, at_most: 1 in 1d, send_within: 2h, holdout: 0%}
goal: {converts_when: {happens: product.bought}, within: 1d}
"""
EVERYONE = {"tier": "gold", "arpu": 88, "age": 30, "student": False, "tags": [], "consent": CONSENT}


def rule(when: str, name: str = "it", who: str = "{tier: [gold, vip]}", **changed: str) -> str:
    """Write a rule; `changed`: text in it -> other text."""
    text = RULE.replace("NAME", name).replace("WHEN", when).replace("WHO", who)
    for key, value in changed.items():
        line = next(line for line in text.splitlines() if line.startswith(f"{key}:"))
        text = text.replace(line, f"{key}: {value}")
    return text


def rules_of(*texts: str, policy: str = "") -> RuleSet:
    """Load rules, each under its name."""
    files = {**FILES, "catalog/places.yaml": PLACES, "catalog/fields.yaml": FIELDS}
    del files["team/hall-visit.yaml"]
    files["policy.yaml"] = policy or files["policy.yaml"]
    for text in texts:
        files[f"team/{text.split('rule: ', 1)[1].split()[0]}.yaml"] = text
    loaded = load_texts(files)
    assert loaded.ruleset is not None, [problem.pretty() for problem in loaded.problems]
    return loaded.ruleset


@dataclass(frozen=True, slots=True)
class Told:
    """What explain says."""

    stories: dict[str, RuleStory]
    flips: dict[str, Flips | None]

    def line(self, name: str = "when", rule: str = "it") -> PatternLine:
        """One pattern's line."""
        return next(line for line in self.stories[rule].pattern if line.name == name)

    def near(self, name: str = "when", rule: str = "it") -> tuple[str, str | None]:
        """How near a pattern came, and the mark that would have met it."""
        miss = self.line(name, rule).nearest
        assert miss is not None
        return miss.text, miss.change

    def changes(self, rule: str = "it") -> list[str]:
        """The single changes that were found for a rule."""
        flips = self.flips[rule]
        assert flips is not None
        return [flip.change for flip in flips.found]


def tell(
    rules: RuleSet,
    records: Sequence[dict[str, Any]],
    minutes: float = 24 * 60,
    most: int = RECORDS_AT_MOST,
    **profile: Any,
) -> Told:
    """Run records of Anna (`at`: minutes after 10:00) until so many minutes after it, and explain."""
    intake = Intake(Identity(KEY))
    fold = WatchedFold(Rulebook(rules, KEY), SALT)
    until = T + round(minutes * 60 * SECOND)
    replay = Replay(fold, until=until)
    line = {"subscriber": ANNA, **EVERYONE, **profile}
    [known] = [intake.record(fields, "test", "1") for fields in [_profile(line)]]
    assert known is not None
    replay.profiles([known])
    fold.watch([known.key])
    for number, fields in enumerate(sorted(records, key=lambda each: each["at"])):
        record = {name: value for name, value in fields.items() if name != "at"}
        if record["kind"] != "tick":
            record["subscriber"] = ANNA
        record["t"] = T + round(fields["at"] * 60 * SECOND)
        event = intake.record(record, "test", str(number))
        assert event is not None, (record, intake.refused)
        replay.feed(event)
    replay.close()
    decisions = replay.take()
    told = list(stories(fold, known.key, until, decisions))
    trials = Trials(fold, known.key, until, decisions, most)
    return Told({story.rule: story for story in told}, {story.rule: trials.of(story) for story in told})


def _profile(line: dict[str, Any]) -> dict[str, Any]:
    own = ("subscriber", "consent", "timezone")
    fields: dict[str, Any] = {"kind": "profile.update", "t": T - 3_600 * SECOND}
    fields["profile"] = {name: value for name, value in line.items() if name not in own}
    return {**fields, **{name: line[name] for name in own if name in line}}


def call(at: float, number: str = "10086", duration: float = 60, **fields: Any) -> dict[str, Any]:
    """A finished call."""
    return {"kind": "call.out", "at": at, "number": number, "duration": duration, **fields}


def seen(at: float, cell: str) -> dict[str, Any]:
    """A sighting."""
    return {"kind": "loc.update", "at": at, "cell": cell}


def data(at: float, megabytes: float) -> dict[str, Any]:
    """A data session."""
    return {"kind": "data.session", "at": at, "down": round(megabytes * (1 << 20)), "up": 0}
