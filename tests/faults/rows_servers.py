"""Rows 5 to 12: brokers and stores that die, forget, are full, are slow."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import redis

from engine.rebuild import REBUILDING
from tests.faults.checker import Report
from tests.faults.ends import Hits
from tests.faults.field import PATIENCE, Field, offsets
from tests.faults.load import SECOND, msisdn
from tests.faults.rows_process import SESSION, opt_out, started
from tests.faults.slow import Slow
from tests.faults.stage import Stage, now_us
from tests.servers.process import wait_until
from tests.servers.redis import RedisServer

Json = dict[str, Any]


def row_5(stage: Stage) -> Report:
    """Kill each of three brokers in turn, whoever leads what: one of them is the controller."""
    brokers = stage.kafka_cluster()
    # claims outlive a failover, as deployed ones do: no end may be unknown
    patient = {"patience": {**PATIENCE, "claim_us": 60 * SECOND}}
    more: Json = {"kafka_replication": 3, "kafka_min_isr": 2, "spec": patient}
    field = started(stage, within=90, bootstrap=brokers.bootstrap, **more)
    field.feed(90)
    for number in brokers.nodes:
        time.sleep(4)
        field.fault("SIGKILL broker")
        brokers.kill(number)
        time.sleep(12)
        brokers.restart(number)
    return field.report("5", within=150)


def row_7(stage: Stage) -> Report:
    """Kill the primary of a Redis with Sentinel; it comes back as a replica."""
    group = stage.sentinel()
    field = _running(stage, 16 if stage.quick else 40, store=group)
    for _ in range(1 if stage.quick else 2):
        time.sleep(5)
        primary = group.primary()
        fault = field.fault("SIGKILL Redis primary", Hits.LEDGER)
        primary.kill()
        wait_until(lambda: group.primary().is_running, "a failover", 30)
        primary.restart()
        fault.over()
    return field.report("7", within=120)


def row_7b(stage: Stage) -> Report:
    """Kill a master of a Redis Cluster of six nodes; its replica takes over."""
    cluster = stage.redis_cluster()
    field = _running(stage, 16 if stage.quick else 40, store=cluster)
    for number in range(1 if stage.quick else 2):
        time.sleep(5)
        master = cluster.owner(field._tag(number) + "ctl")
        fault = field.fault("SIGKILL Redis master", Hits.LEDGER)
        master.kill()
        wait_until(lambda: len(cluster.masters()) == 3, "a failover", 30)
        master.restart()
        cluster.wait_complete()
        fault.over()
    return field.report("7b", within=120)


def row_9(stage: Stage) -> Report:
    """Lose everything in Redis (FLUSHALL); nothing is sent until it is rebuilt."""
    field = _running(stage, 30)
    time.sleep(12)
    watch = _Rebuild(field)
    fault = field.fault("FLUSHALL", Hits.LEDGER)
    with field.client() as client:
        client.flushall()
    fault.over()
    watch.begin()
    return _rebuilt(field, watch, "9")


def row_9b(stage: Stage) -> Report:
    """Put back a copy of Redis that is old; what was sent since is not sent again."""
    age = 10 if stage.quick else 60
    field = started(stage)
    first = len(field.load.log) // 4
    field.feed(6, field.load.log[:first]).end()
    copy = _copy(field)
    # it comes back when quiet time has just ended, and most offers are under way
    field.feed(age * 1.1, field.load.log[first:])
    time.sleep(age)
    wait_until(lambda: len(field.open_offers()) > 20, "offers to be under way", 30)
    fault = field.fault(f"a copy {age} s old restored", Hits.LEDGER)
    _restore(field, copy)
    fault.over()
    report = field.report("9b", within=120)
    report.notes.append(f"{report.ends['indeterminate']} offers of unknown fate: sent since the copy, or not")
    return report


def row_9c(stage: Stage) -> Report:
    """Kill all, restore an old copy of Redis, start dispatchers, then engines; many opted out meanwhile."""
    age = 20 if stage.quick else 40
    field = started(stage, stage.load(optouts=0, subscribers=600))
    first = len(field.load.log) // 4
    field.feed(6, field.load.log[:first]).end()
    copy = _copy(field)
    field.feed(age * 1.1, field.load.log[first:])
    time.sleep(age)
    wait_until(lambda: len(field.open_offers()) > 20, "offers to be under way", 30)
    for role in ("dispatcher", "engine"):
        for process in field.living(role):
            field.kill(process)
        if role == "dispatcher":
            people = [msisdn(number) for number in range(field.load.options.subscribers)]
            opt_out(field, people[::4])
    fault = field.fault(f"a copy {age} s old restored", Hits.LEDGER)
    _restore(field, copy)
    fault.over()
    sent = len(field.submits())
    for role in ("dispatcher", "dispatcher"):
        field.start(role)
    # they have their partitions by then
    time.sleep(SESSION / 1_000 + 6)
    early = len(field.submits()) - sent
    for role in ("engine", "engine"):
        field.start(role)
    report = field.report("9c", within=120)
    report.problem("submits before the lanes had caught up", range(early))
    refused = report.ends["suppressed"] + report.ends["consent.marketing"]
    report.notes.append(f"{len(field.optouts)} opt-outs after the copy, {refused} offers suppressed")
    return report


def _copy(field: Field) -> dict[bytes, tuple[bytes | None, int]]:
    """Return everything in Redis at one moment, as a copy of its disk has it: key -> value, TTL ms."""
    with field.client() as client:
        client.client_pause(20_000, all=False)  # nobody writes meanwhile
        found = {key: (client.dump(key), max(client.pttl(key), 0)) for key in client.scan_iter(count=1_000)}
        client.client_unpause()
    return found


def _restore(field: Field, copy: dict[bytes, tuple[bytes | None, int]]) -> None:
    with field.client() as client, client.pipeline(transaction=True) as batch:
        batch.flushall()
        for key, (dumped, ttl) in copy.items():
            if dumped is not None:
                batch.restore(key, ttl, dumped)
        batch.execute()


def _running(stage: Stage, seconds: float, **more: Any) -> Field:
    field = started(stage, **more)
    field.feed(seconds)
    return field


class _Rebuild(threading.Thread):
    """Looks when each partition of a lost store decides again."""

    def __init__(self, field: Field) -> None:
        super().__init__(daemon=True)
        self.field = field
        self.began = 0
        self.ended: dict[int, int] = {}
        """Partition -> when it was rebuilt, µs."""

    def begin(self) -> None:
        """Begin to look: now it is lost."""
        self.began = now_us()
        self.start()

    def run(self) -> None:
        """Look until all is there."""
        while len(self.ended) < self.field.load.partitions:
            with suppress(redis.RedisError):
                for partition, control in self.field.controls().items():
                    lane = control.get(b"lane", b"")
                    if lane and REBUILDING not in lane and b"muted_until" not in lane:
                        self.ended.setdefault(partition, now_us())
            time.sleep(0.01)


def _rebuilt(field: Field, watch: _Rebuild, row: str) -> Report:
    field.rebuilt = True
    report = field.report(row, within=120)
    watch.join(5)
    ended = dict(watch.ended)
    of_offer = {orjson.loads(read.value)["id"]: read.partition for read in field.tail.read["offers"]}
    early = [
        submit["decision"]
        for submit in field.submits()
        if watch.began + GRACE < submit["at"] < ended.get(of_offer[submit["decision"]], 1 << 62)
    ]
    report.problem("submits before their partition was rebuilt", early)
    if len(ended) < field.load.partitions:
        report.problems.append(f"expected all partitions to be rebuilt, was {sorted(ended)}")
    took = ", ".join(f"{(end - watch.began) / 1e6:.1f} s" for end in ended.values())
    report.notes.append(f"rebuilt in {took}; {report.ends['rebuild']} offers suppressed by the rebuild")
    return report


GRACE = 5_000
"""µs between the loss and its first note: what was past the last gate may be written."""


def row_11(stage: Stage) -> Report:
    """Let Redis have no memory left for a while: consumption pauses, then goes on."""
    field = _running(stage, 24)
    time.sleep(6)

    def fill() -> None:
        with field.client() as client:
            used = client.info("memory")["used_memory"]
            client.config_set("maxmemory", int(used * 0.9))

    def free() -> None:
        with field.client() as client:
            client.config_set("maxmemory", 0)

    return _full(field, "11", "no memory left", fill, free)


DISK = 64 << 20
"""Bytes of the disk of row 10."""


def row_10(stage: Stage) -> Report:
    """Let Redis's disk be full for a while: consumption pauses, then goes on."""
    disk = stage.folder / "disk"
    disk.mkdir(parents=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        return Report("10", not_run="no right to mount a tmpfs")
    try:
        server = RedisServer(disk / "redis", "auto-aof-rewrite-percentage 0")
        stage.own(server.start())
        field = _running(stage, 24, store=server)
        time.sleep(6)
        filler = disk / "filler"

        def fill() -> None:
            out = os.open(filler, os.O_WRONLY | os.O_CREAT)
            with suppress(OSError):
                for _ in range(DISK >> 12):
                    os.write(out, bytes(4096))
            os.close(out)

        return _full(field, "10", "disk full", fill, lambda: os.truncate(filler, 0))
    finally:
        stage.close()
        subprocess.run(["umount", "-l", str(disk)], check=False)


def _full(field: Field, row: str, what: str, fill: Callable[[], None], free: Callable[[], None]) -> Report:
    fault = field.fault(what, Hits.LEDGER)
    fill()
    wait_until(lambda: not _writable(field), "a Redis that takes nothing", 20)
    time.sleep(1)
    before, sent = offsets(field), len(field.submits())
    time.sleep(5)
    after, sent_then = offsets(field), len(field.submits())
    free()
    wait_until(lambda: _writable(field), "a Redis that takes writes again", 20)
    fault.over()
    report = field.report(row, within=120)
    if before != after:
        report.problems.append(f"expected consumption to pause, went from {before} to {after}")
    if sent != sent_then:
        report.problems.append(f"expected nothing to be sent, was {sent_then - sent} messages")
    report.notes.append(f"paused at {before}, went on to {offsets(field)}")
    return report


def _writable(field: Field) -> bool:
    with field.client() as client:
        try:
            client.set("probe", "x")
        except redis.ResponseError:
            return False
        client.delete("probe")
        return True


def row_12(stage: Stage) -> Report:
    """Make Redis, then Kafka, slow (200 ms), reset their connections, leave them half open."""
    store = stage.redis()
    with Slow(lambda: stage.kafka.proxy(), store.port) as slow:
        spec = {"session_ms": SESSION}
        field = started(stage, store=store, via=slow.redis, kafka_bootstrap=slow.kafka, spec=spec)
        processes = list(field.deployment.processes)
        field.feed(60)
        for which in ("redis", "kafka"):
            time.sleep(3)
            delayed = field.fault(f"{which} 200 ms slower", Hits.LEDGER)
            slow.delay(which, 200)
            time.sleep(8)
            slow.heal(which)
            delayed.over()
            for _ in range(3):
                broken = field.fault(f"{which} resets", Hits.LEDGER)
                slow.reset(which)
                broken.over()
                time.sleep(1)
            silent = field.fault(f"{which} half open", Hits.LEDGER)
            slow.half_open(which)
            time.sleep(5)
            slow.heal(which)
            silent.over()
        report = field.report("12", within=150)
        sizes = [resident(process.process.pid) for process in processes if process.is_running]
    report.notes.append(f"resident memory of roles: {', '.join(f'{size >> 20} MiB' for size in sizes)}")
    report.problem("roles above 400 MiB (I9)", [size for size in sizes if size > 400 << 20])
    return report


def resident(pid: int) -> int:
    """Return the resident memory of a process, bytes."""
    with open(f"/proc/{pid}/statm", encoding="utf-8") as read:
        return int(read.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
