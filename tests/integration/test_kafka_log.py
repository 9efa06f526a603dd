"""What the log on Kafka does when partitions are shared out anew."""

from __future__ import annotations

from aiokafka import ConsumerRebalanceListener

from connectors.kafka_log import KafkaLog
from engine.ports import Mark
from tests.servers.eventually import eventually
from tests.servers.kafka import KafkaServer


class Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """Notes what it is given; tells the log, as the engine role does."""

    def __init__(self, log: KafkaLog) -> None:
        self.log = log
        self.times = 0

    async def on_partitions_revoked(self, revoked: object) -> None:
        """Do nothing."""

    async def on_partitions_assigned(self, assigned: list[object]) -> None:
        """Count."""
        self.times += 1
        self.log.assigned(place.partition for place in assigned)  # type: ignore[attr-defined]


async def test_a_partition_kept_over_a_rebalance_is_read_on_from_where_it_was(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    """The group's mark is behind what a lane has read: going on from it would fold records twice."""
    topic = f"{topic_prefix}.events"
    kafka_server.create_topics(topic, partitions=2)
    options = {"bootstrap_servers": kafka_server.bootstrap}
    log, other = (KafkaLog(options, topic, 2, f"{topic_prefix}.engine") for _ in range(2))
    await log.append([(partition, b"%d" % number) for number in range(10) for partition in (0, 1)])
    listener = Listener(log)
    await log.join(listener)
    await eventually(lambda: listener.times == 1)
    read = 0
    for partition in (0, 1):
        found = await log.fetch(partition, 0, 6, 5)
        await log.mark(partition, Mark(2, "{}"))
        read = found[-1].offset + 1
        assert read > 2
    await other.join(Listener(other))
    await eventually(lambda: listener.times == 2, within=30)
    await other.close()
    await eventually(lambda: listener.times == 3, within=30)
    for partition in (0, 1):
        again = await log.fetch(partition, read, 100, 5)
        assert [record.offset for record in again] == list(range(read, 10))
    await log.close()
