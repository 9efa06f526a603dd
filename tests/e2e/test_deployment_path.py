"""The way of a newcomer from the README to a deployment: its commands, in their order, on real servers."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.house.pages import blocks
from tests.servers.deployment import PROGRAM
from tests.servers.kafka import KafkaServer
from tests.servers.process import free_port, is_listening
from tests.servers.redis import RedisServer
from tests.testdata import CHECKOUT

WITHIN = 60.0


def bash() -> list[str]:
    """The commands of the README's first three terminals; `test_new_operator` goes the way of the others."""
    found = [block.text.strip().splitlines() for block in blocks("README.md") if block.info == "bash"]
    assert [len(lines) for lines in found] == [1, 6, 5, 3, 5, 2]
    return [line for lines in found[:3] for line in lines]


def until(check: Callable[[], object], what: str) -> None:
    end = time.monotonic() + WITHIN
    while not check():
        assert time.monotonic() < end, f"expected {what}"
        time.sleep(0.1)


def test_the_commands_of_the_readme_lead_to_offers(
    tmp_path: Path, kafka_server: KafkaServer, redis_server: RedisServer, topic_prefix: str
) -> None:
    port = free_port()
    (tmp_path / "out" / "servers" / "landing").mkdir(parents=True)
    (tmp_path / "out" / "servers" / "servers.env").write_text(
        f"export TOUCHPOINT_KAFKA_BOOTSTRAP={kafka_server.bootstrap}\n"
        f"export TOUCHPOINT_REDIS_URL={redis_server.url}\n"
        "export TOUCHPOINT_LANDING=out/servers/landing\n"
        "export TOUCHPOINT_DEMO_SECRETS=yes\n"
    )
    shutil.copytree(CHECKOUT / "rules", tmp_path / "rules")
    # stands for the script, whose environment is that of the tests here
    program = f'exec "{sys.executable}" -P -c "{PROGRAM}" "$@"'
    (tmp_path / "run").write_text(f"#!/bin/sh\nshift\n{program}\n")
    (tmp_path / "run").chmod(0o755)
    environment = {
        **os.environ,
        "PYTHONPATH": str(CHECKOUT),
        "TOUCHPOINT_TOPIC_PREFIX": topic_prefix,
        "TOUCHPOINT_WEB_PORT": str(port),
    }
    script = ""
    roles: subprocess.Popen[bytes] | None = None
    printed = {}
    try:
        for command in bash():
            if command == "./run servers out/servers":
                continue
            if command.startswith(". "):
                script = command
                continue
            line = f"{script}\n{command.replace(':9464', f':{port}')}"
            if command == "./run touchpoint run all":
                with (tmp_path / "roles.log").open("wb") as log:
                    line = line.replace("./run", "exec ./run")
                    roles = subprocess.Popen(
                        ["bash", "-c", line], cwd=tmp_path, env=environment, stdout=log, stderr=log
                    )
                url = f"http://127.0.0.1:{port}/readyz"
                until(partial(answers, url), "a ready deployment")
                continue
            if command.startswith("curl"):
                path = re.findall(r":9464(/\w+)", command)[0]
                url = f"http://127.0.0.1:{port}{path}"
                if path == "/metrics":
                    until(partial(answers, url, "touchpoint_offers_total{"), "offers in the metrics")
                printed[path] = httpx.get(url).text
                continue
            if command.startswith("cat "):
                continue  # by night there are holds, and no message yet
            done = subprocess.run(
                ["bash", "-c", line],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}\n{roles_log(tmp_path)}"
        assert '"ready":true' in printed["/readyz"]
        assert roles is not None
        roles.send_signal(signal.SIGINT)
        assert roles.wait(40) == 0
    finally:
        if roles is not None and roles.poll() is None:
            roles.kill()
            roles.wait()


@pytest.mark.usefixtures("kafka_server", "redis_server")  # skips where they can't be had
def test_the_servers_of_the_readme_start_and_end_where_the_reader_stands(tmp_path: Path) -> None:
    script, *arguments = bash()[0].split()
    assert (script, arguments) == ("./run", ["servers", "out/servers"])
    written = tmp_path / "out" / "servers" / "servers.env"
    with (tmp_path / "servers.log").open("wb") as log:
        servers = subprocess.Popen([CHECKOUT / "run", *arguments], cwd=tmp_path, stdout=log, stderr=log)
    try:
        until(lambda: written.exists() or servers.poll() is not None, "the variables of the servers")
        assert servers.poll() is None, (tmp_path / "servers.log").read_text()
        # as a shell reads them, wherever it stands
        shown = subprocess.run(
            ["bash", "-c", f'. "{written}"; echo $TOUCHPOINT_KAFKA_BOOTSTRAP; echo "$TOUCHPOINT_LANDING"'],
            cwd="/",
            capture_output=True,
            text=True,
            check=True,
        )
        bootstrap, landing = shown.stdout.splitlines()
        assert landing == str(tmp_path / "out" / "servers" / "landing")
        assert Path(landing).is_dir()
        port = int(bootstrap.rpartition(":")[2])
        assert is_listening(port)
        servers.send_signal(signal.SIGINT)
        assert servers.wait(40) == 0
        assert not is_listening(port)
    finally:
        if servers.poll() is None:
            servers.kill()
            servers.wait()


def answers(url: str, text: str = "") -> bool:
    try:
        answer = httpx.get(url)
        return answer.status_code == 200 and text in answer.text
    except httpx.HTTPError:
        return False


def roles_log(folder: Path) -> str:
    log = folder / "roles.log"
    return log.read_text()[-3000:] if log.exists() else ""


def test_what_is_needed_and_missing_is_named(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TOUCHPOINT_")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, "run", "engine"],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    for name in ("TOUCHPOINT_KAFKA_BOOTSTRAP", "TOUCHPOINT_REDIS_URL", "TOUCHPOINT_KEY", "TOUCHPOINT_SALT"):
        assert f"{name}: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("role", ["engines", "Engine", ""])
def test_a_role_that_there_is_not_is_named(role: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, "run", role],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "expected one of collector, engine, dispatcher, all" in done.stderr
