"""Bugs that the checker has to find, each in the situation in which it shows."""

from __future__ import annotations

import signal
from collections.abc import Callable

from tests.faults.checker import Report
from tests.faults.field import offsets
from tests.faults.rows_process import died, is_stopped, wait_for_rules
from tests.faults.stage import Stage
from tests.servers.process import wait_until

PEOPLE = 150
REST = 25.0
"""Seconds until a run that does not come to rest is checked as it is."""


def token(stage: Stage) -> Report:
    """Without the token check a zombie writes old states over new ones."""
    field = stage.field(stage.load(subscribers=PEOPLE), spec={"planted": "token"})
    # mute: a group that it joins again gives partitions anew, and whoever gets one folds it anew from Redis,
    # which puts right what was spoilt
    stop = {"at": "commit", "number": 30, "do": "stop", "mute": True}
    zombie = field.start("engine", points=[stop])
    wait_for_rules(field)
    field.start("engine", wait=True)
    field.start("dispatcher")
    feeder = field.feed(6)
    wait_until(lambda: is_stopped(zombie), "the zombie to stop itself before a commit", 30)
    field.fault("SIGSTOP engine before a commit")
    feeder.end()
    # receipts that come later would have the states of the late commit written once more
    wait_until(field.is_drained, "the other engine to fold all, and every offer to end", 60)
    before = offsets(field)
    zombie.signal(signal.SIGCONT)
    wait_until(
        lambda: any(now < then for now, then in zip(offsets(field), before, strict=True)), "a late commit", 20
    )
    field.kill(zombie)
    # nothing is folded any more: a tick brings the offsets to their end again
    field.deployment.append([{"kind": "tick", "t": max(field.deployment.watermarks())}])
    return field.report("planted: token", within=REST)


def claim(stage: Stage) -> Report:
    """Without claims an offer that was submitted before a crash is submitted again."""
    return _crash(stage, "claim", "dispatcher", "settle")


def outbox(stage: Stage) -> Report:
    """Without republishing, what was committed and not published is lost."""
    return _crash(stage, "outbox", "engine", "publish")


def offset(stage: Stage) -> Report:
    """Without the offset in the commit a batch is folded into states that have it already."""
    return _crash(stage, "offset", "engine", "commit")


def submit(stage: Stage) -> Report:
    """Without a submit every offer ends, too, and nothing arrives: no crash is needed."""
    field = stage.field(stage.load(subscribers=PEOPLE), spec={"planted": "submit"})
    field.start("engine")
    field.start("dispatcher")
    wait_for_rules(field)
    field.feed(4)
    return field.report("planted: submit", within=REST)


def _crash(stage: Stage, planted: str, role: str, at: str) -> Report:
    """Let the only process of a role die at its 60th step of a name, and another one follow it."""
    field = stage.field(stage.load(subscribers=PEOPLE), spec={"planted": planted})
    other = {"engine": "dispatcher", "dispatcher": "engine"}[role]
    field.start(other)
    victim = field.start(role, points=[{"at": at, "number": 60, "do": "kill"}])
    wait_for_rules(field)
    field.feed(4)
    died(field, victim, within=30)
    field.start(role)
    return field.report(f"planted: {planted}", within=REST)


PLANTED: dict[str, Callable[[Stage], Report]] = {
    "token": token,
    "claim": claim,
    "outbox": outbox,
    "offset": offset,
    "submit": submit,
}
