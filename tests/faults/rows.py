"""The rows of the matrix (facts/reliability.md), each on a stage of its own."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import signal
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
from redis import Redis

from connectors.redis_keys import tag_of
from tests.faults.checker import Verdict, judge
from tests.faults.stage import Stage
from tests.servers.kafka import KafkaCluster, KafkaServer
from tests.servers.proxy import Proxy
from tests.servers.redis import RedisServer
from tests.servers.redis_groups import RedisSentinel

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
    url = str(settings.pop("store_at", on.redis.url))
    brokers = str(settings.pop("brokers_at", on.kafka.bootstrap))
    stage = Stage(folder, brokers, url, prefix, seed, **settings)  # type: ignore[arg-type]
    stage.made.store_url = lambda: on.redis.url
    stage.made.options = {"bootstrap_servers": on.kafka.bootstrap}
    return stage


def _run(on: Servers, seed: int, act: Callable[[Stage], None], seconds: float, **settings: object) -> Result:
    began = time.monotonic()
    stage = _stage(on, seed, **settings)
    try:
        verdict = stage.go(act, seconds=seconds)
        flight = stage.in_flight()
        return Result(verdict, flight, len(stage.faults), time.monotonic() - began, stage.problems)
    finally:
        stage.close()


def crashes(on: Servers, seed: int = 1, plant: str = "", victim: str = "") -> Result:
    """1: SIGKILL at random points, of engines and the dispatcher."""
    kills = 6 if on.quick else 50
    # a single victim must have time to work between two of its deaths
    pause = (3.0, 5.0) if victim else (0.4, 2.0)
    seconds = sum(pause) / 2 * kills

    def act(stage: Stage) -> None:
        for _ in range(kills):
            time.sleep(stage.rng.uniform(*pause))
            stage.kill(victim or stage.rng.choice(stage.names))

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
            redis.config_set("maxmemory", 1)
            stage.landed()
            time.sleep(5)
            before = stage.made.offsets()
            time.sleep(2)
            if stage.made.offsets() != before:
                stage.problems.append("offsets moved while the store was full")
            redis.config_set("maxmemory", 0)

    return _run(on, seed, act, 12)


def failover(on: Servers, seed: int = 7) -> Result:
    """7: the primary of the store is killed, sentinels name its replica; claims wait for a replica."""
    group = RedisSentinel(on.folder / "sentinel")
    group.start()
    began = time.monotonic()
    where = ",".join(f"{host}:{port}" for host, port in group.addresses)

    def act(stage: Stage) -> None:
        time.sleep(5)
        stage.landed()
        group.primary().kill()

    settings = {
        "redis_mode": "sentinel",
        "redis_sentinel_master": group.name,
        "redis_wait": 0,
        "store_at": f"redis://{where}",
    }
    stage = _stage(on, seed, **settings)
    stage.made.store_url = lambda: group.primary().url
    try:
        verdict = stage.go(act, seconds=14)
        return Result(verdict, stage.in_flight(), 1, time.monotonic() - began, stage.problems)
    finally:
        stage.close()
        group.kill()


class Between:
    """A proxy in a thread of its own."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def do(self, work: Coroutine[Any, Any, Any]) -> None:
        """Have the thread do something, and wait for it."""
        asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def __enter__(self) -> Between:
        self.thread.start()
        self.do(self.proxy.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self.do(self.proxy.__aexit__(None, None, None))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def slow(on: Servers, seed: int = 12) -> Result:
    """12: store and log are slow for a while, cut connections, accept and never answer."""
    with Between(Proxy(on.redis.port)) as store, Between(on.kafka.proxy(1)) as brokers:

        def act(stage: Stage) -> None:
            for between in (store, brokers):
                stage.landed()
                between.proxy.delay(up=100, down=100)
                time.sleep(4)
                between.proxy.delay()
                for _ in range(3):
                    stage.landed()
                    between.do(between.proxy.reset())
                    time.sleep(1)
                stage.landed()
                between.proxy.half_open()
                time.sleep(4)
                between.do(between.proxy.heal())
                time.sleep(2)

        places = {
            "store_at": f"redis://127.0.0.1:{store.proxy.port}/0",
            "brokers_at": brokers.proxy.address,
        }
        return _run(on, seed, act, 26, **places)


def skewed(on: Servers, seed: int = 16) -> Result:
    """16: times 30 days ahead and 3 days back: the first refused, the others late, time unmoved."""
    began = time.monotonic()
    landing = on.folder / f"landing-{secrets.token_hex(3)}"
    landing.mkdir()
    stage = _stage(on, seed, landing=landing)

    def act(stage: Stage) -> None:
        stage.start("collector-0")
        day = 86_400_000_000
        lines = [
            {"kind": "sms.out", "imsi": imsi, "t": stage.course.newest + days * day, "number": "10086"}
            for imsi in stage.course.imsis[:50]
            for days in (30, -3)
        ]
        (landing / "skewed.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
        stage.landed()
        stage.made.wait((landing / "done" / "skewed.jsonl").exists, "the file to be collected")

    try:
        verdict = stage.go(act, seconds=8)
        letters = [orjson.loads(value) for _, value in stage.made.read("deadletters")]
        refused = [letter for letter in letters if letter["reason"] == "time"]
        if len(refused) != 50:
            stage.problems.append(f"expected 50 refused by time, was {len(refused)}")
        return Result(verdict, stage.in_flight(), 1, time.monotonic() - began, stage.problems)
    finally:
        stage.close()


def copies(on: Servers, seed: int = 17) -> Result:
    """17: copies and disorder, 5 % each (all rows have them), and nothing else."""
    return _run(on, seed, lambda stage: stage.landed(), 5)


def quiet(on: Servers, seed: int = 21) -> Result:
    """21: it is quiet time by the wall clock: offers of the day before wait, none is sent."""
    began = time.monotonic()
    stage = _stage(on, seed, quiet=(1, -1))
    try:
        stage.begin()
        stage.made.append_pairs(stage.course.records)
        stage.landed()
        stage.made.end_time(stage.course.newest, 120)
        time.sleep(8)
        verdict = judge(stage.made, sends=False)
        if stage.made.submits():
            stage.problems.append(f"{len(stage.made.submits())} were sent in quiet time")
        return Result(verdict, verdict.offers, 1, time.monotonic() - began, stage.problems)
    finally:
        stage.close()


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
    "7": failover,
    "9a": flushed,
    "9b": older,
    "11": full,
    "12": slow,
    "14": poison,
    "15": hot,
    "16": skewed,
    "17": copies,
    "20": opted_out,
    "21": quiet,
    "22": canaries,
}
PLANTED: dict[str, Callable[[Servers], Result]] = {
    "token": lambda on: zombies(on, plant="token"),
    "claim": lambda on: crashes(on, plant="claim", victim="dispatcher-0"),
    "outbox": lambda on: crashes(on, plant="outbox"),
    "offset": lambda on: crashes(on, plant="offset"),
}
"""Faults of `planted.py`, each with the row under which the checker has to find it."""
FAST = ("1", "9a", "14", "20", "22")
"""Those that `./run test` runs, with few kills."""
