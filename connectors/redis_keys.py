"""Every Redis key and its lifetime, with the reason for each number.

    {P.N}ctl           hash   a partition: token, offset, lane, offers_at, floor; P its number, N see `tag_of`
    {P.N}s:KEY         string the state of a subscriber
    {P.N}wake          zset   every subscriber with a state -> next due time or expiry, µs of the log
    {P.N}out           hash   committed, not known to be published: name -> payload
    {P.N}stage:TOKEN   hash   a commit too large for one script, while it is carried out

These never lapse by the clock of the server: a state ends when the log says so (`engine.expiry`), whatever
outage or backlog there was. The dispatcher's:

    {d.XX}c:DECISION   hash   who claimed a decision and how it stands; XX = first two digits of the decision
    {d.XX}open         zset   decisions of the bucket that have not ended -> deadline, µs
    {d.K.N}passes      hash   partition of the queue -> number of the last pass over it: `PASSES`
    {o.XX}             hash   keyed hash of a number or subscriber key -> time of the opt-out, µs
    {o.secrets}        hash   name of a secret's setting -> keyed hash under that secret

What one script touches shares one hash tag, so that it stays legal in Redis Cluster.
"""

from __future__ import annotations

from binascii import crc_hqx
from functools import cache
from typing import Final

HOUR_MS: Final = 3_600_000

BUCKETS: Final = tuple(f"{number:02x}" for number in range(256))
"""Two digits: 256 tags lie evenly over a dozen masters, and a look at all of them is one round trip each."""

CLAIM_TTL_MS: Final = 96 * HOUR_MS
"""A claim has to outlive every way in which its offer can come again. Offers are kept, and published again,
for 72 h; the rest is for clocks that differ and for receipts that come late."""

SLOTS: Final = 16_384


@cache
def tag_of(partition: int, partitions: int, prefix: str = "") -> str:
    """Return the hash tag of a partition, with a suffix by which partitions are spread evenly over the slots.

    The p-th of n partitions lies in the p-th n-th of the slots, so that a cluster whose masters have equal
    ranges of slots has equal shares of partitions.
    """
    first, last = partition * SLOTS // partitions, (partition + 1) * SLOTS // partitions
    number = 0
    while not first <= crc_hqx(f"{prefix}{partition}.{number}".encode(), 0) % SLOTS < last:
        number += 1
    return f"{{{prefix}{partition}.{number}}}"


PASSES: Final = tuple(tag_of(number, 16, "d.") + "passes" for number in range(16))
"""Never lapse: a few bytes per partition, without which a restored copy of Redis would not be noticed. In a
cluster a pass is written to all of them: they lie evenly over the slots, so that each master has one and none
can lose claims unnoticed. Elsewhere the first is enough."""


SECRETS: Final = "{o.secrets}"


def claim_key(decision: str) -> str:
    """Name the hash of a claim."""
    return f"{{d.{decision[:2]}}}c:{decision}"


def open_key(bucket: str) -> str:
    """Name the sorted set of a bucket's open decisions; entries leave it when they end."""
    return f"{{d.{bucket}}}open"


def optout_key(name: str) -> str:
    """Name the bucket of an opt-out. It never lapses: a no holds until it is taken back."""
    return f"{{o.{name[:2]}}}"
