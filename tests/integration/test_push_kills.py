"""A collector on a real Kafka, killed while others push into it: each record once, though they send again."""

from __future__ import annotations

import asyncio
import random
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from pathlib import Path

import orjson

from tests.contract.inlets import create_topics, read_committed
from tests.contract.test_sources import ROWS, WRONG, Lines, Posts
from tests.integration.test_collector_kills import kill_after
from tests.servers.eventually import eventually
from tests.servers.kafka import KafkaServer
from tests.testdata import CHECKOUT
from tests.unit.collector.support import SECOND, T

KILLS, ROUNDS = 5, 8
BESIDE = 100_000
"""Rows of lines are so much later than those of events, to be told apart."""


class PostsTo(Posts):
    """Sends to a process."""

    port = 0

    async def send(self) -> None:
        for number in range(ROUNDS):
            self.first = number * ROWS
            await super().send()


class LinesTo(Lines):
    """Sends to a process."""

    port = 0

    async def send(self) -> None:
        for number in range(ROUNDS):
            self.first = BESIDE + number * ROWS
            await super().send()


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


async def launch(bootstrap: str, prefix: str, ports: tuple[int, int]) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.integration.push_process", bootstrap, prefix, "3", *map(str, ports)),
        cwd=CHECKOUT,
        stdout=PIPE,
    )


async def test_a_killed_collector_applies_what_is_pushed_once(
    kafka_server: KafkaServer, topic_prefix: str, tmp_path: Path
) -> None:
    create_topics(kafka_server, topic_prefix, 3)
    ports = free_ports()
    posts, lines = PostsTo(tmp_path), LinesTo(tmp_path)
    posts.port, lines.port = ports
    sending = [asyncio.create_task(hand.send()) for hand in (posts, lines)]
    dice = random.Random(3)
    for _ in range(KILLS):
        process = await launch(kafka_server.bootstrap, topic_prefix, ports)
        await kill_after(process, dice.randint(1, 3), dice.uniform(0, 0.02))
    assert not all(task.done() for task in sending)  # the kills hit a collector that was at work
    process = await launch(kafka_server.bootstrap, topic_prefix, ports)
    assert process.stdout is not None
    drained = asyncio.create_task(process.stdout.read())
    await eventually(lambda: all(task.done() for task in sending), within=120)
    await asyncio.gather(*sending)
    process.terminate()
    assert await process.wait() == 0
    await drained

    options = {"bootstrap_servers": kafka_server.bootstrap}
    there: Counter[int] = Counter()
    for partition in range(3):
        for value in await read_committed(options, f"{topic_prefix}.events.v1", partition):
            record = orjson.loads(value)
            if record["kind"] != "tick":
                there[(record["t"] - T) // SECOND] += 1
    expected = {*range(ROUNDS * ROWS), *range(BESIDE, BESIDE + ROUNDS * ROWS)}
    assert set(there) == expected
    assert set(there.values()) == {1}
    dead = [orjson.loads(v) for v in await read_committed(options, f"{topic_prefix}.deadletters.v1")]
    doors = Counter(letter["source"] for letter in dead)
    assert doors == {"webhook": ROUNDS * WRONG, "lines": ROUNDS * WRONG}
