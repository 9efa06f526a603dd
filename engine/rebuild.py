"""Build a lost store anew, from what the topics keep (design/protocol.md, "Redis empty").

    1 profiles   the last before the mark of every subscriber, from the compacted topic: who they are,
                 consents, suppression; a later one if there is none before, which may be compacted away
    2 lines      contacts and holds, from the decisions: all that were made before the mark
    3 events     folded again from the oldest that is kept (50 h) up to the mark, muted: no rule fires

From the mark on rules fire again. What was decided between the mark and the loss is decided once more, with
the same (id, at): offers of it that were published are known and not published again. Phases 1 and 2 write to
the store as they go and begin anew if they are cut off; phase 3 is the lane's own way, and goes on where it
stood.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from engine import ledger
from engine.codec import decode, encode
from engine.expiry import expires
from engine.lane_state import pack_lane
from engine.outbox import of_profiles
from engine.pipeline import Fold
from engine.ports import LAST_WORD, Commit, Control, Log, Mark, Offers, Store
from engine.residence import Habits
from engine.rulebook import Rulebook
from engine.snapshot import Subscriber
from engine.switching import enforce, unpack

REBUILDING = b'"rebuilding":true'
"""Stands in the lane's part of a partition while phases 1 and 2 are not done."""
CHUNK = 1_000
"""Subscribers written at a time."""

MakeFold = Callable[[str | None], Fold]
TellOptOuts = Callable[[Mapping[str, bytes]], Awaitable[None]]


async def is_lost(partition: int, log: Log, offers: Offers) -> bool:
    """Say whether a partition without state had some once."""
    return await log.marked(partition) is not None or await offers.end(partition) > 0


async def begin(
    partition: int,
    control: Control,
    log: Log,
    store: Store,
    offers: Offers,
    make_fold: MakeFold,
    tell_optouts: TellOptOuts,
    move: Callable[[], None],
) -> Control:
    """Do phases 1 and 2; return the control from which the lane goes on with phase 3.

    `tell_optouts`: is given all profiles as outbox entries, for the set that the dispatcher asks. `move`: is
    called at least once for a batch that was read or written: both phases together may take many minutes.
    """
    mark = await log.marked(partition)
    start = await log.start(partition)
    if mark is None:
        mark = Mark(start, "{}")
    note: dict[str, Any] = orjson.loads(mark.note)
    # from the first commit on: the claims of all that was published by now may be lost
    floor = await offers.end(partition)
    work = _Work(partition, store, make_fold(note.get("rules")), control.token, start, floor, move)
    await work.clear()
    async for batch in offers.profiles(partition):
        await tell_optouts(of_profiles((key, payload) for _, key, payload in batch))
        await work.profiles([one for one in batch if not one[1].startswith(LAST_WORD)], mark.offset)
    known_until = -1
    async for lines in offers.lines(partition):
        known_until = max(known_until, *(offset for offset, _ in lines)) if lines else known_until
        await work.lines([payload for offset, payload in lines if offset <= mark.offset])
    return await work.finish(
        note,
        muted_until=mark.offset,
        known_until=known_until,
    )


class _Work:
    """Writes states in chunks, each in a fenced commit."""

    def __init__(
        self,
        partition: int,
        store: Store,
        fold: Fold,
        token: str,
        start: int,
        floor: int,
        move: Callable[[], None],
    ) -> None:
        self.partition = partition
        self.floor = floor
        self.store = store
        self.fold = fold
        self.token = token
        self.start = start
        self._move = move
        self._books: dict[str, Rulebook | None] = {fold.base.hash: fold.base}

    async def clear(self) -> None:
        """Take the partition and remove what an earlier try has left."""
        await self._write({})
        await self.store.clear(self.partition, self.token)

    async def profiles(self, batch: list[tuple[int, str, bytes]], mark: int) -> None:
        """Write who subscribers are: as they were at the mark, since what came after it is folded again."""
        known = {key: payload for offset, key, payload in batch if offset <= mark}
        late = {key: payload for offset, key, payload in batch if offset > mark and key not in known}
        if late:
            kept = await self.store.read(self.partition, list(late))
            known |= {key: late[key] for key, blob in zip(late, kept, strict=True) if blob is None}
        found: dict[str, Subscriber] = {}
        gone = [key for key, payload in known.items() if not payload]
        if gone:
            lane = b"{" + REBUILDING + b"}"
            await self._commit(Commit(self.token, secrets.token_hex(8), self.start, lane, gone=gone))
        for key, payload in known.items():
            if not payload:
                continue
            profile: dict[str, Any] = orjson.loads(payload)
            sub = Subscriber(key, self.fold.base.hash)
            sub.bound, sub.timezone = profile["msisdn"], profile["timezone"]
            sub.bound_at = profile.get("bound_at", 0)
            sub.profile, sub.consent = profile["profile"], profile["consent"]
            sub.suppressed, sub.choice = profile["suppressed"], profile["choice"]
            if "habits" in profile:
                sub.habits = Habits.unpack(profile["habits"])
            found[key] = sub
        await self._write(found)

    async def lines(self, payloads: list[bytes]) -> None:
        """Enter decisions into ledgers."""
        self._move()
        decisions: list[dict[str, Any]] = []
        for payload in payloads:
            read = orjson.loads(payload)
            decisions += read if isinstance(read, list) else [read]
        keys = sorted({decision["subscriber_key"] for decision in decisions})
        subs: dict[str, Subscriber] = {}
        for at in range(0, len(keys), CHUNK):
            some = keys[at : at + CHUNK]
            for key, blob in zip(some, await self.store.read(self.partition, some), strict=True):
                subs[key] = decode(key, blob) if blob is not None else Subscriber(key, self.fold.base.hash)
        changed: dict[str, Subscriber] = {}
        for decision in decisions:
            sub = subs[decision["subscriber_key"]]
            if enter(sub, decision, self._book(decision.get("rules_hash"))):
                changed[sub.key] = sub
        await self._write(changed)

    async def finish(self, note: dict[str, Any], *, muted_until: int, known_until: int) -> Control:
        """Write that phase 3 is next; nothing of it if no record before the mark is left to be folded."""
        fold = self.fold
        fold.switched_at = note.get("switched_at", fold.switched_at)
        fold.warming = note.get("warming", {})
        fold.kept_since = note.get("kept_since", {})
        _begin_canary(fold, note.get("canary"), self.start, muted_until)
        bounds = {"muted_until": muted_until, "known_until": known_until}
        lane = pack_lane(fold, **{name: until for name, until in bounds.items() if self.start < until})
        await self._commit(Commit(self.token, secrets.token_hex(8), self.start, lane))
        return await self.store.open(self.partition)

    def _book(self, name: str | None) -> Rulebook | None:
        if name is None:
            return None
        if name not in self._books:
            try:
                self._books[name] = self.fold.books(name) if self.fold.books is not None else None
            except KeyError:
                self._books[name] = None
        return self._books[name]

    async def _write(self, subs: dict[str, Subscriber]) -> None:
        keys = list(subs)
        for at in range(0, max(len(keys), 1), CHUNK):
            some = keys[at : at + CHUNK]
            await self._commit(
                Commit(
                    self.token,
                    secrets.token_hex(8),
                    self.start,
                    b"{" + REBUILDING + b"}",
                    states={key: encode(subs[key]) for key in some},
                    wakes={key: subs[key].wake or expires(subs[key], self.fold.base) for key in some},
                )
            )

    async def _commit(self, commit: Commit) -> None:
        commit.floor = self.floor
        await self.store.commit(self.partition, commit)
        self.token = commit.next_token
        self._move()


def _begin_canary(fold: Fold, packed: dict[str, Any] | None, start: int, end: int) -> None:
    """Have the canary of the mark in force from its switch on.

    If that is older than what the log holds, a share is in force at once. Whose last sighting was in a place
    then can't be told any more: all keep the old set until the next switch.
    """
    if packed is None:
        return
    canary = unpack(fold, packed)
    if start <= int(canary.mark.rpartition(":")[2]) < end:
        fold.due_canary = packed
    elif canary.share is not None:
        enforce(fold, fold.base, canary)


def enter(sub: Subscriber, line: dict[str, Any], book: Rulebook | None) -> bool:
    """Enter one line of the decisions into a ledger; False if it changes nothing.

    `book`: the rules it was made by, None if they are not known any more (then its group is not either).
    """
    if "forgotten" in line:
        had = bool(sub.contacts or sub.holds)
        sub.contacts, sub.holds, sub.wake, sub.gates_dirty = [], [], 0, True
        return had
    if "release" in line:
        return ledger.remove(sub, line["release"])
    id, at, outcome = line["id"], line["at"], line["outcome"]
    if any(time >= at for time in ledger.times_of(sub, id)):
        return False  # a repeat
    held = [hold for hold in sub.holds if hold["id"] == id]
    if held:
        sub.holds = [hold for hold in sub.holds if hold["id"] != id]
        ledger.remove(sub, id)
    if outcome != "refused":
        rule = book.compiled.get(line["rule"]) if book is not None else None
        group = rule.rule.limits.only_one_of if rule is not None else None
        sub.contacts.append([at, line["rule"], group, outcome, line["channel"] == "manual", id])
        if outcome == ledger.HELD:
            sub.holds.append(_hold(line))
    elif not held:
        return False
    sub.gates_dirty = True
    sub.wake = min((hold["due"] for hold in sub.holds), default=0)
    return True


def _hold(line: dict[str, Any]) -> dict[str, Any]:
    """Make the hold of a `held` line; its instant is not in the line, its stamp is at most patience later."""
    data = dict(line["values"].get("match") or {})
    start = data.pop("start", None)
    trigger = line["trigger"]
    return {
        "id": line["id"],
        "rule": line["rule"],
        "at": line["at"],
        "time": line["at"],
        "due": line["due"],
        "place": line["place"],
        "data": data or None,
        "trigger": [trigger["source"], trigger["id"], trigger["position"]],
        "start": start,
    }
