"""The whole way of a rule, from the idea to a message: every command of docs/rules/idea-to-live.md is run.

The page's recording is what this run printed, with what differs from run to run (times, hashes, rates) taken
out. Write it anew with TOUCHPOINT_UPDATE_GOLDEN=1.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from tests.house.pages import blocks
from tests.servers.deployment import PROGRAM
from tests.servers.kafka import KafkaServer
from tests.servers.process import free_port
from tests.servers.redis import RedisServer
from tests.testdata import CHECKOUT

PAGE = "docs/rules/idea-to-live.md"
RULE = "rules/city/station-wait.yaml"
IMSI, MSISDN = "460000765590001", "+8613900000001"
WITHIN = 60.0

CHANGES = (
    (re.compile(r"\b[0-9a-f]{32}\b"), "HASH"),
    (re.compile(r"\b20\d\d-\d\d-\d\d \d\d:\d\d:\d\d"), "YYYY-MM-DD hh:mm:ss"),
    (re.compile(r"in [\d.]+ s: [\d,]+ per second"), "in … s: … per second"),
    (re.compile(r'"t":\d+'), '"t":…'),
    (re.compile(r'"(?:Etc/GMT[+-]\d+|UTC)"|(?<=times of )\S+'), '"…"'),
)
"""What is another at every run, and what stands for it."""


class Terminal:
    """Runs commands in a folder and keeps what a terminal would show."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.shown: list[str] = []

    def say(self, text: str) -> None:
        """Put a comment."""
        self.shown.append(f"# {text}")

    def run(self, command: str, code: int = 0, lines: int | None = None) -> str:
        """Run a command; show it with its output, or its first lines."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, f"{command}\n{done.stdout}"
        printed = done.stdout.rstrip().splitlines()
        if lines is not None and len(printed) > lines:
            printed = [*printed[:lines], "…"]
        self.shown += [f"$ {command}", *(line.rstrip() for line in printed), ""]
        return done.stdout

    def until(self, check: Callable[[], object], what: str) -> None:
        """Wait for something that another process does."""
        end = time.monotonic() + WITHIN
        while not check():
            assert time.monotonic() < end, (
                f"expected {what}\n{(self.folder / 'roles.log').read_text()[-3000:]}"
            )
            time.sleep(0.1)

    @property
    def recording(self) -> str:
        """All of it, without what differs from run to run."""
        text = "\n".join(self.shown).rstrip() + "\n"
        text = text.replace(self.environment["TOUCHPOINT_TOPIC_PREFIX"], "touchpoint")
        for found, stand_in in CHANGES:
            text = found.sub(stand_in, text)
        return text


@pytest.fixture
def terminal(
    tmp_path: Path, kafka_server: KafkaServer, redis_server: RedisServer, topic_prefix: str
) -> Terminal:
    """A folder with the project's rules, `touchpoint` on PATH, a Kafka and a Redis in the settings."""
    shutil.copytree(CHECKOUT / "rules", tmp_path / "rules")
    (tmp_path / "landing").mkdir()
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "touchpoint"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -c "{PROGRAM}" "$@"\n')
    script.chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TOUCHPOINT_")}
    return Terminal(
        tmp_path,
        {
            **kept,
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(CHECKOUT),
            "PYTHONUTF8": "1",
            "TOUCHPOINT_KAFKA_BOOTSTRAP": kafka_server.bootstrap,
            "TOUCHPOINT_REDIS_URL": redis_server.url,
            "TOUCHPOINT_TOPIC_PREFIX": topic_prefix,
            "TOUCHPOINT_PARTITIONS": "2",
            "TOUCHPOINT_LANDING": "landing",
            "TOUCHPOINT_DEMO_SECRETS": "yes",
            "TOUCHPOINT_WEB_PORT": str(free_port()),
        },
    )


def idea() -> str:
    """The rule of the guide."""
    [block] = [b for b in blocks("docs/rules/guide.md") if b.file == RULE]
    return block.body


def noon() -> str:
    """A timezone in which it is about noon now: no quiet time stands between the rule and its message."""
    ahead = 12 - time.gmtime().tm_hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"


def write_lives(folder: Path) -> None:
    """Somebody who waits at the station since 45 minutes, and who they are."""
    now = time.time()
    records = [
        {"kind": "loc.update", "t": int((now - 60 * minutes) * 1e6), "imsi": IMSI, "cell": cell}
        for minutes, cell in ((50, "460-00-1-1"), (45, station()), (20, station()), (4, station()))
    ]
    (folder / "station.jsonl").write_bytes(b"".join(orjson.dumps(r) + b"\n" for r in records))
    profile = {
        "subscriber": IMSI,
        "msisdn": MSISDN,
        "timezone": noon(),
        "handset.network": "5G",
        "data.left": 20,
        "products": [],
        "tags": [],
        "consent": {"marketing": True, "profiling": True, "location": True},
    }
    (folder / "people.jsonl").write_bytes(orjson.dumps(profile) + b"\n")


def station() -> str:
    from engine.language.loader import load_dir

    ruleset = load_dir(CHECKOUT / "rules").ruleset
    assert ruleset is not None
    return ruleset.catalog.places["railway-east"].cells[0]


def test_a_rule_goes_from_the_idea_to_a_message(terminal: Terminal) -> None:
    on, folder = terminal, terminal.folder
    roles: subprocess.Popen[bytes] | None = None
    try:
        on.say("The deployment runs with the rules of yesterday.")
        on.run("touchpoint topics", lines=3)
        on.run("touchpoint rules publish rules --by operations", lines=2)
        on.shown += ["$ touchpoint run all &", ""]
        with (folder / "roles.log").open("wb") as log:
            roles = subprocess.Popen(
                [folder / "bin" / "touchpoint", "run", "all"],
                cwd=folder,
                env=on.environment,
                stdout=log,
                stderr=log,
            )

        on.say("The idea: people with little data left who wait at a station get the video pass.")
        (folder / RULE).write_text(idea().replace("stays_in: stations", "stays_in: station"))
        on.run(f"cat {RULE}")
        on.run(f"touchpoint check {RULE}", code=1)
        on.run(f"sed -i 's/stays_in: station$/stays_in: stations/' {RULE}")
        on.run(f"touchpoint check {RULE} --cost")

        on.say("Is that what was meant? And at the edges?")
        on.run(f"touchpoint story {RULE} --lang both", lines=24)
        on.run(f"touchpoint story {RULE} --write rules/city/station-wait.test.yaml > story.txt")
        on.run("touchpoint test rules --rule station-wait --coverage")

        on.say("Whom would it reach, and what would it have done yesterday?")
        on.run("touchpoint simulate --seed 1 --subscribers 300 --hours 12 --lively --out city", lines=4)
        on.run(f"touchpoint reach {RULE} --profiles city/profiles.jsonl", lines=16)
        on.run(f"sed -i 's/^status: draft/status: shadow/' {RULE}")
        on.run(
            "touchpoint replay --rules rules --events city/events.jsonl --profiles city/profiles.jsonl "
            "--disorder 5m --report --out replayed | grep -e '^rule ' -e station-wait"
        )

        on.say("Somebody else approves it; it goes live, first for every tenth subscriber.")
        on.run("touchpoint approve station-wait --by retention-lead")
        live = "s/^status: shadow/status: live\\napproved_by: retention-lead/"
        on.run(f"sed -i '{live}' {RULE}")
        on.run("touchpoint check rules --strict")
        on.run("touchpoint rules publish rules --by ann --canary 10%")
        on.run("touchpoint rules published")
        on.say("It does no harm: everybody gets it.")
        on.run("touchpoint rules publish rules --by ann")

        on.say("Somebody waits at the station.")
        write_lives(folder)
        on.run("cat people.jsonl station.jsonl")
        on.run("touchpoint load profiles people.jsonl")
        on.run("mv station.jsonl landing/")
        messages = folder / "out" / "messages.jsonl"
        on.until(lambda: messages.exists() and MSISDN.encode() in messages.read_bytes(), "a message")
        on.run('grep -o \'"text":"[^"]*"\' out/messages.jsonl')
        on.until(lambda: b"delivered" in told(on), "its receipt")
        on.say("Why did they get it, and who changed the rules?")
        history = on.run(f"touchpoint history {IMSI}")
        assert "station-wait" in history
        on.run("touchpoint rules history")

        on.say("And back, should it be needed.")
        first = r"$(touchpoint rules published --json | grep -o '[0-9a-f]\{32\}' | head -n 1)"
        on.run(f"touchpoint rules switch {first} --by ann")
    finally:
        if roles is not None:
            roles.kill()
            roles.wait()
    compare(on.recording)


def told(on: Terminal) -> bytes:
    done = subprocess.run(
        [on.folder / "bin" / "touchpoint", "history", IMSI],
        cwd=on.folder,
        env=on.environment,
        capture_output=True,
        check=False,
    )
    return done.stdout


def compare(recording: str) -> None:
    """Hold the recording against the page's."""
    path = CHECKOUT / PAGE
    text = path.read_text(encoding="utf-8")
    head, _, rest = text.partition("```text\n")
    _, _, tail = rest.partition("\n```\n")
    if os.environ.get("TOUCHPOINT_UPDATE_GOLDEN"):
        path.write_text(f"{head}```text\n{recording.rstrip()}\n```\n{tail}", encoding="utf-8")
    else:
        assert rest.partition("\n```\n")[0] == recording.rstrip()
