"""Where a row is fought out: real servers, roles as processes, a load that is being appended."""

from __future__ import annotations

import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import redis
from redis.cluster import RedisCluster as ClusterClient

from connectors.redis_keys import tag_of
from engine.last_gates import ENDS
from engine.topics import DEADLETTERS_PARTITIONS
from tests.faults.checker import Evidence, Report, check
from tests.faults.ends import Fault, Hits
from tests.faults.load import Load
from tests.faults.role import PROGRAM, SPEC
from tests.faults.tail import Feeder, Tail
from tests.servers.deployment import Deployment, RoleProcess
from tests.servers.process import free_port
from tests.servers.redis import HOST, RedisServer
from tests.servers.redis_groups import RedisCluster, RedisSentinel

Json = dict[str, Any]
Store = RedisServer | RedisCluster | RedisSentinel
DRAINED_WITHIN = 90.0
PATIENCE = {"claim_us": 4_000_000, "sweep_us": 500_000, "retry_most_us": 1_000_000}
"""A claim that nobody ends is `indeterminate` after seconds, not ten minutes: a row would take as long."""
CHANNEL = {
    "latency": 0.05,
    "receipt_after": 0.5,
    "failed": 0.05,
    "lost": 0.01,
    "early": 0.05,
    "twice": 0.05,
}
"""The network takes its time and errs: faults land while submits are under way."""
BATCH = 64
"""Offers per pass of a dispatcher: as many may be claimed, and not sent, by one that dies."""
SESSION_MS = 2_500
"""A dead process is noticed after seconds, so that 50 kills take minutes."""


class Field:
    """One run of a row, in a folder of its own. Close it."""

    def __init__(
        self,
        folder: Path,
        bootstrap: str,
        store: Store,
        prefix: str,
        load: Load,
        *,
        via: str | None = None,
        spec: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        """`via`: HOST:PORT by which roles reach Redis, if not directly. `spec`: of every role (`role`)."""
        self.load = load
        self.store = store
        self.bootstrap = bootstrap
        self.faults: list[Fault] = []
        self.spec = {"patience": PATIENCE, "channel": CHANNEL, "session_ms": SESSION_MS, **(spec or {})}
        folder.mkdir(parents=True, exist_ok=True)
        more = {"channel": "lab", "dispatcher_batch": BATCH, **_redis_settings(store, via), **settings}
        self.batch = int(more["dispatcher_batch"])
        url = more.pop("redis_url")
        self.deployment = Deployment(folder, bootstrap, url, prefix, partitions=load.partitions, **more)
        topics = dict.fromkeys(("events", "decisions", "offers"), load.partitions)
        self.tail = Tail(bootstrap, prefix, {**topics, "deadletters": DEADLETTERS_PARTITIONS})
        self.feeder: Feeder | None = None
        self.rebuilt = False
        self.unmodelled: frozenset[str] = frozenset()
        self.optouts: dict[str, int] = {}
        """Number -> when its opt-out was acknowledged, µs."""
        self.exits: list[tuple[str, int, float]] = []
        """Role, exit code and seconds of those that were told to end."""
        self.began = time.monotonic()

    def close(self) -> None:
        """End all processes."""
        self.deployment.close()
        self.tail.close()

    # -- what a row does -------------------------------------------------------------------------------------

    def publish_rules(self) -> None:
        """Publish the rules of the load; makes the topics."""
        folder = self.deployment.folder / "rules"
        for path, text in self.load.texts.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        self.deployment.command("rules", "publish", folder, "--by", "a test")
        self.tail.start()

    def start(self, role: str, *, wait: bool = False, **spec: Any) -> RoleProcess:
        """Start a role with what it is to suffer; `wait`: until it says that it is ready."""
        deployment = self.deployment
        given = {**self.spec, **spec}
        environment = deployment.environment(web_port=free_port())
        environment[SPEC] = orjson.dumps(given).decode()
        number = len(deployment.processes)
        process = RoleProcess(role, environment, deployment.folder / f"{number}-{role}.log", PROGRAM)
        deployment.processes.append(process)
        if wait:
            deployment.wait(lambda: is_ready(process), f"{role} to be ready", 60)
        return process

    def feed(self, seconds: float, entries: Sequence[tuple[int, bytes]] | None = None) -> Feeder:
        """Begin to append the load, or `entries`, over so many seconds."""
        topic = f"{self.deployment.prefix}.events.v1"
        feeder = Feeder(self.bootstrap, topic, entries or self.load.log, seconds)
        if self.feeder is not None:
            feeder.acknowledged.update(self.feeder.acknowledged)
        self.feeder = feeder
        feeder.start()
        return feeder

    def fault(self, what: str, hits: Hits = Hits.NOTHING, until: int = 0) -> Fault:
        """Note that a fault lands now; one that lasts is `over()` when told so, or at `until` (µs)."""
        fault = Fault(time.time_ns() // 1_000, what, hits, until)
        self.faults.append(fault)
        return fault

    def kill(self, process: RoleProcess) -> None:
        """End a role by SIGKILL."""
        fault = self.fault(f"SIGKILL {process.role}", hits_of(process))
        process.kill()
        fault.over()

    def terminate(self, process: RoleProcess) -> None:
        """End a role by SIGTERM and note how."""
        self.fault(f"SIGTERM {process.role}")
        self.exits.append((process.role, *process.terminate()))

    def pause(self, process: RoleProcess, seconds: float) -> None:
        """Stop a role's clock for a while."""
        fault = self.fault(f"SIGSTOP {process.role}", hits_of(process))
        process.signal(signal.SIGSTOP)
        time.sleep(seconds)
        process.signal(signal.SIGCONT)
        fault.over()

    def living(self, role: str) -> list[RoleProcess]:
        """Return the running processes of a role."""
        return [p for p in self.deployment.processes if p.role == role and p.is_running]

    # -- what is left behind ---------------------------------------------------------------------------------

    def client(self) -> Any:
        """Return a client of the store as it is now. Close it."""
        if isinstance(self.store, RedisCluster):
            return ClusterClient.from_url(self.store.url)
        server = self.store.primary() if isinstance(self.store, RedisSentinel) else self.store
        return redis.Redis.from_url(server.url, socket_timeout=30)

    def controls(self) -> dict[int, dict[bytes, bytes]]:
        """Return the `ctl` hashes."""
        with self.client() as client:
            return {p: client.hgetall(self._tag(p) + "ctl") for p in range(self.load.partitions)}

    def states(self) -> dict[int, dict[str, bytes]]:
        """Return every state that is stored."""
        found: dict[int, dict[str, bytes]] = {}
        with self.client() as client:
            for partition in range(self.load.partitions):
                prefix = self._tag(partition) + "s:"
                names = [name.decode() for name in client.scan_iter(match=prefix + "*", count=1_000)]
                blobs = {name.removeprefix(prefix): client.get(name) for name in names}
                found[partition] = {key: blob for key, blob in blobs.items() if blob is not None}
        return found

    def submits(self) -> list[Json]:
        """Return the evidence of the channel."""
        return self.deployment.submits()

    def is_folded(self) -> bool:
        """Whether all that stands in the log is folded and committed."""
        if not self.tail.is_whole:
            return False
        with suppress(redis.RedisError):
            controls, ends = self.controls(), self.tail.lasts("events")
            return all(int(controls[p].get(b"offset", 0)) > last for p, last in ends.items())
        return False

    def is_drained(self) -> bool:
        """Whether all that was appended is folded and every offer has ended."""
        return self.is_folded() and not self.open_offers()

    def open_offers(self) -> set[str]:
        """Name the offers given out that the log has no end of."""
        given = {read.key.partition("@")[0] for read in self.tail.read["offers"] if read.key}
        ended = set()
        for read in self.tail.read["events"]:
            if b'"offer.receipt"' in read.value:
                record = orjson.loads(read.value)
                if record["status"] in ENDS:
                    ended.add(record["decision"])
        return given - ended

    def drain(self, within: float = DRAINED_WITHIN) -> float:
        """Wait until nothing is under way, at two looks; return the seconds it took, `within` if never."""
        if self.feeder is not None:
            self.feeder.end(300)
        began = time.monotonic()
        settled = 0
        while time.monotonic() - began < within:
            looks = self.tail.looks
            settled = settled + 1 if self.is_drained() else 0
            if settled >= 2:
                return time.monotonic() - began
            end = time.monotonic() + 10
            while self.tail.looks <= looks + 1 and time.monotonic() < end:
                time.sleep(0.05)
        return within

    def evidence(self, within: float = 60) -> Evidence:
        """Gather all that was left behind, of one moment.

        Receipts that repeat others come after all offers have ended: states may be ahead of what was read.
        """
        end = time.monotonic() + within
        while True:
            found = self._gather()
            ends = {record.partition: record.offset + 1 for record in found.log}
            stand = {p: int(control.get(b"offset", 0)) for p, control in found.controls.items()}
            if time.monotonic() > end or all(at <= ends.get(p, 0) for p, at in stand.items()):
                return found
            time.sleep(0.5)

    def _gather(self) -> Evidence:
        read = self.tail.read
        return Evidence(
            self.load.rules,
            self.load.case,
            self.load.partitions,
            sorted(read["events"], key=lambda one: (one.partition, one.offset)),
            dict(self.feeder.acknowledged) if self.feeder is not None else {},
            read["decisions"],
            read["offers"],
            read["deadletters"],
            self.submits(),
            self.controls(),
            self.states(),
            self.batch,
            self.faults,
            self.optouts,
            self.rebuilt,
            self.unmodelled,
        )

    def report(self, row: str, within: float = DRAINED_WITHIN) -> Report:
        """Let it come to rest, then check all; a row that does not come to rest has failed."""
        took = self.drain(within)
        died = [p for p in self.deployment.processes if p.process.poll() not in (None, 0, -9)]
        report = check(row, self.evidence())
        report.seconds = time.monotonic() - self.began
        if took >= within:
            report.problems.insert(0, f"expected to come to rest within {within:.0f} s, did not (I11)")
        report.notes.append(f"at rest {took:.1f} s after the last record")
        report.problem("roles that died", [f"{p.role} {p.process.returncode} {p.log}" for p in died])
        slow = [f"{role} {seconds:.1f} s" for role, _, seconds in self.exits if seconds >= 30]
        report.problem("roles that took 30 s or more to end", slow)
        report.problem("roles that ended with an error", [r for r, code, _ in self.exits if code])
        return report

    def metrics(self, process: RoleProcess) -> str:
        """Return a role's page of metrics."""
        with urllib.request.urlopen(f"http://{HOST}:{process.port}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def _tag(self, partition: int) -> str:
        return tag_of(partition, self.load.partitions)


def offsets(field: Field) -> list[int]:
    """Return up to where each partition is folded and committed."""
    return [int(control.get(b"offset", 0)) for control in field.controls().values()]


def hits_of(process: RoleProcess) -> Hits:
    """Return what the sudden end of a process takes from dispatchers."""
    return Hits.DISPATCHER if process.role == "dispatcher" else Hits.NOTHING


def is_ready(process: RoleProcess) -> bool:
    """Ask a role whether it is ready."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{process.port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _redis_settings(store: Store, via: str | None) -> dict[str, Any]:
    if isinstance(store, RedisCluster):
        nodes = ",".join(f"{host}:{port}" for host, port in store.addresses)
        return {"redis_url": f"redis://{nodes}", "redis_mode": "cluster", "redis_wait": 1}
    if isinstance(store, RedisSentinel):
        nodes = ",".join(f"{host}:{port}" for host, port in store.addresses)
        more = {"redis_mode": "sentinel", "redis_sentinel_master": store.name, "redis_wait": 1}
        return {"redis_url": f"redis://{nodes}", **more}
    return {"redis_url": f"redis://{via}/0" if via else store.url}


def new_prefix() -> str:
    """Return a prefix of topics that no other run has."""
    return f"f{os.urandom(3).hex()}"
