"""policy.yaml to `Policy`: the house rules that no campaign rule can loosen."""

from __future__ import annotations

from typing import Final

from engine.event_kinds import RATS
from engine.language import words
from engine.language.catalog import Names, check_name
from engine.language.checks import shape
from engine.language.checks.duplicates import check_members
from engine.language.checks.everybody import check_share
from engine.language.checks.quiet import covers_the_day
from engine.language.model import HOUR, Cap, Channel, Interval, Learn, Policy
from engine.language.report import Report
from engine.language.source import Mapping, Node, Scalar
from engine.localtime import is_timezone

PATH: Final = "policy.yaml"
KEYS: Final = (
    "window", "timezone", "quiet", "patience", "presence", "contact", "groups", "holdout", "opt_out",
    "cost", "learn",
)  # fmt: skip
PRESENCE: Final = ((), ("lapse", "bridge"))
LEARN: Final = ((), ("home", "work"))
CONTACT: Final = ((), ("at_most", "by_tier"))
GROUP: Final = (("cooldown",), ())
"""The sections: keys that must be there, keys that may."""
MEMORY: Final = 48 * HOUR
"""Nothing older counts (semantics.md 1.7)."""
LATEST: Final = HOUR
"""Later signaling is dropped, so no patience can be longer (semantics.md 1.5)."""

_DEFAULT: Final = Policy()
PAID: Final[tuple[Channel, ...]] = ("sms", "mms")
"""Channels with a price of their own; the work of people is not counted."""


def read_policy(report: Report, names: Names) -> Policy:
    """Read policy.yaml. What is not given keeps its default."""
    if report.source.root is None:
        return _DEFAULT
    root = shape.mapping(report, report.source.root, "the keys of a policy")
    if root is None:
        return _DEFAULT
    shape.keys(report, root, root, "policy.yaml", (), KEYS)
    lapse, by_rat, bridge = _presence(report, root.get("presence"))
    contact, by_tier = _contact(report, root.get("contact"), names)
    quiet = intervals(report, root.get("quiet"))
    if covers_the_day(quiet):
        report.warn(
            "R403", root.entries["quiet"][1], "quiet time covers the whole day: no message is ever sent"
        )
    holdout = shape.value(report, root.get("holdout"), "a share such as `2%`", words.share, 0.0, "R209")
    check_share(report, root.get("holdout"), holdout)
    return Policy(
        window=_bounded(report, root.get("window"), _DEFAULT.window, MEMORY, "nothing older counts"),
        timezone=_timezone(report, root.get("timezone")),
        quiet=quiet,
        patience=_bounded(
            report, root.get("patience"), _DEFAULT.patience, LATEST, "later records are dropped", zero=True,
        ),
        lapse=lapse,
        lapse_by_rat=by_rat,
        bridge=bridge,
        contact=contact,
        contact_by_tier=by_tier,
        groups=_groups(report, root.get("groups")),
        holdout=holdout,
        opt_out=_opt_out(report, root.get("opt_out")),
        cost=_cost(report, root.get("cost")),
        learn=_learn(report, root.get("learn")),
    )  # fmt: skip


def intervals(report: Report, node: Node | None) -> tuple[Interval, ...]:
    """Read `21:00 to 09:00`, or a list of such."""
    found = []
    check_members(report, shape.one_or_more(node))
    for item in shape.one_or_more(node):
        span = shape.value(report, item, "a span such as `21:00 to 09:00`", words.interval, None)
        if span is not None:
            found.append(span)
    return tuple(found)


def _bounded(report: Report, node: Node | None, default: int, most: int, why: str, zero: bool = False) -> int:
    if node is None:
        return default
    length = shape.duration(report, node, zero)
    if length > most:
        report.error("R108", node, f"expected at most {words.write_duration(most)}: {why}")
        return default
    return length


def _timezone(report: Report, node: Node | None) -> str:
    name = shape.text(report, node, "a timezone such as `Asia/Shanghai`")
    if not name:
        return _DEFAULT.timezone
    if is_timezone(name):
        return name
    assert node is not None
    common = ("Asia/Shanghai", "Asia/Urumqi", "Asia/Hong_Kong", "Asia/Macau", "Asia/Taipei", "UTC")
    report.unknown("R106", node, f"no timezone `{name}`", name, common)
    return _DEFAULT.timezone


def _presence(report: Report, node: Node | None) -> tuple[int, dict[str, int], int]:
    """Return (lapse, lapse by RAT, bridge)."""
    lapse, by_rat, bridge = _DEFAULT.lapse, dict[str, int](), _DEFAULT.bridge
    body = shape.mapping(report, node, "`{lapse: …, bridge: …}`") if node is not None else None
    if body is None:
        return lapse, by_rat, bridge
    shape.keys(report, body, body, "`presence`", *PRESENCE)
    given = body.get("lapse")
    if isinstance(given, Mapping):
        for key, length in given:
            if key.text not in RATS:
                report.unknown("R106", key, f"no radio access `{key.text}`", key.text, RATS)
            by_rat[key.text] = shape.duration(report, length)
    elif given is not None:
        lapse = shape.duration(report, given)
    if "bridge" in body.entries:
        bridge = shape.duration(report, body.get("bridge"), zero=True)
    return lapse, by_rat, bridge


def _contact(report: Report, node: Node | None, names: Names) -> tuple[tuple[Cap, ...], dict[str, Cap]]:
    body = shape.mapping(report, node, "`{at_most: …}`") if node is not None else None
    if body is None:
        return (), {}
    shape.keys(report, body, body, "`contact`", *CONTACT)
    check_members(report, shape.one_or_more(body.get("at_most")))
    caps = [shape.value(report, item, "a limit such as `1 in 1d`", words.cap, None)
            for item in shape.one_or_more(body.get("at_most"))]  # fmt: skip
    by_tier: dict[str, Cap] = {}
    tiers = body.get("by_tier")
    lines = shape.mapping(report, tiers, "a limit for each tier") if tiers is not None else None
    for key, line in lines or ():
        _check_tier(report, key, names)
        cap = shape.value(report, line, "a limit such as `2 in 30d`", words.cap, None)
        if cap is not None:
            by_tier[key.text] = cap
    return tuple(cap for cap in caps if cap is not None), by_tier


def _check_tier(report: Report, key: Scalar, names: Names) -> None:
    if "fields" in names.unreadable:
        return
    spec = names.catalog.fields.get("tier")
    if spec is None:
        report.error("R206", key, "subscribers have no field `tier`", "add `tier` to catalog/fields.yaml")
    elif spec.values and key.text not in spec.values:
        report.unknown("R208", key, f"`tier` is never `{key.text}`", key.text, spec.values)


def _groups(report: Report, node: Node | None) -> dict[str, int]:
    """Return group -> cooldown in µs."""
    body = (
        shape.mapping(report, node, "a name on each line, with `{cooldown: …}`") if node is not None else None
    )
    found: dict[str, int] = {}
    for key, spec in body or ():
        check_name(report, key)
        found[key.text] = 0
        line = shape.mapping(report, spec, "`{cooldown: …}`")
        if line is not None:
            shape.keys(report, line, key, f"`{key.text}`", *GROUP)
            found[key.text] = shape.duration(report, line.get("cooldown"), zero=True)
    return found


def _opt_out(report: Report, node: Node | None) -> tuple[str, ...]:
    if node is None:
        return _DEFAULT.opt_out
    nodes = [node] if isinstance(node, Scalar) else shape.sequence(report, node, "replies")
    check_members(report, nodes)
    replies = tuple(text for item in nodes if (text := shape.text(report, item, "a reply")))
    return replies or _DEFAULT.opt_out  # after a report: there is none


def _cost(report: Report, node: Node | None) -> dict[Channel, float]:
    """Return channel -> yuan for each SMS part, for each MMS."""
    body = shape.mapping(report, node, "`{sms: 0.05 yuan, mms: 0.30 yuan}`") if node is not None else None
    if body is None:
        return {}
    shape.keys(report, body, body, "`cost`", (), PAID)
    found: dict[Channel, float] = {}
    for channel in PAID:
        given = body.get(channel)
        if given is None:
            continue
        none: int | float = 0
        price = shape.value(report, given, "a price", lambda text: words.amount(text, "money"), none, "R209")
        if price < 0:
            report.error("R108", given, "a price is not below 0")
        found[channel] = float(price)
    return found


def _learn(report: Report, node: Node | None) -> Learn | None:
    """Read when people are at home and at work, one span of the day each."""
    if node is None:
        return None
    body = shape.mapping(report, node, "`{home: 23:00 to 06:00}`")
    if body is None:
        return None
    shape.keys(report, body, body, "`learn`", *LEARN)
    spans: dict[str, Interval | None] = {}
    for key in LEARN[1]:
        given = body.get(key)
        spans[key] = None
        if given is not None:
            span = shape.value(report, given, "a span such as `23:00 to 06:00`", words.interval, None)
            if span is not None and span[0] == span[1]:
                report.error("R108", given, "these hours end as they begin", "give the hours of one night")
            spans[key] = span
    if not any(key in body.entries for key in LEARN[1]) and not body.entries:
        report.error("R102", node, "this says nothing to learn", "give `home`, `work` or both")
    return Learn(spans["home"], spans["work"])
