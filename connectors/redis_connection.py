"""Connections that pack commands in C: hiredis writes a commit's thousands of arguments ten times as fast.

redis-py uses hiredis to read replies on asyncio, but packs commands in Python (8.1).
"""

from __future__ import annotations

from typing import Any

import hiredis
from redis.asyncio import Connection, SSLConnection
from redis.asyncio.sentinel import SentinelManagedConnection, SentinelManagedSSLConnection


class _Packed:
    def pack_command(self, *args: Any) -> list[bytes]:
        """Return a command as the protocol has it; commands of two words are left to redis-py."""
        first = args[0]
        if (b" " if isinstance(first, bytes) else " ") in first:
            found: list[bytes] = super().pack_command(*args)  # type: ignore[misc]  # a mixin
            return found
        return [hiredis.pack_command(args)]


class PackedConnection(_Packed, Connection):
    """Plain."""


class PackedSSLConnection(_Packed, SSLConnection):
    """With TLS."""


class PackedSentinelConnection(_Packed, SentinelManagedConnection):
    """To the primary that sentinels name."""


class PackedSentinelSSLConnection(_Packed, SentinelManagedSSLConnection):
    """To the primary that sentinels name, with TLS."""


_PACKED: dict[type[Any], type[Any]] = {
    Connection: PackedConnection,
    SSLConnection: PackedSSLConnection,
    SentinelManagedConnection: PackedSentinelConnection,
    SentinelManagedSSLConnection: PackedSentinelSSLConnection,
}


def packed(kind: type[Any]) -> type[Any]:
    """Return the connection that does the same and packs in C; the kind itself if there is none."""
    return _PACKED.get(kind, kind)
