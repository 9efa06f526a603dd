"""The topics of the Kafka deployment: names, keys, partitions, how long they keep what. The one place.

`connectors.kafka_topics` makes and checks topics by this table, `engine.asyncapi` describes them from it.

What holds for all of them:

    message.timestamp.type  LogAppendTime. Retention goes by the broker's clock: a record that comes two days
                            late is kept its full time, one with a `t` of next year no longer than that.
    compression.type        producer. Brokers keep batches as they came: they spend no time on them, and none
                            can choose a codec that readers lack (gzip is the only one that needs no package).
    retention.bytes         -1. Time alone decides: a busy day must not cut short what a rebuild needs.
    min.insync.replicas     With acks=all a record counts once so many copies have it: 2 of 3 in production,
                            so that one broker may be lost without a loss, or a stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.intake import SIZE_AT_MOST

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
FOREVER = -1
"""`retention.ms` of what time does not remove."""

ROOM = 64 << 10
"""Bytes beside the value of the largest record: the batch around it, key, headers."""
MESSAGE_BYTES = SIZE_AT_MOST + ROOM
"""A record has 1 MiB at most (`engine.intake`); what the engine writes is far smaller."""
RULES_BYTES = (8 << 20) + ROOM
"""A set of rules is one message: it is whole or not there. Lists of cells make up most of it."""
OFFERS_HOURS = 72
"""A new owner of a partition asks which offers were published since its watermark, 72 h at most. An offer
has ended after 48 h."""
DEADLETTERS_HOURS = 48
"""Long enough to put a feed right and requeue; short, since even with numbers hidden they are of people."""
DEADLETTERS_PARTITIONS = 4
"""They have no order to keep, and at most a few are written: any number would do."""
COMPACTED_WITHIN_MS = DAY_MS
"""Brokers leave the newest segment of a compacted topic alone, by default for a week: too long for a profile
that is to be forgotten."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it has to be."""

    name: str
    say: str
    """What its messages are."""
    key: str
    """What the key of a message is; empty: it has none, and the writer names the partition."""
    written_by: tuple[str, ...]
    read_by: tuple[str, ...]
    """Roles and commands, for people."""
    partitions: int
    cleanup: Literal["delete", "compact"]
    """`delete`: time removes. `compact`: the last message of each key stays; the topic is a table."""
    retention_ms: int
    """How long a message is kept at least, ms; `FOREVER` where compaction alone removes."""
    segment_ms: int
    """A segment goes as a whole, when its newest message is old enough: so much longer may a message stay."""
    max_bytes: int
    """The largest batch a broker takes, bytes."""
    replication: int
    min_isr: int
    is_limit: bool = False
    """Whether a message must not be kept longer than that either."""

    def settings(self) -> dict[str, str]:
        """Return the topic's settings, as Kafka names and writes them."""
        found = {
            "cleanup.policy": self.cleanup,
            "compression.type": "producer",
            "max.message.bytes": str(self.max_bytes),
            "message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": str(self.min_isr),
            "retention.bytes": "-1",
            "retention.ms": str(self.retention_ms),
            "segment.ms": str(self.segment_ms),
        }
        if self.cleanup == "compact":
            found["max.compaction.lag.ms"] = str(COMPACTED_WITHIN_MS)
            found["min.compaction.lag.ms"] = "0"
        return found


def topics(
    prefix: str = "touchpoint",
    partitions: int = 4,
    replication: int = 1,
    min_isr: int = 1,
    events_hours: int = 50,
    decisions_days: int = 366,
) -> dict[str, Topic]:
    """Return all topics by their short name, the middle of `PREFIX.events.v1`.

    `partitions`: of the log; `events_hours`: more than the 48 h a rebuild reads back; `decisions_days`: the
    longest cap of any rule, since a rebuild counts contacts from the lines that are kept.
    """
    found: dict[str, Topic] = {}

    def add(
        short: str,
        say: str,
        written_by: tuple[str, ...],
        read_by: tuple[str, ...],
        *,
        key: str = "",
        count: int = partitions,
        hours: int = 0,
        is_limit: bool = False,
        max_bytes: int = MESSAGE_BYTES,
    ) -> None:
        """Add one; no `hours`: compacted. A segment is a 24th of the retention, so files stay few."""
        kept = hours * HOUR_MS
        found[short] = Topic(
            name=f"{prefix}.{short}.v1",
            say=say,
            key=key,
            written_by=written_by,
            read_by=read_by,
            partitions=count,
            cleanup="delete" if kept else "compact",
            retention_ms=kept or FOREVER,
            segment_ms=max(kept // 24, HOUR_MS) if kept else DAY_MS,
            max_bytes=max_bytes,
            replication=replication,
            min_isr=min_isr,
            is_limit=is_limit,
        )

    # No key: a tick goes to every partition, and a subscriber's partition is `engine.collect.partition_of`.
    add(
        "events",
        "The log: records of the network, business and control records, ticks; the truth.",
        (
            "collector",
            "dispatcher",
            "touchpoint load",
            "touchpoint rules",
            "touchpoint forget",
            "touchpoint deadletters",
        ),
        ("engine", "dispatcher", "touchpoint history", "touchpoint verify", "touchpoint deadletters"),
        hours=events_hours,
    )
    # Partitions as the log: the owner of a log's partition writes, and rebuilds from, its own of these three.
    add(
        "profiles",
        "What is known of a subscriber, whole, after every change; no value = forgotten. Under n: and the "
        "hash of a number: its opt-out, which outlives a profile.",
        ("engine",),
        (
            "collector",
            "engine",
            "dispatcher",
            "touchpoint load",
            "touchpoint history",
            "touchpoint forget",
            "touchpoint deadletters",
            "touchpoint explain",
            "touchpoint verify",
        ),
        key="subscriber key, or n: and the hash of a number",
    )
    add(
        "decisions",
        "Decision lines, refusals packed many to a message, and contacts taken away afterwards.",
        ("engine",),
        ("engine", "touchpoint history", "touchpoint verify"),
        key="id@at of the decision; none for packed refusals",
        hours=decisions_days * 24,
    )
    add(
        "offers",
        "Decisions to be sent now.",
        ("engine",),
        ("dispatcher", "engine"),
        key="id@at of the decision",
        hours=OFFERS_HOURS,
    )
    add(
        "deadletters",
        "Records that were not taken: why, and where they stood; long numbers hidden.",
        ("collector", "engine", "touchpoint load"),
        ("touchpoint deadletters",),
        count=DEADLETTERS_PARTITIONS,
        hours=DEADLETTERS_HOURS,
        is_limit=True,
    )
    # One partition: a handful of messages, read whole.
    add(
        "rules",
        "Sets of rules as published; a `rules.switch` of the log names the one in force.",
        ("touchpoint rules",),
        (
            "engine",
            "dispatcher",
            "touchpoint rules",
            "touchpoint history",
            "touchpoint explain",
            "touchpoint verify",
        ),
        key="hash of the set",
        count=1,
        max_bytes=RULES_BYTES,
    )
    add(
        "checkpoints",
        "How far a collector has read its sources, written in one transaction with the records.",
        ("collector", "touchpoint load", "touchpoint forget", "touchpoint deadletters"),
        ("collector", "touchpoint load", "touchpoint forget", "touchpoint deadletters"),
        key="name of the collector",
        count=1,
    )
    return found
