"""Settings of the store: how to reach Redis."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, SecretStr, field_validator

from engine.settings.declare import OptionalFile, address_parts, derived, password, setting

READERS = ("engine", "dispatcher")
PORT, SENTINEL_PORT = 6379, 26379


class RedisSettings(BaseModel):
    """Redis or Valkey."""

    redis_url: str = setting(
        "",
        "redis://host:port (TLS: rediss://), several with commas between them, no user or password in it",
        "Where the store is: one server, some nodes of a cluster, or the sentinels. A number behind a `/` is "
        "the database, 0 without one. Engine and dispatcher need it.",
        READERS,
    )
    redis_mode: Literal["standalone", "cluster", "sentinel"] = setting(
        "standalone", "standalone, cluster or sentinel", "What stands at `REDIS_URL`.", READERS
    )
    redis_sentinel_master: str = setting(
        "", "the name of a master", "Name under which the sentinels watch the master.", READERS
    )
    redis_user: str = setting(
        "", "a user name", "User (ACL) to sign in as; without it, Redis' `default`.", READERS
    )
    redis_password: SecretStr = password("Password of this user.", READERS)
    redis_ca: OptionalFile = setting(
        None,
        "a file with certificates (PEM)",
        "Authorities that may have signed the server's certificate (`rediss://`); without it, those of the "
        "system.",
        READERS,
    )
    redis_wait: int = derived(
        lambda given: 0 if given["redis_mode"] == "standalone" else 1,
        "`0`; with `sentinel` or `cluster`: `1`",
        0,
        9,
        "Replicas that must have a claim before its offer is sent (dispatcher), and an opt-out before it "
        "counts (engine, `touchpoint load`, `touchpoint forget`): with 1, a failover neither has an offer "
        "sent twice nor loses an opt-out. 0 where there are no replicas.",
        READERS,
    )

    @field_validator("redis_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if url:
            _parts(url)
        return url

    @property
    def redis_nodes(self) -> list[tuple[str, int]]:
        """Hosts and ports of the address; empty if none is given. Without a port: 6379; sentinels: 26379."""
        port = SENTINEL_PORT if self.redis_mode == "sentinel" else PORT
        return _parts(self.redis_url, port)[1] if self.redis_url else []

    @property
    def redis_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.redis_url.startswith("rediss:")

    @property
    def redis_database(self) -> int:
        """Number of the database."""
        return _parts(self.redis_url)[2] if self.redis_url else 0


def _parts(url: str, port: int = PORT) -> tuple[str, list[tuple[str, int]], int]:
    """Split an address into scheme, nodes and database; raise ValueError if it is none."""
    scheme, mark, rest = url.partition("://")
    if not mark or scheme not in ("redis", "rediss"):
        raise ValueError("not redis:// or rediss://")
    nodes, _, database = rest.partition("/")
    if database and not (database.isascii() and database.isdecimal() and len(database) <= 5):
        raise ValueError("not a database")
    return scheme, address_parts(nodes, port), int(database or 0)
