"""`touchpoint load` by maps on a real Kafka: kills, complaints that come again, numbers that would move."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.integration.test_load import IMSI, NUMBER, Deployment
from tests.servers.kafka import KafkaServer
from tests.servers.redis import RedisServer
from tests.testdata import CHECKOUT

MAP = "map: crm\nload: profiles\nimsi: {column: IMSI, required: yes}\nmsisdn: MSISDN\nfields: {age: AGE}\n"
ROWS = 9_000
KILLED = """
import os, signal, sys
from aiokafka import AIOKafkaProducer
from engine.cli.main import main
commit, left, after = AIOKafkaProducer.commit_transaction, [int(sys.argv.pop(1))], sys.argv.pop(1) == "after"

async def killed(self):
    left[0] -= 1
    if left[0] < 0 and not after:
        os.kill(os.getpid(), signal.SIGKILL)
    await commit(self)
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)

AIOKafkaProducer.commit_transaction = killed
main()
"""
"""The program, killed at the commit of a step: how many steps before it, `before` or `after` the commit."""


@pytest.fixture
def deployment(kafka_server: KafkaServer, redis_server: RedisServer, topic_prefix: str) -> Deployment:
    """An empty deployment."""
    return Deployment(kafka_server, redis_server, topic_prefix)


def test_a_load_that_is_killed_goes_on_and_every_row_is_applied_once(
    deployment: Deployment, tmp_path: Path
) -> None:
    (tmp_path / "map.yaml").write_text(MAP, encoding="utf-8")
    rows = "".join(f"46000{n:010},139{n:08},{n % 100}\n" for n in range(ROWS))
    (tmp_path / "crm.csv").write_text("IMSI,MSISDN,AGE\n" + rows, encoding="utf-8")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TOUCHPOINT_")}
    environment = {**plain, **deployment.variables, "PYTHONPATH": str(CHECKOUT)}
    arguments = ("load", "profiles", "crm.csv", "--map", "map.yaml")
    # one step of 2,000 rows is committed, the next is not; then one is, and nobody hears of it
    for steps, when in (("1", "before"), ("0", "after")):
        command = [sys.executable, "-P", "-c", KILLED, steps, when, *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr
    result = deployment.load("profiles", tmp_path / "crm.csv", "--map", tmp_path / "map.yaml")
    assert result.exit_code == 0, result.output
    assert "went on behind row 4,001" in result.stderr
    found = Counter(record["subscriber_key"] for record in deployment.log())
    assert len(found) == ROWS
    assert set(found.values()) == {1}
    kept = [value for part in (0, 1) for value in deployment.topic("checkpoints", part)]
    assert kept
    assert "46000" not in str(kept)


def test_complaints_that_are_loaded_again_are_copies(deployment: Deployment, tmp_path: Path) -> None:
    from engine.deployment.common import now_us

    hour = (now_us() // 1_000_000) - 3_600
    path, by = tmp_path / "complaints.csv", tmp_path / "map.yaml"
    by.write_text(
        "map: c\nload: complaints\nmsisdn: msisdn\nt: {column: time, format: epoch s}\nabout: about\n"
    )
    path.write_text(
        f"msisdn,time,about\n{NUMBER},{hour},spam to 13800000000\n12,{hour},spam\n", encoding="utf-8"
    )
    for _ in range(2):
        result = deployment.load("complaints", path, "--map", by)
        assert result.exit_code == 1, result.output
        assert "complaints.csv:3: identity: expected + and E.164 digits in msisdn" in result.stdout
    first, second = deployment.log()
    assert first == second
    assert first["kind"] == "complaint"
    assert first["t"] == hour * 1_000_000
    assert first["about"].startswith("spam to ")
    assert "13800000000" not in str(first)


def test_a_dry_run_says_which_numbers_would_move(deployment: Deployment, tmp_path: Path) -> None:
    key = deployment.identity.of_imsi(IMSI)
    assert key is not None
    asyncio.run(deployment.write_profile(key, {"msisdn": NUMBER}))
    (tmp_path / "map.yaml").write_text(MAP, encoding="utf-8")
    rows = (f"{IMSI},{NUMBER},1", f"460009999999999,{NUMBER},2", "460009999999999,13800000000,2")
    (tmp_path / "crm.csv").write_text("\n".join(("IMSI,MSISDN,AGE", *rows, "")), encoding="utf-8")
    result = deployment.load(
        "profiles", tmp_path / "crm.csv", "--map", tmp_path / "map.yaml", "--dry-run", "--compare"
    )
    assert result.exit_code == 0, result.output
    said = " ".join(result.stdout.split())
    assert "subscribers with two rows or more 1 crm.csv:3 and 4" in said
    assert "numbers of two subscribers, the last row holds 1 crm.csv:2 and 3" in said
    assert "rows that move a number from another subscriber 1" in said
    assert deployment.log() == []
