"""The topic of events is made anew while Redis stays: lanes stand; the way out of the docs works."""

from __future__ import annotations

from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient

from connectors.kafka_log import KafkaLog
from connectors.redis_keys import tag_of
from engine.collect import partition_of
from engine.lane_state import MADE_ANEW
from tests.house.sources import text
from tests.integration.care import AWAY, PARTITIONS, Care, profile, seen
from tests.servers.eventually import eventually

HOUR = 3_600


async def delete_log(care: Care) -> None:
    """Delete the topic, and wait until it is gone."""
    topic = f"{care.prefix}.events.v1"
    admin = AIOKafkaAdminClient(**care.options)
    await admin.start()
    try:
        await admin.delete_topics([topic])

        async def gone() -> bool:
            return topic not in {found["topic"] for found in await admin.describe_topics(None)}

        await eventually(gone, within=20)
    finally:
        await admin.close()


async def identity(care: Care) -> str:
    """The id of the topic as it is now."""
    return await KafkaLog(care.options, f"{care.prefix}.events.v1", PARTITIONS, "").identity()


async def test_lanes_stand_on_a_log_made_anew_until_they_are_built_anew(care: Care) -> None:
    await care.publish()
    partition = partition_of(care.key, PARTITIONS)
    old = await identity(care)
    async with care.engine() as role:
        await care.append(profile(-600), seen(-300, AWAY), seen(0))
        lines = await care.lines(2)
        assert [line["outcome"] for line in lines].count("offer") == 1
        committed = role.keeper.lanes[partition].offset

    await delete_log(care)
    await care.publish()
    new = await identity(care)
    assert new != old
    # more than the lane had read: without a look at who the log is it would go on in the middle
    again = [seen(2 * HOUR + step, AWAY) for step in range(committed + 5)]
    await care.append(*again, seen(2 * HOUR + 600))

    async with care.engine() as role:

        async def standing() -> bool:
            return f"({old}), was another one ({new}): {MADE_ANEW}" in role.ready()["lanes"]

        await eventually(standing, within=30)
        assert role.keeper.lanes[partition].fold is None
        for each in range(PARTITIONS):
            care.redis.delete(tag_of(each, PARTITIONS) + "ctl")
        await eventually(lambda: not any(role.ready()[name] for name in ("lanes", "rebuilt")), within=30)

        async def decided() -> dict[str, str | None]:
            return {
                line["rule"]: line["reason"]
                for line in await care.lines(2)
                if line["at"] > lines[0]["at"] + HOUR * 1_000_000
            }

        # the contact of before counts, though its line names an offset of a log that is gone
        assert (await eventually(decided, within=30))["hall-visit"] == "limits.at_most"


def test_the_page_has_what_the_message_names() -> None:
    heading = MADE_ANEW.partition("docs/operations.md, ")[2].strip('"')
    page = text(Path("docs/operations.md"))
    assert f"\n## {heading}\n" in page
    assert f"valkey-cli DEL {' '.join(f'{tag_of(number, 4)}ctl' for number in range(4))}" in page
