"""A role with a fault planted in it: `python -m tests.faults.planted FAULT ROLE`. The checker must find each.

token    the commit script does not look at the token: zombies write
claim    every claim is granted: an offer that comes again is sent again
outbox   nothing is kept in the outbox, and the process dies now and then before it publishes
offset   the commit script does not write the offset
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from typing import Any

from connectors import redis_scripts
from connectors.kafka_offers import KafkaOffers
from connectors.redis_deliveries import RedisDeliveries
from connectors.redis_store import RedisStore
from engine.deployment.process import run
from engine.dispatch import Dispatcher
from engine.ports import OFFER, Commit
from engine.settings import load_settings

DIES = 0.02


def _change(script: str, old: str, new: str) -> None:
    source_of = redis_scripts.source_of

    def changed(name: str) -> tuple[str, str]:
        source, digest = source_of(name)
        if name != script:
            return source, digest
        assert source.count(old) == 1, f"{script}: {old!r}"
        return source.replace(old, new), "0" * 40

    redis_scripts.source_of = changed  # type: ignore[assignment]


def token() -> None:
    """Take the token check out."""
    _change("lane_commit", "if token ~= ARGV[1] then return token end", "")


def claim() -> None:
    """Grant every claim, and take out the guard against a ledger that was rolled back: it would notice."""

    async def granted(*_: Any) -> str:
        return ""

    def trusting(*_: Any) -> None:
        return None

    Dispatcher._lost_reason = trusting  # type: ignore[assignment,method-assign]
    RedisDeliveries.claim = granted  # type: ignore[assignment,method-assign]


def outbox() -> None:
    """Keep nothing, and die before publishing."""
    commit, publish = RedisStore.commit, KafkaOffers.publish
    rng = random.Random(os.getpid())

    async def forgetful(self: RedisStore, partition: int, given: Commit) -> None:
        given.out = {}
        await commit(self, partition, given)

    async def mortal(self: KafkaOffers, *given: Any, **more: Any) -> int | None:
        if any(name.startswith(OFFER) for name, _ in given[1]) and rng.random() < DIES:
            os.kill(os.getpid(), signal.SIGKILL)
        return await publish(self, *given, **more)

    RedisStore.commit = forgetful  # type: ignore[assignment,method-assign]
    KafkaOffers.publish = mortal  # type: ignore[method-assign]


def offset() -> None:
    """Leave the offset as it was."""
    _change("lane_commit", "'offset', ARGV[3], ", "")


FAULTS: dict[str, Callable[[], None]] = {"token": token, "claim": claim, "outbox": outbox, "offset": offset}


def main() -> int:
    """Plant a fault and run the role."""
    fault, role = sys.argv[1:]
    FAULTS[fault]()
    last_word = run(load_settings(), role)
    if last_word:
        print(last_word, file=sys.stderr)
    return 1 if last_word else 0


if __name__ == "__main__":
    sys.exit(main())
