"""How long a call to Redis may take: a server that hangs is an error within `CALL_WITHIN`, not in a minute.

redis-py's own patience is ten more tries of 5 s each. Here a call is tried once more, since the server may
have closed the connection meanwhile. What may have run twice then is fenced by its token (commits) or known
by its claimer (claims). Whoever calls tries again, with pauses.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from redis.asyncio import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff

ANSWER_WITHIN: Final = 3.0
"""Seconds for a reply. A healthy server may take 2 s: so long a write may wait for the disk under the AOF.
Waiting for replicas takes 1 s at most, a large commit 25 ms."""
CONNECT_WITHIN: Final = 2.0
"""Seconds for a connection: the first packet may be lost once, and comes again after a second."""
SENTINEL_WITHIN: Final = 1.0
"""Seconds for a connection to a sentinel, and for its reply: the next one is asked then."""
NODES_WITHIN: Final = 3.5
"""Seconds to learn which node of a cluster has what; nodes that hang are asked one after the other."""
CALL_WITHIN: Final = 10.0
"""Seconds that a call takes at most before it is an error: one try on a connection that there is, one more on
a new one; in a cluster its nodes are asked in between."""


def patience() -> dict[str, Any]:
    """Return the options of a client that is patient in this way, alike for all kinds of client."""
    return {
        "socket_timeout": ANSWER_WITHIN,
        "socket_connect_timeout": CONNECT_WITHIN,
        "retry": Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.2), 1),
    }


def sentinel_patience() -> dict[str, Any]:
    """Return the options of the clients that ask sentinels: there is always another to be asked."""
    return {
        "socket_timeout": SENTINEL_WITHIN,
        "socket_connect_timeout": SENTINEL_WITHIN,
        "retry": Retry(NoBackoff(), 0),
    }


class PatientCluster(RedisCluster):
    """A cluster that is not asked node by node for as long as it has nodes."""

    async def initialize(self, *args: Any, **options: Any) -> RedisCluster:
        """Learn which node has what; raise `TimeoutError` if that takes too long."""
        if not self._initialize:
            return self
        async with asyncio.timeout(NODES_WITHIN):
            return await super().initialize(*args, **options)
