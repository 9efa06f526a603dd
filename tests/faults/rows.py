"""The rows of the matrix (facts/reliability.md), each on a stage of its own."""

from __future__ import annotations

import secrets
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
from redis import Redis

from tests.faults.checker import Verdict
from tests.faults.stage import Stage
from tests.servers.kafka import KafkaCluster, KafkaServer
from tests.servers.redis import RedisServer

POISON = (
    b"\xff\xfe",
    b'{"kind":"sms.out","t":NaN}',
    b"[" * 2_000,
    b'{"kind":"sms.out","subscriber_key":"' + b"x" * 900_000 + b'"}',
    b'{"kind":"sms.out","t":"noon","subscriber_key":"0123456789abcdef0123456789abcdef"}',
    b'{"kind":"no.such.kind","t":1788440400000000}',
)


@dataclass
class Servers:
    """What a row runs on."""

    folder: Path
    kafka: KafkaServer | KafkaCluster
    redis: RedisServer
    quick: bool = False


@dataclass
class Result:
    """What a row showed."""

    verdict: Verdict
    in_flight: int
    faults: int
    seconds: float
    problems: list[str]

    @property
    def holds(self) -> bool:
        """Whether nothing was lost, doubled or wrong, with faults landing on offers in flight."""
        return not self.verdict.faults and not self.problems


def _stage(on: Servers, seed: int, **settings: object) -> Stage:
    folder = on.folder / secrets.token_hex(4)
    folder.mkdir(parents=True)
    on.redis.revive()
    on.redis.flush()
    prefix = f"f{secrets.token_hex(3)}"
    return Stage(folder, on.kafka.bootstrap, on.redis.url, prefix, seed, **settings)  # type: ignore[arg-type]


def _run(on: Servers, seed: int, act: Callable[[Stage], None], seconds: float, **settings: object) -> Result:
    began = time.monotonic()
    stage = _stage(on, seed, **settings)
    try:
        verdict = stage.go(act, seconds=seconds)
        flight = stage.in_flight()
        return Result(verdict, flight, len(stage.faults), time.monotonic() - began, stage.problems)
    except AssertionError:
        raise
    finally:
        stage.close()


def crashes(on: Servers, seed: int = 1, plant: str = "") -> Result:
    """1: SIGKILL at random points, of engines and the dispatcher."""
    kills = 6 if on.quick else 50
    seconds = 1.2 * kills

    def act(stage: Stage) -> None:
        for _ in range(kills):
            time.sleep(stage.rng.uniform(0.4, 2.0))
            stage.kill(stage.rng.choice(stage.names))

    return _run(on, seed, act, seconds, plant=plant)


def zombies(on: Servers, seed: int = 2, plant: str = "") -> Result:
    """2: SIGSTOP beyond the session timeout, then SIGCONT."""

    def act(stage: Stage) -> None:
        for name in ("engine-0", "engine-1"):
            time.sleep(2)
            stage.landed()
            stage.running[name].signal(signal.SIGSTOP)
            time.sleep(12)
            stage.running[name].signal(signal.SIGCONT)
            stage.landed()
            time.sleep(6)

    return _run(on, seed, act, 40, plant=plant)


def rolling(on: Servers, seed: int = 3) -> Result:
    """3: SIGTERM each in turn: exit code 0 within 30 s, nothing indeterminate."""

    def act(stage: Stage) -> None:
        for name in stage.names:
            time.sleep(2)
            stage.landed()
            code, seconds = stage.running[name].terminate()
            if code or seconds > 30:
                stage.problems.append(f"{name}: exit code {code} after {seconds:.1f} s")
            stage.start(name)

    result = _run(on, seed, act, 15)
    if result.verdict.ends["indeterminate"]:
        result.problems.append(f"{result.verdict.ends['indeterminate']} indeterminate")
    return result


def storm(on: Servers, seed: int = 4) -> Result:
    """4: a worker comes and goes every 5 s."""

    def act(stage: Stage) -> None:
        for number in range(2 if on.quick else 4):
            stage.start(f"engine-{9 + number}")
            stage.landed()
            time.sleep(5)
            stage.landed()
            stage.running.pop(f"engine-{9 + number}").terminate()
            time.sleep(2)

    return _run(on, seed, act, 25)


def broker(on: Servers, seed: int = 5) -> Result:
    """5: a broker of three is killed, then another; copies 3, of which 2 must have a record."""
    kafka = KafkaCluster(on.folder / "three", nodes=3)
    kafka.start()
    three = Servers(on.folder, kafka, on.redis, on.quick)

    def act(stage: Stage) -> None:
        for number in (1, 2):
            time.sleep(4)
            stage.landed()
            kafka.kill(number)
            time.sleep(10)
            kafka.restart(number)
            time.sleep(6)

    try:
        return _run(three, seed, act, 40, kafka_replication=3, kafka_min_isr=2)
    finally:
        kafka.stop()


def flushed(on: Servers, seed: int = 9) -> Result:
    """9: the store loses everything while offers are on their way."""

    def act(stage: Stage) -> None:
        time.sleep(5)
        stage.landed()
        on.redis.flush()

    return _run(on, seed, act, 10)


def older(on: Servers, seed: int = 10) -> Result:
    """9: the store comes back as it was some seconds ago."""

    def act(stage: Stage) -> None:
        time.sleep(2)
        copy = stage.made.folder / "copy"
        on.redis.stop()
        shutil.copytree(on.redis.folder, copy, ignore=shutil.ignore_patterns("*.log", "*.sock"))
        on.redis.restart()
        time.sleep(6)
        stage.landed()
        on.redis.kill()
        for path in on.redis.folder.glob("appendonly*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(copy, on.redis.folder, dirs_exist_ok=True)
        on.redis.restart()

    return _run(on, seed, act, 14)


def full(on: Servers, seed: int = 11) -> Result:
    """10-11: the store is full for a while: nothing is consumed, then it goes on."""

    def act(stage: Stage) -> None:
        time.sleep(2)
        with Redis.from_url(on.redis.url) as redis:
            used = redis.info("memory")["used_memory"]
            redis.config_set("maxmemory", used)
            stage.landed()
            time.sleep(5)
            before = stage.made.offsets()
            time.sleep(2)
            if stage.made.offsets() != before:
                stage.problems.append("offsets moved while the store was full")
            redis.config_set("maxmemory", 0)

    return _run(on, seed, act, 12)


def poison(on: Servers, seed: int = 14) -> Result:
    """14: records nobody can read: one dead letter each, the partition goes on."""

    def act(stage: Stage) -> None:
        time.sleep(1)
        stage.landed()
        stage.made.append_pairs([(number % 6, value) for number, value in enumerate(POISON)])

    began = time.monotonic()
    stage = _stage(on, seed)
    try:
        verdict = stage.go(act, seconds=5)
        letters = [orjson.loads(value) for _, value in stage.made.read("deadletters")]
        places = {(letter["partition"], letter["offset"]) for letter in letters}
        if len(places) != len(POISON):
            stage.problems.append(f"expected {len(POISON)} dead letters, was {len(places)}")
        return Result(verdict, stage.in_flight(), 1, time.monotonic() - began, stage.problems)
    finally:
        stage.close()


def hot(on: Servers, seed: int = 15) -> Result:
    """15: one subscriber with tens of thousands of records: others go on, its state stays small."""
    count = 20_000

    def act(stage: Stage) -> None:
        key, partition = stage.course.key_of(0)
        now = stage.course.newest - 3_600_000_000
        stage.landed()
        line = {"kind": "sms.out", "subscriber_key": key, "source": "hot", "number": "10086"}
        stage.made.append_pairs(
            [(partition, orjson.dumps({**line, "t": now + n, "id": f"hot{n}"})) for n in range(count)]
        )

    began = time.monotonic()
    stage = _stage(on, seed)
    try:
        verdict = stage.go(act, seconds=6)
        key, partition = stage.course.key_of(0)
        with Redis.from_url(on.redis.url) as redis:
            from connectors.redis_keys import tag_of

            size = redis.strlen(f"{tag_of(partition, 6)}s:{key}")
        if not 0 < int(size) < 500_000:
            stage.problems.append(f"its state has {size} bytes")
        return Result(verdict, stage.in_flight(), 1, time.monotonic() - began, stage.problems)
    finally:
        stage.close()


def opted_out(on: Servers, seed: int = 20) -> Result:
    """20: numbers opt out while their offers are queued: none of them is sent to."""
    began = time.monotonic()
    stage = _stage(on, seed)
    try:
        stage.begin()
        stage.running.pop("dispatcher-0").terminate()
        stage.made.append_pairs(stage.course.records)
        stage.made.end_time(stage.course.newest - 2, 120)
        numbers = stage.course.numbers[:100]
        (stage.made.folder / "stop.txt").write_text("\n".join(numbers) + "\n")
        stage.made.command("load", "optouts", stage.made.folder / "stop.txt")
        stage.landed()
        stage.start("dispatcher-0")
        verdict = stage.drain()
        sent = {line["to"] for line in stage.made.submits()} & set(numbers)
        if sent:
            stage.problems.append(f"{len(sent)} numbers were sent to after their opt-out")
        if not verdict.ends["suppressed"] + verdict.ends["consent.marketing"]:
            stage.problems.append("no offer of theirs was stopped")
        return Result(verdict, verdict.offers, 1, time.monotonic() - began, stage.problems)
    finally:
        stage.close()


def canaries(on: Servers, seed: int = 22) -> Result:
    """22: no IMSI, MSISDN or IMEI in logs, metrics, decisions, dead letters, whatever happens."""
    began = time.monotonic()
    stage = _stage(on, seed)
    course = stage.course
    try:

        def act(stage: Stage) -> None:
            stage.landed()
            bad = {"kind": "sms.out", "t": "x", "imsi": course.imsis[0], "msisdn": course.numbers[0]}
            stage.made.append_pairs([(0, orjson.dumps(bad)), (1, course.imsis[1].encode() * 3)])
            stage.kill("engine-0")

        verdict = stage.go(act, seconds=4)
        seen = stage.made.logs_whole()
        for process in stage.made.processes:
            if process.is_running:
                seen += httpx.get(f"http://127.0.0.1:{process.port}/metrics").content
        for topic in ("decisions", "offers", "deadletters"):
            seen += b"\n".join(value for _, value in stage.made.read(topic))
        people = [*course.imsis, *(number[1:] for number in course.numbers)]
        leaks = [name for name in people if name.encode() in seen or name[-9:].encode() in seen]
        if leaks:
            stage.problems.append(f"{len(leaks)} identities in what was written")
        return Result(verdict, stage.in_flight(), len(stage.faults), time.monotonic() - began, stage.problems)
    finally:
        stage.close()


ROWS: dict[str, Callable[..., Result]] = {
    "1": crashes,
    "2": zombies,
    "3": rolling,
    "4": storm,
    "5": broker,
    "9a": flushed,
    "9b": older,
    "11": full,
    "14": poison,
    "15": hot,
    "20": opted_out,
    "22": canaries,
}
PLANTED: dict[str, Callable[[Servers], Result]] = {
    "token": lambda on: zombies(on, plant="token"),
    "claim": lambda on: crashes(on, plant="claim"),
    "outbox": lambda on: crashes(on, plant="outbox"),
    "offset": lambda on: crashes(on, plant="offset"),
}
"""Faults of `planted.py`, each with the row under which the checker has to find it."""
FAST = ("1", "9a", "14", "20", "22")
"""Those that `./run test` runs, with few kills."""
