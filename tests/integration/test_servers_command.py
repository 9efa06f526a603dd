"""`./run servers`: a folder can be started again and keeps its data; wrong arguments get one sentence."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis import Redis

from tests.servers.process import wait_until
from tests.testdata import CHECKOUT

COMMAND = (sys.executable, "-P", "-m", "tests.servers")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(CHECKOUT)}


def said_of(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command where it is expected to end by itself."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@contextmanager
def servers(folder: Path) -> Iterator[dict[str, str]]:
    """Run the command on a folder until the block ends, then Ctrl-C; give the variables that it wrote."""
    written, log = folder / "servers.env", folder.parent / "servers.log"
    with log.open("wb") as output:
        running = subprocess.Popen(
            [*COMMAND, str(folder)], cwd=folder.parent, env=ENVIRONMENT, stdout=output, stderr=output
        )
    try:
        wait_until(lambda: running.poll() is not None or b"Ctrl-C" in log.read_bytes(), "servers", 90)
        assert running.poll() is None, log.read_text(encoding="utf-8")
        yield dict(re.findall(r"^export (\w+)=(.*)$", written.read_text(encoding="utf-8"), re.MULTILINE))
        running.send_signal(signal.SIGINT)
        assert running.wait(40) == 0
    finally:
        running.kill()
        running.wait()


async def append(bootstrap: str, topic: str, value: bytes) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        await producer.send_and_wait(topic, value, partition=0)


async def first(bootstrap: str, topic: str) -> bytes:
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        async with asyncio.timeout(30):
            return bytes((await consumer.getone()).value)


@pytest.mark.usefixtures("kafka_server", "redis_server")  # skips where they can't be had
def test_a_folder_can_be_started_again_and_keeps_its_data(tmp_path: Path) -> None:
    folder = tmp_path / "my servers"
    with servers(folder) as told:
        asyncio.run(append(told["TOUCHPOINT_KAFKA_BOOTSTRAP"], "kept", b"a record"))
        with Redis.from_url(told["TOUCHPOINT_REDIS_URL"]) as client:
            client.set("kept", "a state")
        # a second one on the same folder would end with an error of Kafka, and servers.env would be gone
        second = said_of(folder, cwd=tmp_path)
        assert (second.returncode, second.stderr.count("\n")) == (1, 1)
        assert "expected a folder that no other servers use" in second.stderr
        assert (folder / "servers.env").exists()
    with servers(folder) as told:
        assert asyncio.run(first(told["TOUCHPOINT_KAFKA_BOOTSTRAP"], "kept")) == b"a record"
        with Redis.from_url(told["TOUCHPOINT_REDIS_URL"]) as client:
            assert client.get("kept") == b"a state"


def test_a_folder_whose_cluster_id_is_damaged_is_named_without_a_stack_trace(
    tmp_path: Path, kafka_server: object
) -> None:
    meta = tmp_path / "kafka" / "node1" / "data" / "meta.properties"
    meta.parent.mkdir(parents=True)
    meta.write_text("version=1\n", encoding="utf-8")
    done = said_of(tmp_path, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"servers: {meta}: expected a line cluster.id=ID, was none\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["/etc/passwd"], "'/etc/passwd' (file exists)"),
        (["/proc/x"], "'/proc/x' ("),
        (["/dev/null/x"], "'/dev/null/x' (not a directory)"),
        (["one", "two"], "unrecognized arguments: two"),
        (["--port", "1"], "unrecognized arguments: --port"),
    ],
)
def test_arguments_that_can_not_be_are_refused_in_one_sentence(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    done = said_of(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ./run servers")
    assert said in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_help_is_given_and_nothing_started(tmp_path: Path) -> None:
    done = said_of("--help", cwd=tmp_path)
    assert (done.returncode, done.stdout.split()[:3]) == (0, ["usage:", "./run", "servers"])
    assert list(tmp_path.iterdir()) == []
