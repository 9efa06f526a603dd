"""Rows 1 to 4: processes that are killed, stopped, told to end, added and taken away."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

from tests.faults.checker import Report
from tests.faults.field import Field, hits_of
from tests.faults.load import Load
from tests.faults.stage import Stage, now_us
from tests.servers.deployment import RoleProcess

KILLS = 50
SESSION = 8_000
"""ms, of the engines and here of dispatchers, too: as deployed."""
LANE_POINTS = ("assign", "republish", "read", "commit", "publish", "prune")
DISPATCHER_POINTS = ("claim", "gates", "report", "settle", "keep")


ROLES = ("engine", "engine", "dispatcher", "dispatcher")


def started(stage: Stage, load: Load | None = None, *, within: float = 40, **more: Any) -> Field:
    """Lay out a run with two of each role that have taken the rules; nothing is appended yet."""
    field = stage.field(load, **more)
    for role in ROLES:
        field.start(role)
    wait_for_rules(field, within)
    return field


def row_1(stage: Stage) -> Report:
    """Kill engines and dispatchers at random moments, and before and after commit, claim, submit."""
    kills = 6 if stage.quick else KILLS
    rng = stage.random
    field = started(stage)
    field.feed(kills * 2.4)
    killed = 0
    while killed < kills:
        time.sleep(rng.uniform(0.3, 2.5))
        role = rng.choice(("engine", "dispatcher")) if killed > 1 else ("dispatcher", "engine")[killed]
        victim = rng.choice(field.living(role))
        points = LANE_POINTS if role == "engine" else DISPATCHER_POINTS
        fresh = field.start(role)
        field.kill(victim)
        killed += 1
        if killed < kills and rng.random() < 0.4:
            # the next one of its kind dies at a step instead of at a moment
            fresh.kill()
            point = rng.choice(points[2:] if role == "engine" else points)
            marked = field.start(role, points=[{"at": point, "number": rng.randrange(1, 30), "do": "kill"}])
            field.start(role)
            killed += died(field, marked)
    return field.report("1")


def died(field: Field, process: RoleProcess, within: float = 6) -> int:
    """Wait until a process has killed itself at a step; kill it if it does not come there. Return 1."""
    end = time.monotonic() + within
    while process.is_running and time.monotonic() < end:
        time.sleep(0.02)
    at_a_step = "" if process.is_running else " at a step"
    fault = field.fault(f"SIGKILL {process.role}{at_a_step}", hits_of(process))
    process.kill()
    fault.over()
    return 1


def row_2(stage: Stage) -> Report:
    """Stop an engine right before a commit, another one anywhere, a dispatcher: all longer than a session."""
    field = stage.field(spec={"session_ms": SESSION})
    stop = [{"at": "commit", "number": 60, "do": "stop"}]
    zombie = field.start("engine", points=stop)
    other = field.start("engine")
    dispatcher = field.start("dispatcher")
    field.start("dispatcher")
    wait_for_rules(field)
    field.feed(20 if stage.quick else 45)
    resume_after(field, zombie, SESSION / 1_000 + 4)
    if not stage.quick:
        field.pause(dispatcher, SESSION / 1_000 + 4)
        field.pause(other, SESSION / 1_000 + 4)
    return field.report("2")


def resume_after(field: Field, process: RoleProcess, seconds: float, within: float = 60) -> None:
    """Wait until a process has stopped itself at a step, let time pass, let it go on."""
    field.deployment.wait(lambda: is_stopped(process), f"{process.role} to stop itself", within)
    field.fault(f"SIGSTOP {process.role} before a commit")
    time.sleep(seconds)
    process.signal(signal.SIGCONT)


def is_stopped(process: RoleProcess) -> bool:
    """Whether the kernel has stopped a process."""
    stat = Path(f"/proc/{process.process.pid}/stat").read_text(encoding="utf-8")
    return stat.rpartition(")")[2].split()[0] == "T"


def row_3(stage: Stage) -> Report:
    """Replace every process in turn, as a rolling restart does."""
    field = started(stage, spec={"session_ms": SESSION})
    rounds = 1 if stage.quick else 3
    field.feed(14 * rounds)
    for _ in range(rounds):
        for role in ("engine", "dispatcher", "engine", "dispatcher"):
            time.sleep(1)
            oldest = field.living(role)[0]
            field.start(role, wait=True)
            field.terminate(oldest)
    report = field.report("3")
    ends = [seconds for _, _, seconds in field.exits]
    report.notes.append(f"{len(ends)} ended by SIGTERM, the slowest in {max(ends):.1f} s")
    return report


def row_4(stage: Stage) -> Report:
    """Add or take away a worker every 5 s."""
    field = stage.field(spec={"session_ms": SESSION})
    for role in ("engine", "dispatcher"):
        field.start(role)
    wait_for_rules(field)
    changes = 4 if stage.quick else 14
    field.feed(changes * 5)
    for number in range(changes):
        time.sleep(5)
        engines = field.living("engine")
        if len(engines) > 1 and (len(engines) > 3 or number % 2):
            # one that is still being loaded does not know SIGTERM yet
            victim = stage.random.choice([one for one in engines if one.log.stat().st_size])
            field.kill(victim) if number % 4 == 3 else field.terminate(victim)
        else:
            field.fault("a worker more")
            field.start("engine")
    return field.report("4")


def wait_for_rules(field: Field, within: float = 40) -> None:
    """Wait until all partitions have taken the rules: from then on dispatchers may send."""
    hash = field.load.rules.hash.encode()
    field.deployment.wait(
        lambda: all(hash in control.get(b"lane", b"") for control in field.controls().values()),
        "all partitions to take the rules",
        within,
    )


def opt_out(field: Field, numbers: list[str]) -> None:
    """Load opt-outs with the command; once it has ended they are acknowledged."""
    path = field.deployment.folder / f"optouts{len(field.optouts)}.txt"
    path.write_text("".join(f"{number}\n" for number in numbers), encoding="utf-8")
    field.deployment.command("load", "optouts", path)
    field.optouts.update(dict.fromkeys(numbers, now_us()))
