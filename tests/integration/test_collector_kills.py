"""A collector on a real Kafka, killed at random moments: every row of a landing directory once (issue 4)."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from engine.collector import Live, LiveCollector, Pace
from engine.event import Event
from engine.identity import Identity
from engine.ticks import TickMaker
from tests.contract.inlets import KafkaInlets, create_topics, read_committed, records_in
from tests.servers.eventually import eventually
from tests.servers.kafka import KafkaServer
from tests.testdata import CHECKOUT
from tests.unit.collector.support import KEY, Listed, sight, write

FILES, ROWS, KILLS = 30, 400, 5


def rows(file: int) -> list[Any]:
    """Rows of a file: one in the middle is broken."""
    dice = random.Random(file)
    made: list[Any] = []
    for number in range(ROWS):
        second = (file * ROWS + number) / 20 + dice.uniform(-3, 3)
        made.append(sight(second - 20_000_000, number % 50, id=f"{file}:{number}"))
    made.insert(ROWS // 2, b'{"kind": "loc.sight", broken')
    return made


async def launch(bootstrap: str, prefix: str, folder: Path, partitions: int, at_once: int) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.collector_process",
        *(bootstrap, prefix, str(folder), str(partitions), str(at_once)),
        cwd=CHECKOUT,
        stdout=PIPE,
    )


async def kill_after(process: Process, steps: int, seconds: float) -> None:
    """Kill a collector so long after so many of its steps: before, within or after the next one."""
    assert process.stdout is not None
    for _ in range(steps):
        assert await process.stdout.readline() != b""
    await asyncio.sleep(seconds)  # a moment, not a condition to wait for
    process.kill()
    assert await process.wait() == -signal.SIGKILL


@pytest.mark.parametrize("at_once", [1, 20])
async def test_a_killed_collector_applies_every_row_once(
    kafka_server: KafkaServer, topic_prefix: str, tmp_path: Path, at_once: int
) -> None:
    folder = tmp_path / "landing"
    folder.mkdir()
    create_topics(kafka_server, topic_prefix, 3)
    for file in range(FILES):
        write(folder / f"{file:03}.jsonl", rows(file), packed=bool(file % 2))
    dice = random.Random(1)
    for _ in range(KILLS):
        process = await launch(kafka_server.bootstrap, topic_prefix, folder, 3, at_once)
        await kill_after(process, dice.randint(1, 5), dice.uniform(0, 0.03))
    assert list(folder.glob("*.jsonl"))  # the kills hit a collector that was at work
    process = await launch(kafka_server.bootstrap, topic_prefix, folder, 3, at_once)
    assert process.stdout is not None
    drained = asyncio.create_task(process.stdout.read())
    await eventually(lambda: not list(folder.glob("*.jsonl")), within=60)
    process.terminate()
    assert await process.wait() == 0
    await drained

    options = {"bootstrap_servers": kafka_server.bootstrap}
    messages = [await read_committed(options, f"{topic_prefix}.events.v1", part) for part in range(3)]
    assert any(value.startswith(b"[") for values in messages for value in values) == (at_once > 1)
    log = [records_in(values) for values in messages]
    ids = Counter(record["id"] for records in log for record in records if record["kind"] != "tick")
    assert set(ids) == {f"{file}:{number}" for file in range(FILES) for number in range(ROWS)}
    assert set(ids.values()) == {1}
    maker = TickMaker()
    good = (row for file in range(FILES) for row in rows(file) if isinstance(row, dict))
    ticks = [maker.after(Event(row["kind"], row["t"], "k", row)) for row in good]
    expected = [tick.t for tick in ticks if tick is not None]
    for records in log:
        assert [record["t"] for record in records if record["kind"] == "tick"] == expected
    dead = [orjson.loads(v) for v in await read_committed(options, f"{topic_prefix}.deadletters.v1")]
    assert sorted(letter["file"] for letter in dead) == [f"{file:03}.jsonl" for file in range(FILES)]


async def test_an_open_transaction_of_another_source_hides_no_checkpoint(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    inlets = KafkaInlets(kafka_server, topic_prefix)
    inlet = inlets.open("one")
    await inlet.resume()
    await inlet.append([(0, b"a")], b"at 1")
    other = AIOKafkaProducer(**inlets.options, transactional_id=f"{topic_prefix}.other")
    await other.start()
    await other.begin_transaction()
    for partition in (0, 1):
        await other.send_and_wait(inlet.checkpoints, b"open", key=b"other", partition=partition)
    await inlet.append([(0, b"b")], b"at 2")
    taking = asyncio.create_task(inlets.open("one").resume())
    done, _ = await asyncio.wait({taking}, timeout=1)
    assert done == set()
    await other.abort_transaction()
    assert await taking == b"at 2"
    await other.stop()
    await inlets.close()


async def test_the_open_transaction_of_a_dead_owner_is_ended_by_the_next(
    kafka_server: KafkaServer, topic_prefix: str
) -> None:
    inlets = KafkaInlets(kafka_server, topic_prefix)
    first = inlets.open("one")
    await first.resume()
    await first.append([(0, b"a")], b"at 1")
    dead = AIOKafkaProducer(**inlets.options, transactional_id=f"{topic_prefix}.one")
    await dead.start()
    await dead.begin_transaction()
    await dead.send_and_wait(first.events, b"never seen", partition=0)
    await dead.send_and_wait(first.checkpoints, b"at 9", key=b"one")
    next_owner = inlets.open("one")
    assert await next_owner.resume() == b"at 1"
    await next_owner.append([(0, b"b")], b"at 2")
    assert await inlets.log(0) == [b"a", b"b"]
    with contextlib.suppress(Exception):
        await dead.stop()
    await inlets.close()


@pytest.mark.parametrize("away", ["killed", "paused"])
async def test_while_a_broker_is_away_the_collector_waits_and_then_goes_on(
    kafka_server: KafkaServer, topic_prefix: str, away: str
) -> None:
    inlets = KafkaInlets(kafka_server, topic_prefix)
    source = Listed(
        "feed", [sight(number - 20_000_000, number % 9, id=str(number)) for number in range(900)], 300
    )
    collector = LiveCollector(
        inlets.open("one"),
        [Live(source)],
        Identity(KEY),
        wall=lambda: time.time_ns() // 1_000,
        pace=Pace(records=50, rest=0.01, retry=0.1),
    )
    stop = asyncio.Event()
    running = asyncio.create_task(collector.run(stop))
    await eventually(lambda: collector.counts["read"] == 300)
    kafka_server.kill() if away == "killed" else kafka_server.pause()
    source.arrived = 900
    done, _ = await asyncio.wait({running}, timeout=2)
    assert done == set()
    assert collector.counts["read"] < 900
    kafka_server.restart() if away == "killed" else kafka_server.resume()

    async def found() -> list[int]:
        log = [orjson.loads(value) for part in range(3) for value in await inlets.log(part)]
        return sorted(int(record["id"]) for record in log if record["kind"] != "tick")

    async def all_there() -> bool:
        return len(await found()) >= 900

    await eventually(all_there, within=60, every=0.2)
    stop.set()
    await running
    assert await found() == list(range(900))
    await inlets.close()
