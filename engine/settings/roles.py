"""Settings of the roles of a deployment: collector, engine, dispatcher."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from engine.settings.declare import (
    DEPLOYED,
    KINDS_EXPECTED,
    Kinds,
    OptionalPath,
    Servers,
    kinds_in,
    setting,
    whole,
)
from engine.settings.kafka import SERVERS

HOUR_MS = 3_600_000
COLLECTOR, ENGINE, DISPATCHER = ("collector",), ("engine",), ("dispatcher",)


class RoleSettings(BaseModel):
    """What single roles do, and how each is watched and ended."""

    instance: str = setting(
        "",
        "up to 100 of the characters a-z A-Z 0-9 . _ -",
        "Name of this process among those of its role, unique and the same after a restart: a process that "
        "comes back within 8 seconds has its partitions again at once, and nobody else gives up theirs. "
        "Empty: partitions are shared out anew.",
        ("engine", "dispatcher"),
        pattern=r"^[a-zA-Z0-9._-]{0,100}$",
    )
    commit_ms: int = whole(
        100,
        1,
        10_000,
        "A lane's changes are committed at least this often; at once when there is an offer, a hold or a "
        "control record. Decisions do not depend on it.",
        ENGINE,
        "milliseconds",
    )
    cache_subscribers: int = whole(
        200_000, 1, 100_000_000, "Subscribers that a lane keeps in memory, about 5 KB each.", ENGINE
    )
    feeds: OptionalPath = setting(
        None,
        "a feeds file",
        "File that lists any number of feeds, each with its door, map, time and treatments "
        "(docs/doors/feeds.md); `LANDING` and `FOREIGN_TOPIC` are two more, named `landing` and `foreign`.",
        COLLECTOR,
    )
    feeds_memory: OptionalPath = setting(
        None,
        "a file",
        "File in which the collector keeps what treatments remember about subscribers (hashes only), for the "
        "next process (docs/signals-identity.md). Without it they remember as long as the process lives.",
        COLLECTOR,
    )
    landing: OptionalPath = setting(
        None,
        "a folder",
        "Folder into which files of records are put; the collector reads them in.",
        COLLECTOR,
    )
    landing_map: str = setting(
        "",
        "the name of a column map, or a file with one",
        "How the columns of these files become records; without it they hold JSON lines.",
        COLLECTOR,
    )
    landing_stable_seconds: int = whole(
        5,
        0,
        3_600,
        "For how long size and time of change of a file have to stand still until it is taken (30, if its "
        "last line has no end): for writers that do not rename. 0: at once (docs/doors/feeds.md).",
        COLLECTOR,
        "seconds",
    )
    landing_disorder_ms: int = whole(
        300_000,
        0,
        24 * HOUR_MS,
        "How far behind the newest record of these files a later one may be; time of the log follows this "
        "far behind.",
        COLLECTOR,
        "milliseconds",
    )
    landing_kinds: Kinds = setting(
        "",
        KINDS_EXPECTED,
        "The kinds that these files bring: while they are silent (`LANDING_IDLE_SECONDS`) ticks name them as "
        "down, and no absence rule over them fires. None: those that they have brought.",
        COLLECTOR,
    )
    landing_idle_seconds: int = whole(
        1_800,
        0,
        86_400,
        "Without a record for so long these files are silent: they hold time up no longer, and `/readyz` "
        "says so. Longer than it takes from one file to the next. 0 = never: then time of all feeds stands "
        "still with them, and nothing says so.",
        COLLECTOR,
        "seconds",
    )
    foreign_topic: str = setting(
        "",
        "the name of a topic (1 to 249 of the characters a-z A-Z 0-9 . _ -)",
        "Topic of somebody else with JSON records, which the collector reads in.",
        COLLECTOR,
        pattern=r"^[a-zA-Z0-9._-]{0,249}$",
    )
    foreign_bootstrap: Servers = setting(
        "",
        SERVERS,
        "Brokers of this topic, where they are not those of `KAFKA_BOOTSTRAP`; security is the same.",
        COLLECTOR,
    )
    foreign_disorder_ms: int = whole(
        0,
        0,
        24 * HOUR_MS,
        "How far behind the newest record of this topic a later one may be.",
        COLLECTOR,
        "milliseconds",
    )
    foreign_kinds: Kinds = setting(
        "",
        KINDS_EXPECTED,
        "The kinds that this topic brings, as `LANDING_KINDS`.",
        COLLECTOR,
    )
    foreign_idle_seconds: int = whole(
        300,
        0,
        86_400,
        "Without a record for so long this topic is silent, as `LANDING_IDLE_SECONDS`; 0 = never.",
        COLLECTOR,
        "seconds",
    )
    checkpoint_ms: int = whole(
        100,
        1,
        60_000,
        "What was read of a source goes into the log at least this often, together with how far it was read.",
        COLLECTOR,
        "milliseconds",
    )
    message_records: int = whole(
        50,
        1,
        1_000,
        "Records of a partition that the collector puts into one message of the log at most, as a JSON array "
        "of up to 64 KiB; 1 = each is a message. Nothing waits for a message to be full.",
        COLLECTOR,
    )
    channel: Literal["file", "lab"] = setting(
        "file",
        "file or lab",
        "Where messages go: `file` writes them to `OUT`; `lab` is a simulated SMS centre that does the same.",
        DISPATCHER,
    )
    claim_seconds: int = whole(
        600,
        1,
        86_400,
        "An offer that was claimed, and of which nothing was heard since, ends as `indeterminate` after it.",
        DISPATCHER,
        "seconds",
    )
    dispatcher_batch: int = whole(
        200, 1, 5000, "Offers that the dispatcher takes and claims at a time.", DISPATCHER
    )
    web_host: str = setting(
        "127.0.0.1",
        "a host name or address to listen at",
        "Where `/metrics`, `/livez` and `/readyz` are served. They ask for no password: let only those reach "
        "them who may see them.",
        DEPLOYED,
        pattern=r"^[a-zA-Z0-9.:_-]{1,255}$",
    )
    web_port: int = whole(9464, 0, 65_535, "Port of these pages; 0 = none are served.", DEPLOYED)
    drain_seconds: int = whole(
        25,
        1,
        300,
        "After SIGTERM: how long work in flight may take to end; the next owner does what is left then.",
        DEPLOYED,
        "seconds",
    )
    log_level: Literal["debug", "info", "warning", "error"] = setting(
        "info", "debug, info, warning or error", "What is logged: this and all above it.", DEPLOYED
    )

    @property
    def landing_kinds_list(self) -> list[str]:
        """The kinds as a list."""
        return kinds_in(self.landing_kinds)

    @property
    def foreign_kinds_list(self) -> list[str]:
        """The kinds as a list."""
        return kinds_in(self.foreign_kinds)

    @property
    def foreign_servers(self) -> list[str]:
        """Brokers of the foreign topic, where they are others; else empty."""
        return [part.strip() for part in self.foreign_bootstrap.split(",") if part]
