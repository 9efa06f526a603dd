"""What a commit puts into the outbox: lines, offers, releases, profiles, by name (`engine.ports.Offers`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from engine.emit import Decision
from engine.pipeline import Fold
from engine.ports import LAST_WORD, LINE, OFFER, PROFILE, REFUSALS, RELEASE
from engine.snapshot import Subscriber

PACKED = 200
"""Refusals in one message, at most: about 100 KB, far below what a broker takes."""


def name_of(decision: Decision) -> str:
    """Name a decision line: consumers drop repeats by (id, at)."""
    return f"{decision['id']}@{decision['at']}"


def fill(fold: Fold, decisions: list[Decision]) -> dict[str, bytes]:
    """Return the outbox entries of a commit, in the order in which they are published."""
    out: dict[str, bytes] = {}
    refusals: list[Decision] = []
    for key, time in fold.profiles.items():
        sub = fold.subscribers.get(key)
        out[PROFILE + key] = profile_of(sub, time) if sub is not None else b""
    for key, (msisdn, time) in fold.last_words.items():
        out[LAST_WORD + key] = orjson.dumps({"subscriber_key": key, "msisdn": msisdn, "t": time})
    for decision in decisions:
        outcome = decision["outcome"]
        if outcome == "refused":
            refusals.append(decision)
        else:
            prefix = OFFER if outcome == "offer" else LINE
            out[prefix + name_of(decision)] = orjson.dumps(decision)
    for start in range(0, len(refusals), PACKED):
        pack = refusals[start : start + PACKED]
        out[REFUSALS + name_of(pack[0])] = orjson.dumps(pack)
    for id, key, time in fold.releases:
        out[RELEASE + id] = orjson.dumps({"release": id, "subscriber_key": key, "t": time})
    return out


def profile_of(sub: Subscriber, time: int) -> bytes:
    """Write a profile whole, as of the record of time `time`."""
    return orjson.dumps(
        {
            "subscriber_key": sub.key,
            "msisdn": sub.bound,
            "timezone": sub.timezone,
            "profile": sub.profile,
            "consent": sub.consent,
            "suppressed": sub.suppressed,
            "t": time,
        }
    )


def opted(
    entries: Mapping[str, bytes], hash_number: Callable[[str], str]
) -> tuple[dict[str, int], dict[str, int]]:
    """Read from the profiles among entries who wants no marketing, and who does: keyed hash -> `t`, µs.

    Who said nothing is in neither. The key of a number that no profile binds is the keyed hash of that
    number.
    """
    adds: dict[str, int] = {}
    releases: dict[str, int] = {}
    for name, payload in entries.items():
        if not name.startswith((PROFILE, LAST_WORD)) or not payload:
            continue
        profile: Mapping[str, Any] = orjson.loads(payload)
        msisdn = profile["msisdn"]
        who = hash_number(msisdn) if msisdn else profile["subscriber_key"]
        if name.startswith(LAST_WORD):
            adds[who] = profile["t"]
            continue
        given = profile["consent"].get("marketing")
        if profile["suppressed"] or given is False:
            adds[who] = profile["t"]
        elif given:
            releases[who] = profile["t"]
    return adds, releases
