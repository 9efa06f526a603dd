"""A lane behind what the log still has: it stands and says so; the way out of docs/operations.md works."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from connectors.kafka_log import TOO_LATE
from connectors.redis_keys import tag_of
from engine.collect import partition_of
from engine.deployment.engine import EngineRole
from tests.house.sources import text
from tests.integration.care import AWAY, PARTITIONS, Care, control, profile, seen
from tests.servers.eventually import eventually
from tests.testdata import CHECKOUT
from tests.unit.cli.support import T

HOUR = 3_600
PAGE = text(Path("docs/operations.md"))


def key_by_the_page(partition: int) -> str:
    """The key that the page has one delete, by its own command."""
    [(command, number, partitions)] = re.findall(
        r'python -c "(from connectors\.redis_keys .+tag_of\((\d+), (\d+)\).+)"', PAGE
    )
    assert (number, partitions) == ("3", "4")
    ours = command.replace("(3, 4)", f"({partition}, {PARTITIONS})")
    done = subprocess.run(
        [sys.executable, "-c", ours], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


async def trim(care: Care, partition: int, before: int) -> None:
    """Remove records as retention does."""
    admin = AIOKafkaAdminClient(**care.options)
    await admin.start()
    try:
        place = TopicPartition(f"{care.prefix}.events.v1", partition)
        await admin.delete_records({place: RecordsToDelete(before)})
    finally:
        await admin.close()


def lag(role: EngineRole, what: str, partition: int) -> float:
    """How far behind the page says a partition is; -1 where it says nothing."""
    labels = {"topic": role.log.topic, "partition": str(partition)}
    value = role.common.registry.get_sample_value(f"touchpoint_consumer_lag_{what}", labels)
    return -1 if value is None else value


async def test_a_lane_behind_retention_stands_until_its_partition_is_built_anew(care: Care) -> None:
    await care.publish()
    partition = partition_of(care.key, PARTITIONS)
    async with care.engine() as role:
        await care.append(profile(-600), seen(-300, AWAY), seen(0))
        await care.lines(2)
        committed = role.keeper.lanes[partition].offset

        async def marked() -> bool:
            mark = await role.log.marked(partition)
            return mark is not None and mark.offset == committed

        await eventually(marked, within=20)

    # what comes in while no engine runs, the first of it for too long: a no that nobody will have heard
    await care.append(control("consent.change", 60, consent={"marketing": False}))
    await trim(care, partition, committed + 1)
    await care.append(profile(HOUR, tier="vip"), seen(2 * HOUR, AWAY), seen(2 * HOUR + 600))

    async with care.engine() as role:
        others = [each for each in range(PARTITIONS) if each != partition]
        behind = f"expected an offset from {committed + 1} on, was {committed}: {TOO_LATE}"
        told = f"partition {partition}: {behind}"
        await eventually(lambda: role.ready()["lanes"].endswith(told), within=30)
        await eventually(lambda: all(role.keeper.lanes[each].ready for each in others), within=30)
        await role.look()
        assert lag(role, "records", partition) == 4
        assert lag(role, "seconds", partition) > 0
        assert role.ready()["lanes"], "it stands"

        assert care.redis.delete(key_by_the_page(partition)) == 1
        await eventually(lambda: not any(role.ready()[name] for name in ("lanes", "rebuilt")), within=30)
        lines = await care.lines(4)
        assert [line["outcome"] for line in lines if line["at"] > T + HOUR * 1_000_000].count("offer") == 1

        # decisions can be read a moment before the lane has heard of its commit
        async def caught_up() -> bool:
            await role.lookout.tell()
            return (lag(role, "records", partition), lag(role, "seconds", partition)) == (0, 0)

        await eventually(caught_up, within=20)


def test_the_page_has_what_the_message_names_and_the_key_is_right() -> None:
    assert f'valkey-cli DEL "{tag_of(3, 4)}ctl"' in PAGE
    heading = TOO_LATE.partition("docs/operations.md, ")[2].strip('"')
    assert f"\n## {heading}\n" in PAGE
