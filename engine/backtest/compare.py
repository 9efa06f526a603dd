"""Two versions of the rules over the same records: who gains an offer, who loses one, and why.

Both versions write one line per decision. Sorted, the lines of a subscriber and a rule stand together, so the
comparison holds no more than these at a time.

A subscriber GAINS a rule's offer if the new version makes them more offers of this rule than the old one over
the whole recording, and LOSES one if it makes fewer. With as many offers, but not of the same instants, their
offers MOVED. The instants named are those whose decision became an offer in one version only; a decision is
the same in both if its id is: same rule, subscriber and instant, also where a hold ended later. What the
other version said of an instant is the fate of that decision; if it has none, `another moment: FATE` of its
decision nearest in time, at most a day away; else `no match`, `no such rule`, or the rule's status.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, Literal

from engine.emit import Decision
from engine.language.model import DAY, RuleSet
from engine.look_back import ACTIVE

Side = Literal["new", "old"]
_MARKS: dict[Side, bytes] = {"new": b"1", "old": b"2"}
_PART = b"\x1f"
"""Between the fields of a line; none of them can hold it."""

Change = dict[str, Any]
Entry = tuple[int, bytes, str, str]
"""at, side, id, fate."""


def line_of(side: Side, decision: Decision) -> bytes:
    """Write a decision as a line; sorted, lines are in the order of subscriber, rule, time."""
    reason = decision["reason"]
    fate = f"refused:{reason}" if reason else decision["outcome"]
    fields = (
        decision["subscriber_key"].encode(),
        decision["rule"].encode(),
        b"%020d" % decision["at"],
        _MARKS[side],
        decision["id"].encode(),
        fate.encode(),
    )
    return _PART.join(fields) + b"\n"


class Comparison:
    """What one version has over the other, by rule."""

    def __init__(self, new: RuleSet, old: RuleSet) -> None:
        self.new = new
        self.old = old
        self.offers: dict[Side, Counter[str]] = {"new": Counter(), "old": Counter()}
        self.subscribers: Counter[str] = Counter()
        """`gain`, `lose`, `both` (gain of one rule and lose of another), `moved` -> subscribers."""
        self.gains: dict[str, Counter[str]] = {}
        """Rule -> what the old version said of the instants that are offers now."""
        self.losses: dict[str, Counter[str]] = {}
        """Rule -> what the new version says of the instants that were offers."""
        self.people: dict[str, Counter[str]] = {}
        """Rule -> `gain`, `lose`, `moved` -> subscribers."""

    def run(self, lines: Iterable[bytes], on_change: Callable[[str, Change], None]) -> None:
        """Read the sorted lines of both; `on_change` gets each gain and loss: (`gain` or `lose`, change)."""
        for key, of_subscriber in groupby(map(_fields, lines), key=lambda fields: fields[0]):
            ways = set()
            for rule, of_rule in groupby(of_subscriber, key=lambda fields: fields[1]):
                entries = [(int(f[2]), f[3], f[4].decode(), f[5].decode()) for f in of_rule]
                way, change = self._judge(key.decode(), rule.decode(), entries)
                if way:
                    ways.add(way)
                    self.people.setdefault(rule.decode(), Counter())[way] += 1
                if change is not None:
                    on_change(way, change)
            if {"gain", "lose"} <= ways:
                self.subscribers["both"] += 1
            elif ways:
                self.subscribers["gain" if "gain" in ways else "lose" if "lose" in ways else "moved"] += 1

    def _judge(self, key: str, rule: str, entries: list[Entry]) -> tuple[str, Change | None]:
        now = _offers(entries, "new")
        before = _offers(entries, "old")
        self.offers["new"][rule] += len(now)
        self.offers["old"][rule] += len(before)
        if now.keys() == before.keys():
            return "", None
        if len(now) == len(before):
            return "moved", None
        gained = len(now) > len(before)
        more, fewer, other, rules = (
            (now, before, _MARKS["old"], self.old) if gained else (before, now, _MARKS["new"], self.new)
        )
        others = [entry for entry in entries if entry[1] == other]
        fates = {entry[2]: entry[3] for entry in others}  # the last one: a hold's end
        instants = [
            {"at": at, "other": fates.get(id) or _nearby(others, at) or _without(rules, rule)}
            for id, at in more.items()
            if id not in fewer
        ]
        reasons = (self.gains if gained else self.losses).setdefault(rule, Counter())
        reasons.update(str(instant["other"]) for instant in instants)
        change = {
            "subscriber_key": key,
            "rule": rule,
            "offers": len(now),
            "offers_before": len(before),
            "instants": instants,
        }
        return ("gain" if gained else "lose"), change

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as plain data, by rule."""
        rules = []
        for rule in sorted({*self.new.rules, *self.old.rules, *self.offers["new"], *self.offers["old"]}):
            people = self.people.get(rule, Counter())
            rules.append(
                {
                    "rule": rule,
                    "status": _status(self.new, rule),
                    "status_before": _status(self.old, rule),
                    "offers": self.offers["new"][rule],
                    "offers_before": self.offers["old"][rule],
                    "gain": people["gain"],
                    "lose": people["lose"],
                    "moved": people["moved"],
                    "gained_over": _by_number(self.gains.get(rule, Counter())),
                    "lost_to": _by_number(self.losses.get(rule, Counter())),
                }
            )
        return {
            "rules_hash": self.old.hash,
            "offers": self.offers["new"].total(),
            "offers_before": self.offers["old"].total(),
            "subscribers": {way: self.subscribers[way] for way in ("gain", "lose", "both", "moved")},
            "rules": rules,
        }


def _offers(entries: list[Entry], side: Side) -> dict[str, int]:
    """Return id -> `at` of one version's offers, in their order."""
    return {id: at for at, mark, id, fate in entries if mark == _MARKS[side] and fate == "offer"}


def _nearby(entries: list[Entry], at: int) -> str | None:
    """Return the decision nearest in time, at most a day away: marks and windows move instants."""
    near = [entry for entry in entries if abs(entry[0] - at) <= DAY]
    best = min(near, key=lambda entry: (abs(entry[0] - at), entry[0]), default=None)
    return None if best is None else f"another moment: {best[3]}"


def _fields(line: bytes) -> list[bytes]:
    return line.rstrip(b"\n").split(_PART)


def _status(rules: RuleSet, name: str) -> str | None:
    rule = rules.rules.get(name)
    return None if rule is None else rule.status


def _without(rules: RuleSet, name: str) -> str:
    """Say why a version has no decision of an instant at all."""
    status = _status(rules, name)
    return "no such rule" if status is None else "no match" if status in ACTIVE else status


def _by_number(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
