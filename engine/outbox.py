"""What a commit puts into the outbox: lines, offers, releases, profiles, by name (`engine.ports.Offers`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from engine.emit import Decision
from engine.pipeline import Fold
from engine.ports import FORGOTTEN, LAST_WORD, LINE, OFFER, PROFILE, REFUSALS, RELEASE, OptOuts
from engine.snapshot import Subscriber

PACKED = 200
"""Refusals in one message, at most: about 100 KB, far below what a broker takes."""


def name_of(decision: Decision) -> str:
    """Name a decision line: consumers drop repeats by (id, at)."""
    return f"{decision['id']}@{decision['at']}"


def fill(fold: Fold, decisions: list[Decision], hash_number: Callable[[str], str]) -> dict[str, bytes]:
    """Return the outbox entries of a commit, in the order in which they are published."""
    out: dict[str, bytes] = {}
    refusals: list[Decision] = []
    for key, time in fold.profiles.items():
        sub = fold.subscribers.get(key)
        out[PROFILE + key] = profile_of(sub, time) if sub is not None else b""
    for key, (msisdn, time) in fold.last_words.items():
        who = hash_number(msisdn) if msisdn else key
        out[LAST_WORD + who] = orjson.dumps({"optout": who, "t": time})
    # what stands in a forgotten ledger comes before the word that ends it, a new life's decisions behind it
    ended = {id for _, ids in fold.forgotten.values() for id in ids}
    if ended:
        _enter([decision for decision in decisions if decision["id"] in ended], out, refusals)
        decisions = [decision for decision in decisions if decision["id"] not in ended]
    for key, (time, _) in fold.forgotten.items():
        out[FORGOTTEN + key] = orjson.dumps({"forgotten": key, "subscriber_key": key, "t": time})
    _enter(decisions, out, refusals)
    for start in range(0, len(refusals), PACKED):
        pack = refusals[start : start + PACKED]
        out[REFUSALS + name_of(pack[0])] = orjson.dumps(pack)
    for id, key, time in fold.releases:
        out[RELEASE + id] = orjson.dumps({"release": id, "subscriber_key": key, "t": time})
    return out


def _enter(decisions: list[Decision], out: dict[str, bytes], refusals: list[Decision]) -> None:
    for decision in decisions:
        outcome = decision["outcome"]
        if outcome == "refused":
            refusals.append(decision)
        else:
            prefix = OFFER if outcome == "offer" else LINE
            out[prefix + name_of(decision)] = orjson.dumps(decision)


def profile_of(sub: Subscriber, time: int) -> bytes:
    """Write a profile whole, as of the record of time `time`."""
    profile: dict[str, Any] = {
        "subscriber_key": sub.key,
        "msisdn": sub.bound,
        "bound_at": sub.bound_at,
        "timezone": sub.timezone,
        "profile": sub.profile,
        "consent": sub.consent,
        "suppressed": sub.suppressed,
        "choice": sub.choice,
        "t": time,
    }
    if sub.habits is not None and sub.habits.sums:
        profile["habits"] = sub.habits.pack()
    return orjson.dumps(profile)


def of_profiles(batch: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    """Name what the topic of profiles keeps (`Offers.profiles`) as the outbox entries it was."""
    return {key if key.startswith(LAST_WORD) else PROFILE + key: payload for key, payload in batch}


async def tell(optouts: OptOuts, entries: Mapping[str, bytes], hash_number: Callable[[str], str]) -> None:
    """Put opt-outs among entries where the dispatcher asks for them, and take out what was taken back."""
    adds, releases = opted(entries, hash_number)
    if adds:
        await optouts.add(adds)
    if releases:
        await optouts.release(releases)


def opted(
    entries: Mapping[str, bytes], hash_number: Callable[[str], str]
) -> tuple[dict[str, int], dict[str, int]]:
    """Read from the profiles among entries who said no to marketing, and who said yes: keyed hash -> `t`, µs.

    Only what they said themselves counts (`Subscriber.choice`): a profile that is loaded, or that binds a
    number, takes no opt-out back. The key of a number that no profile binds is the keyed hash of that number.
    """
    adds: dict[str, int] = {}
    releases: dict[str, int] = {}
    for name, payload in entries.items():
        if not payload:
            continue
        if name.startswith(LAST_WORD):
            word: Mapping[str, Any] = orjson.loads(payload)
            adds[word["optout"]] = word["t"]
        elif name.startswith(PROFILE):
            profile: Mapping[str, Any] = orjson.loads(payload)
            msisdn, choice = profile["msisdn"], profile["choice"]
            key = profile["subscriber_key"]
            who = hash_number(msisdn) if msisdn else key
            if choice < 0:
                adds[who] = -choice
            elif choice:
                # a no from before the number was bound stands under the key
                releases[who] = releases[key] = choice
    return adds, releases
