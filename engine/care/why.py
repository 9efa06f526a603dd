"""A decision's reason in words, from its line and the rules it was made by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.language import model
from engine.language.words import write_duration
from engine.trace.words import say, say_cap, say_pattern

_PLAIN = {
    "feed": "a feed it depends on was down while it waited",
    "suppressed": "opted out, or complained",
    "arbitration": "another rule took this moment",
    "channel": "none of the rule's messages is for this subscriber",
}


def why(line: Mapping[str, Any], rules: model.RuleSet | None) -> str:
    """Say why a decision was made as it was.

    Of a refusal: the gate that refused, with what it expected and what it saw. Of all others: what the
    subscriber did, and the lines of the rule that they met. `rules`: those of the line's hash, None if they
    are not known any more; then less is said.
    """
    rule = rules.rules.get(line["rule"]) if rules is not None else None
    reason = line["reason"]
    if reason is not None:
        return _refused(line, reason, rule, rules.policy if rules is not None else None)
    parts = [say_pattern(rule.when)] if rule is not None else []
    types = {test.field: test.type for test in rule.who} if rule is not None else {}
    for name, value in (line.get("values") or {}).items():
        block, _, field = name.partition(".")
        if block == "who":
            parts.append(f"{field} is {say(value, types.get(field, 'text'))}")
    return "; ".join(parts)


def _refused(
    line: Mapping[str, Any], reason: str, rule: model.Rule | None, policy: model.Policy | None
) -> str:
    block, _, name = reason.partition(".")
    value = (line.get("values") or {}).get(reason)
    if block in ("who", "except") and name:
        return _line(block, name, value, rule)
    if block == "consent":
        return f"{'said no' if value is False else 'never said yes'} to {name}"
    if reason in _PLAIN:
        return _PLAIN[reason]
    if rule is None:
        return reason
    limits = rule.limits
    if reason == "valid":
        return f"the rule is {rule.status}, from {rule.valid[0]} to {rule.valid[1]}"
    if reason == "limits.at_most":
        return f"the rule had its {say_cap(limits.at_most)}"
    if reason == "policy.contact":
        caps = [say_cap(cap) for cap in policy.contact] if policy is not None else []
        return f"enough offers of all rules: {' and '.join(caps)}" if caps else "enough offers of all rules"
    if reason == "only_one_of" and policy is not None:
        group = limits.only_one_of or ""
        return f"had an offer of {group} in the last {write_duration(policy.groups.get(group, 0))}"
    if reason == "send_within":
        return f"quiet time would not end within {write_duration(limits.send_within)}"
    return reason


def _line(block: str, field: str, value: Any, rule: model.Rule | None) -> str:
    tests = () if rule is None else rule.who if block == "who" else rule.excepts
    test = next((test for test in tests if test.field == field), None)
    seen = f"{field} is {say(value, test.type if test is not None else 'text')}"
    if test is None:
        return seen
    wanted = test.text.removeprefix("[").removesuffix("]")
    return f"{seen}, wanted {wanted}" if block == "who" else f"{seen}, left out: {wanted}"
