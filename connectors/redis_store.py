"""The store in Redis, standalone or Cluster: state and offset of a partition in one fenced script.

All keys of a partition share one hash tag (`redis_keys`). A commit of more than `AT_ONCE` changes, as a tick
or a rule switch may bring, would hold the server up: its parts are laid into a stage first, one script makes
the commit true, and the stage is carried out in parts after that. Whoever opens the partition meanwhile
finishes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from connectors.redis_keys import tag_of
from connectors.redis_scripts import Client, OnTrip, RedisScripts, text_of, unheard
from engine.errors import FencedError, StoreError
from engine.ports import Commit, Control, Ground

AT_ONCE = 2_000
"""Changes of one script: 10,000 held a server up for 25 ms (design/protocol.md)."""
READ_AT_ONCE = 1_000
NAMED_AT_ONCE = 10_000


class RedisStore:
    """The partitions of one log. `client` must not decode replies; it is the caller's to close."""

    def __init__(
        self, client: Client, partitions: int, *, at_once: int = AT_ONCE, on_trip: OnTrip = unheard
    ) -> None:
        self._client = client
        self._scripts = RedisScripts(client, on_trip=on_trip)
        self._tags = [tag_of(partition, partitions) for partition in range(partitions)]
        self._at_once = at_once

    async def open(self, partition: int) -> Control:
        """Read where a partition stands; finish a large commit that was cut off."""
        tag = self._tags[partition]
        while True:
            # in this order: an outbox newer than the token does no harm, an older one would lose lines
            ctl, outbox = await self._scripts.each(
                "open", [("HGETALL", tag + "ctl"), ("HGETALL", tag + "out")]
            )
            ctl = _hash(ctl)
            token = ctl.get(b"token", b"").decode()
            if b"staged" not in ctl:
                break
            await self._apply(partition, token)
        return Control(
            token,
            int(ctl.get(b"offset", 0)),
            ctl.get(b"lane", b""),
            {name.decode(): payload for name, payload in _hash(outbox).items()},
            int(ctl.get(b"offers_at", 0)),
            int(ctl.get(b"floor", 0)),
        )

    async def ground(self, partition: int) -> Ground:
        """Read a part of that, in one small command."""
        key = self._tags[partition] + "ctl"
        command = ("HMGET", key, "token", "floor", "staged")
        [[token, floor, staged]] = await self._scripts.each("ground", [command])
        if staged is not None:
            control = await self.open(partition)
            return Ground(control.token, control.floor)
        return Ground((token or b"").decode(), int(floor or 0))

    async def lanes(self) -> list[bytes]:
        """Return the lane's part of every partition that has one: which rules are in force."""
        found = await self._scripts.each("lanes", [("HGET", tag + "ctl", "lane") for tag in self._tags])
        return [lane for lane in found if lane is not None]

    async def read(self, partition: int, keys: Sequence[str]) -> list[bytes | None]:
        """Return states, None where there is none."""
        found: list[bytes | None] = []
        prefix = self._tags[partition] + "s:"
        with self._scripts.asking("read"):
            for at in range(0, len(keys), READ_AT_ONCE):
                some = [prefix + key for key in keys[at : at + READ_AT_ONCE]]
                found += await self._client.execute_command("MGET", *some)
        return found

    async def due(self, partition: int, before: int) -> list[str]:
        """Name the subscribers that wake before a time."""
        with self._scripts.asking("due"):
            names = await self._client.execute_command(
                "ZRANGEBYSCORE", self._tags[partition] + "wake", "-inf", f"({before}"
            )
        return [name.decode() for name in names]

    async def keys(self, partition: int) -> list[str]:
        """Name all subscribers of a partition."""
        names: list[str] = []
        with self._scripts.asking("keys"):
            while True:
                part = await self._client.execute_command(
                    "ZRANGE", self._tags[partition] + "wake", len(names), len(names) + NAMED_AT_ONCE - 1
                )
                names += [name.decode() for name in part]
                if len(part) < NAMED_AT_ONCE:
                    return names

    async def clear(self, partition: int, token: str) -> None:
        """Remove every state of a partition; a token that stands no more raises `FencedError`."""
        tag = self._tags[partition]
        while True:
            with self._scripts.asking("clear"):
                names = await self._client.execute_command("ZRANGE", tag + "wake", 0, READ_AT_ONCE - 1)
            some = [name.decode() for name in names]
            keys = [tag + "ctl", tag + "wake", *(f"{tag}s:{name}" for name in some)]
            _check(partition, token, await self._scripts.run("lane_clear", keys, [token, *some]))
            if not some:
                return

    async def commit(self, partition: int, commit: Commit) -> None:
        """Apply a commit whole, or refuse it."""
        changes = (
            len(commit.gone)
            + len(commit.states)
            + len(commit.wakes)
            + len(commit.published)
            + len(commit.out)
        )
        if changes <= self._at_once:
            await self._commit(partition, commit, staged=False)
            return
        await self._stage(partition, commit)
        bare = Commit(
            commit.token,
            commit.next_token,
            commit.offset,
            commit.lane,
            offers_at=commit.offers_at,
            floor=commit.floor,
        )
        await self._commit(partition, bare, staged=True)
        await self._apply(partition, commit.next_token)

    async def _commit(self, partition: int, commit: Commit, *, staged: bool) -> None:
        tag = self._tags[partition]
        prefix = tag + "s:"
        gone = [key for key in commit.gone if key not in commit.states]
        keys = [tag + "ctl", tag + "wake", tag + "out"]
        keys += [prefix + key for key in gone]
        keys += [prefix + key for key in commit.states]
        arguments: list[str | int | bytes] = [
            commit.token,
            commit.next_token,
            commit.offset,
            commit.lane,
            commit.offers_at,
            commit.floor,
            "1" if staged else "0",
            len(gone),
            len(commit.states),
            len(commit.wakes),
            len(commit.published),
            len(commit.out),
        ]
        arguments += gone
        arguments += commit.states.values()
        arguments += chain.from_iterable(commit.wakes.items())
        arguments += commit.published
        arguments += chain.from_iterable(commit.out.items())
        _check(partition, commit.token, await self._scripts.run("lane_commit", keys, arguments))

    async def _stage(self, partition: int, commit: Commit) -> None:
        tag = self._tags[partition]
        fields: list[tuple[str, str | int | bytes]] = [
            ("g" + key, "") for key in commit.gone if key not in commit.states
        ]
        fields += [("s" + key, blob) for key, blob in commit.states.items()]
        fields += [("w" + key, wake) for key, wake in commit.wakes.items()]
        # a name that is pruned and comes anew only comes anew
        fields += [("p" + name, "") for name in commit.published if name not in commit.out]
        fields += [("o" + name, payload) for name, payload in commit.out.items()]
        for at in range(0, len(fields), self._at_once):
            some = chain.from_iterable(fields[at : at + self._at_once])
            arguments = [commit.token, "0" if at else "1", *some]
            reply = await self._scripts.run("lane_stage", [tag + "ctl", tag + "stage"], arguments)
            _check(partition, commit.token, reply)

    async def _apply(self, partition: int, token: str) -> None:
        """Carry out the stage of a commit that is true already."""
        tag = self._tags[partition]
        with self._scripts.asking("stage"):
            names = await self._client.execute_command("HKEYS", tag + "stage")
        fields = [name.decode() for name in names]
        for at in range(0, max(len(fields), 1), self._at_once):
            some = fields[at : at + self._at_once]
            keys = [tag + "ctl", tag + "wake", tag + "out", tag + "stage"]
            keys += [f"{tag}s:{field[1:]}" for field in some if field[0] in "gs"]
            _check(partition, token, await self._scripts.run("lane_apply", keys, [token, *some]))


def _check(partition: int, token: str, reply: bytes | str) -> None:
    stands = text_of(reply)
    if stands != "ok":
        raise FencedError(f"partition {partition}: expected token {token!r}, was {stands!r}")


def _hash(reply: object) -> dict[bytes, bytes]:
    """Return a hash as redis-py gives it, as pairs or as a mapping, depending on the protocol."""
    if isinstance(reply, dict):
        return reply
    if isinstance(reply, list):
        return dict(zip(reply[::2], reply[1::2], strict=True))
    raise StoreError(f"redis: expected a hash, was {type(reply).__name__}")
