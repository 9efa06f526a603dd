"""Whether this process has the secrets that Redis was filled with.

With another TOUCHPOINT_KEY every subscriber is a stranger and no opt-out is found; with another
TOUCHPOINT_SALT holdouts and ids of decisions differ from one engine to the next. Nothing would fail. So the
first engine leaves a keyed hash of a fixed text under each secret, from which neither can be told, and
whoever comes later compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connectors.redis_keys import SECRETS
from connectors.redis_scripts import Client, RedisScripts, text_of
from engine.numbers import keyed_hash

_TEXT: Final = "touchpoint"


async def wrong_secrets(client: Client, secrets: Mapping[str, bytes], *, leave: bool = False) -> list[str]:
    """Compare secrets by the names of their settings; return what is wrong, a sentence for each.

    `leave`: those that nobody has left yet are left for others. Raise `StoreError`.
    """
    scripts = RedisScripts(client)
    names = list(secrets)
    found = [text_of(kept) for kept in await scripts.each("secrets", [("HGET", SECRETS, n) for n in names])]
    ours = {name: keyed_hash(secret, _TEXT) for name, secret in secrets.items()}
    missing = [name for name, kept in zip(names, found, strict=True) if kept is None]
    if leave and missing:
        await scripts.each("secrets", [("HSET", SECRETS, name, ours[name]) for name in missing])
    return [
        f"{name}: expected the one that this Redis was filled with, was another"
        for name, kept in zip(names, found, strict=True)
        if kept not in (None, ours[name])
    ]
