"""What docker-compose.yml starts works without Docker, too: its commands, settings and store as processes."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from engine.deployment.engine import NO_RULES
from engine.metrics import Metrics
from tests.house.deployment import ours, services
from tests.servers.kafka import KafkaServer
from tests.servers.process import free_port, wait_until
from tests.servers.redis import RedisServer
from tests.testdata import CHECKOUT

Call = Callable[..., subprocess.Popen[bytes]]
KNOWN = Metrics(CollectorRegistry()).labels
ELSEWHERE = ("dir", "requirepass")
"""Of the store's configuration: a folder of the container, and what is set once it answers."""


def configuration() -> list[str]:
    """Return the lines that the store's container feeds to its server."""
    valkey = services()["valkey"]
    printing = valkey["command"][0].split("| exec valkey-server -")[0]
    done = subprocess.run(
        ["sh", "-c", printing], env={**os.environ, **valkey["environment"]}, capture_output=True, check=True
    )
    return done.stdout.decode().splitlines()


@pytest.fixture
def store(new_redis: Callable[..., RedisServer]) -> RedisServer:
    """Give a store configured as in the compose file."""
    lines = configuration()
    server = new_redis(*(line for line in lines if line.split()[0] not in ELSEWHERE))
    [password] = [shlex.split(line)[1] for line in lines if line.startswith("requirepass")]
    with server.client() as client:
        client.config_set("requirepass", password)
    return server


@pytest.fixture
def call(store: RedisServer, kafka_server: KafkaServer, topic_prefix: str, tmp_path: Path) -> Iterator[Call]:
    """Give a function that starts a script of the image with the settings of service `all`."""
    (tmp_path / "landing").mkdir()
    given = {
        **ours()["all"]["environment"],
        "TOUCHPOINT_KAFKA_BOOTSTRAP": kafka_server.bootstrap,
        "TOUCHPOINT_REDIS_URL": f"redis://127.0.0.1:{store.port}",
        "TOUCHPOINT_LANDING": str(tmp_path / "landing"),
        "TOUCHPOINT_OUT": str(tmp_path / "out"),
        "TOUCHPOINT_FEEDS_MEMORY": str(tmp_path / "treatments.db"),
        "TOUCHPOINT_TOPIC_PREFIX": topic_prefix,
        "TOUCHPOINT_WEB_HOST": "127.0.0.1",
        "TOUCHPOINT_WEB_PORT": str(free_port()),
    }
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TOUCHPOINT_")}
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, *words: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "log").open("ab") as log:
            process = subprocess.Popen(
                [str(CHECKOUT / "deploy" / name), *words],
                cwd=tmp_path,
                env={**plain, **given, "PATH": path, "PYTHONPATH": str(CHECKOUT)},
                stdout=subprocess.PIPE if name.endswith("-probe") else log,
                stderr=log,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def asked(call: Call, page: str) -> tuple[int, str]:
    """Ask a page by the probe of the image: exit code and what it says."""
    probe = call("touchpoint-probe", page)
    said = probe.communicate(timeout=30)[0].decode()
    return probe.returncode, said


def test_topics_rules_and_all_roles(call: Call, tmp_path: Path) -> None:
    def log() -> str:
        return (tmp_path / "log").read_text(encoding="utf-8")[-3_000:]

    assert call("touchpoint", *ours()["topics"]["command"]).wait(90) == 0, log()
    publish = ("rules", "publish", str(CHECKOUT / "rules"), "--by", "tester")
    assert call("touchpoint", *publish).wait(60) == 0, log()
    role = call("touchpoint", *ours()["all"]["command"])
    wait_until(lambda: asked(call, "readyz")[0] == 0, "all roles ready", within=60, every=0.2)
    assert asked(call, "livez")[0] == 0
    checks = json.loads(asked(call, "readyz")[1])["checks"]
    assert {name.split(".")[0] for name in checks} == {"collector", "engine", "dispatcher", "kafka"}
    wait_until(lambda: "touchpoint_ready 1.0" in asked(call, "metrics")[1], "the metric to say so")
    samples = [
        sample
        for family in text_string_to_metric_families(asked(call, "metrics")[1])
        for sample in family.samples
    ]
    wrong = {one.name for one in samples if set(one.labels) != set(KNOWN.get(one.name, ("?",)))}
    assert wrong == set()
    value = {one.name: one.value for one in samples}
    assert (value["touchpoint_evicted_keys"], value["touchpoint_rules_reload_success"]) == (0, 1)
    [rules] = [one.labels["hash"] for one in samples if one.name == "touchpoint_rules_info"]
    assert rules != NO_RULES.hash
    role.send_signal(signal.SIGTERM)
    assert role.wait(int(ours()["all"]["stop_grace_period"].removesuffix("s"))) == 0, log()
    assert asked(call, "livez")[0] == 1
