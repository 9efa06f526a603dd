"""A real Kafka for tests, KRaft: one broker or a cluster of three, as processes of this machine."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code

from tests.servers.eventually import eventually
from tests.servers.kafka_jars import BOOTSTRAP, FoundKafka, find_kafka
from tests.servers.process import Process, ServerError, free_port, is_listening
from tests.servers.proxy import Proxy

HOST = "127.0.0.1"
FORMAT = ("-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
BROKER = ("-Xms192m", "-Xmx192m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
LOGGING = """<Configuration>
  <Appenders><Console name="out"><PatternLayout pattern="%d %p %m (%c)%n"/></Console></Appenders>
  <Loggers><Root level="INFO"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
"""
DATA = "data"
T = TypeVar("T")


class KafkaNode(Process):
    """One broker that is a controller, too. Clients of `proxy_port` are told to come by that port again."""

    def __init__(self, folder: Path, number: int, jars: Path) -> None:
        self.number = number
        self.port = free_port()
        self.controller_port = free_port()
        self.proxied_port = free_port()
        self.proxy_port = free_port()
        self.properties = folder / "server.properties"
        self.classpath = f"{jars}/*"
        logging = f"-Dlog4j2.configurationFile={folder / 'log4j2.xml'}"
        start = ["java", *BROKER, logging, "-cp", self.classpath, "kafka.Kafka", str(self.properties)]
        super().__init__(f"Kafka node {number}", folder, start)
        (folder / "log4j2.xml").write_text(LOGGING, encoding="utf-8")

    def configure(self, voters: str, nodes: int, options: Mapping[str, str]) -> None:
        """Write its properties; `options` are laid over them."""
        plain, proxied = f"PLAINTEXT://{HOST}:{self.port}", f"PROXIED://{HOST}"
        copies, least = ("3", "2") if nodes >= 3 else ("1", "1")
        lines = {
            "process.roles": "broker,controller",
            "node.id": str(self.number),
            "controller.quorum.voters": voters,
            "listeners": f"{plain},{proxied}:{self.proxied_port},CONTROLLER://{HOST}:{self.controller_port}",
            "advertised.listeners": f"{plain},{proxied}:{self.proxy_port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "PLAINTEXT",
            # seen from the folder of the node, where it runs: no comma or backslash of a path is read here
            "log.dirs": DATA,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": least,
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.num.partitions": "4",
            "group.initial.rebalance.delay.ms": "0",
            # Tests with many deaths do not wait 6 s for each to be noticed.
            "group.min.session.timeout.ms": "1000",
            "auto.create.topics.enable": "false",
            # The default of 128 MB does not fit into this heap.
            "log.cleaner.dedupe.buffer.size": "4194304",
            # How soon a dead leader is replaced, and a killed broker may come back.
            "broker.session.timeout.ms": "6000" if nodes > 1 else "3000",
            "broker.heartbeat.interval.ms": "1000",
            **options,
        }
        text = "".join(f"{name}={value}\n" for name, value in lines.items())
        self.properties.write_text(text, encoding="utf-8")

    def format(self, cluster_id: str) -> subprocess.Popen[bytes]:
        """Begin to format its data folder."""
        tool = ["java", *FORMAT, "-cp", self.classpath, "kafka.tools.StorageTool", "format"]
        return subprocess.Popen(
            [*tool, "-t", cluster_id, "-c", str(self.properties)],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    @property
    def cluster_id(self) -> str | None:
        """The cluster that its data folder was formatted for, None: it was not. Raises ServerError."""
        meta = self.folder / DATA / "meta.properties"
        if not meta.exists():
            return None
        found = re.search(r"^cluster\.id=(\S+)$", meta.read_text(encoding="utf-8"), re.MULTILINE)
        if found is None:
            raise ServerError(f"{meta}: expected a line cluster.id=ID, was none")
        return found[1]


class KafkaCluster:
    """Brokers 1 to `nodes` with their data in `folder`; `options` are more properties of each.

    A folder that had brokers before goes on with their data, at other ports.

    All methods wait, up to seconds for `start` and `restart`: beside running clients call them by
    `asyncio.to_thread`.
    """

    def __init__(
        self,
        folder: Path,
        nodes: int = 1,
        options: Mapping[str, str] | None = None,
        found: FoundKafka | None = None,
    ) -> None:
        jars = (found or _find_own()).jars
        assert jars is not None
        self.nodes = {
            number: KafkaNode(folder / f"node{number}", number, jars) for number in range(1, nodes + 1)
        }
        voters = ",".join(f"{node.number}@{HOST}:{node.controller_port}" for node in self.nodes.values())
        for node in self.nodes.values():
            node.configure(voters, nodes, options or {})

    @property
    def bootstrap(self) -> str:
        """Where clients find it: HOST:PORT of each broker, parted by commas."""
        return ",".join(f"{HOST}:{node.port}" for node in self.nodes.values())

    def proxy(self, number: int = 1) -> Proxy:
        """A proxy before a broker. What a client that bootstraps from it is told leads to proxies only."""
        node = self.nodes[number]
        return Proxy(node.proxied_port, port=node.proxy_port)

    def start(self) -> Self:
        """Format, start, and wait until every broker is known to a client; end all if that fails."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def _start(self) -> None:
        known = {node.number: node.cluster_id for node in self.nodes.values()}
        cluster = next((found for found in known.values() if found), None) or _cluster_id()
        fresh = [node for node in self.nodes.values() if known[node.number] is None]
        formats = [(node, node.format(cluster)) for node in fresh]
        for node, running in formats:
            said, _ = running.communicate(timeout=60)
            if running.returncode != 0:
                # the first lines say it; what follows are positions in Kafka's own code
                lines = [line for line in said.decode().splitlines() if not line.startswith("\tat ")]
                raise ServerError(f"{node.name}: expected a formatted folder, was:\n" + "\n".join(lines))
        for node in self.nodes.values():
            node.launch()
        for number in self.nodes:
            self._wait(number)

    def kill(self, number: int = 1) -> None:
        """End a broker by SIGKILL."""
        self.nodes[number].kill()

    def restart(self, number: int = 1) -> None:
        """Start a broker anew on its ports and data, stopped before if it runs; wait until it is known."""
        self.nodes[number].stop()
        self.nodes[number].launch()
        self._wait(number)

    def pause(self, number: int = 1) -> None:
        """Stop a broker's clock by SIGSTOP."""
        self.nodes[number].pause()

    def resume(self, number: int = 1) -> None:
        """Let a paused broker go on by SIGCONT."""
        self.nodes[number].resume()

    def revive(self) -> None:
        """Make all brokers running again after a test that killed or paused one."""
        for node in self.nodes.values():
            if node.is_paused:
                node.resume()
        down = [number for number, node in self.nodes.items() if not node.is_running]
        for number in down:
            self.nodes[number].stop()
            self.nodes[number].launch()
        for number in down:
            self._wait(number)

    def stop(self) -> None:
        """End all brokers at once, by SIGKILL: what they acknowledged is with the kernel, and stays."""
        for node in self.nodes.values():
            node.kill()

    def create_topics(
        self, *names: str, partitions: int = 1, replication: int = 1, options: Mapping[str, str] | None = None
    ) -> None:
        """Create topics. Raises the KafkaError that the broker answers, which aiokafka does not."""
        new = [NewTopic(name, partitions, replication, topic_configs=dict(options or {})) for name in names]
        _run(_create(self.bootstrap, new))

    def _wait(self, number: int) -> None:
        """Wait until the port of a broker is open and a client finds it among the brokers."""
        node = self.nodes[number]
        node.wait_ready(lambda: is_listening(node.port), within=60)
        node.wait_ready(lambda: number in _run(_brokers(f"{HOST}:{node.port}")), within=60)


class KafkaServer(KafkaCluster):
    """A single broker."""

    def __init__(
        self, folder: Path, options: Mapping[str, str] | None = None, found: FoundKafka | None = None
    ) -> None:
        super().__init__(folder, 1, options, found)


class OutsideKafka(KafkaServer):
    """The broker that `$TEST_KAFKA_BOOTSTRAP` names: it is only used, never killed."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self.nodes = {}

    @property
    def bootstrap(self) -> str:
        """Where clients find it."""
        return self._bootstrap

    def revive(self) -> None:
        """Do nothing: no test could end it."""

    def stop(self) -> None:
        """Do nothing: it is not ours."""

    def kill(self, number: int = 1) -> None:
        """Skip the test: it needs a broker of its own."""
        pytest.skip(f"needs a Kafka of its own, {BOOTSTRAP} names an outside one")

    restart = pause = resume = kill

    def proxy(self, number: int = 1) -> Proxy:
        """Skip the test: an outside broker does not lead its clients to a proxy."""
        pytest.skip(f"needs a Kafka of its own, {BOOTSTRAP} names an outside one")


def _find_own() -> FoundKafka:
    return find_kafka({name: value for name, value in os.environ.items() if name != BOOTSTRAP})


def _cluster_id() -> str:
    """A random id. One that begins with `-` would be read as an option."""
    while (drawn := urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return drawn


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a loop of its own, beside the one that may be running here."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _brokers(bootstrap: str) -> set[int]:
    """Ids of the brokers as the one at `bootstrap` knows them, none while it does not answer."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5000)
    try:
        await admin.start()
        return {broker["node_id"] for broker in (await admin.describe_cluster())["brokers"]}
    except KafkaError:
        return set()
    finally:
        await admin.close()


async def _create(bootstrap: str, topics: list[NewTopic]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics(topics)
        for name, code, *_ in answer.topic_errors:
            if code:
                raise for_code(code)(f"topic {name}")
        made = {topic.name for topic in topics}

        async def known() -> bool:
            return made <= {found["topic"] for found in await admin.describe_topics(None)}

        await eventually(known)  # a broker may not know yet what the controller has made
    finally:
        await admin.close()
