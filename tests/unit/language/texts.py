"""Small sets of rule files for tests: one rule, its parts replaceable, over a small catalogue."""

from __future__ import annotations

from engine.language.loader import Loaded, load_texts
from engine.language.model import Pattern, Rule, RuleSet, Test

POLICY = """\
timezone: Asia/Shanghai
quiet: 21:00 to 09:00
contact: {at_most: [1 in 1d, 4 in 30d], by_tier: {vip: 2 in 30d}}
groups: {upsell: {cooldown: 7d}}
"""

CATALOG = {
    "catalog/fields.yaml": """\
brand: {values: [GoTone, M-Zone]}
tier: {values: [gold, vip]}
city: {type: text}
arpu: {type: money}
age: {type: number}
left: {type: percent}
month: {type: bytes}
online: {type: duration}
mms: {type: yes/no}
tags: {type: set}
products: {type: set}
""",
    "catalog/places.yaml": """\
north: {name: 北, cells: [460-00-1-1, 460-00-1-2]}
south: {name: 南, cells: cells/south.csv}
groups: {both: [south, north]}
""",
    "catalog/cells/south.csv": "cell,site\n460-00-2-1,a\n460-00-2-2,b\n",
    "catalog/products.yaml": """\
pack: {name: 包, price: 20 yuan, reply: KT1}
free: {name: 赠, price: 50 fen}
""",
    "catalog/numbers.yaml": "hotline: [10086]\nrivals: [10010, +86 10000]\n",
}

RULE = """\
rule: r
title: A rule
owner: team
status: {status}
approved_by: lead
valid: 2026-09-01 to 2026-09-30
when: {when}
who: {who}
except: {excepts}
offer:
  product: {product}
  send:
    - {send}
limits: {{priority: 5, at_most: 1 in 14d, send_within: 1h, holdout: 5%{limits}}}
goal: {{converts_when: {{happens: product.bought}}, within: 1d}}
"""

TASK = "{channel: manual, task: call}"


def rule_text(
    when: str = "{enters: north}",
    *,
    who: str = "{}",
    excepts: str = "{}",
    product: str = "pack",
    send: str = TASK,
    limits: str = "",
    status: str = "draft",
) -> str:
    """Write a rule file."""
    return RULE.format(
        when=when, who=who, excepts=excepts, product=product, send=send, limits=limits, status=status
    )


def files(rule: str, **others: str) -> dict[str, str]:
    """Put a rule among policy and catalogue; `others`: `policy`, `fields`, … replace a file."""
    texts = {**CATALOG, "policy.yaml": POLICY, "r.yaml": rule}
    for name, text in others.items():
        texts["policy.yaml" if name == "policy" else f"catalog/{name}.yaml"] = text
    return texts


def load(rule: str, **others: str) -> Loaded:
    return load_texts(files(rule, **others))


def good(loaded: Loaded) -> RuleSet:
    """Return the set; problems fail the test and are shown."""
    assert loaded.ruleset is not None, "\n".join(map(str, loaded.problems))
    assert not loaded.problems, "\n".join(map(str, loaded.problems))
    return loaded.ruleset


def rule_of(text: str, **others: str) -> Rule:
    return good(load(text, **others)).rules["r"]


def pattern(when: str) -> Pattern:
    return rule_of(rule_text(when)).when


def who(line: str) -> Test:
    """Compile one line of `who`."""
    (test,) = rule_of(rule_text(who="{" + line + "}")).who
    return test


def codes(loaded: Loaded) -> list[str]:
    return [problem.code for problem in loaded.problems]
