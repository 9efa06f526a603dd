"""Bugs that the checker has to find, each in the situation in which it shows."""

from __future__ import annotations

import signal
from collections.abc import Callable

from tests.faults.checker import Report
from tests.faults.rows_process import died, is_stopped, wait_for_rules
from tests.faults.stage import Stage
from tests.servers.process import wait_until

PEOPLE = 150
REST = 25.0
"""Seconds until a run that does not come to rest is checked as it is."""


def token(stage: Stage) -> Report:
    """Without the token check a zombie writes old states over new ones."""
    field = stage.field(stage.load(subscribers=PEOPLE), spec={"planted": "token"})
    zombie = field.start("engine", points=[{"at": "commit", "number": 30, "do": "stop"}])
    wait_for_rules(field)
    field.start("engine", wait=True)
    field.start("dispatcher")
    feeder = field.feed(6)
    wait_until(lambda: is_stopped(zombie), "the zombie to stop itself before a commit", 30)
    field.fault("SIGSTOP engine before a commit")
    feeder.end()
    wait_until(field.is_folded, "the other engine to fold all", 40)
    before = {control[b"token"] for control in field.controls().values()}
    zombie.signal(signal.SIGCONT)
    wait_until(
        lambda: before - {control[b"token"] for control in field.controls().values()}, "a late commit", 20
    )
    return field.report("planted: token", within=REST)


def claim(stage: Stage) -> Report:
    """Without claims an offer that was submitted before a crash is submitted again."""
    field = stage.field(stage.load(subscribers=PEOPLE), spec={"planted": "claim"})
    field.start("engine")
    wait_for_rules(field)
    victim = field.start("dispatcher", points=[{"at": "settle", "number": 60, "do": "kill"}])
    field.feed(4)
    died(field, victim, within=30)
    field.start("dispatcher")
    return field.report("planted: claim", within=REST)


def outbox(stage: Stage) -> Report:
    """Without republishing, what was committed and not published is lost."""
    field = stage.field(stage.load(subscribers=PEOPLE), spec={"planted": "outbox"})
    victim = field.start("engine", points=[{"at": "publish", "number": 60, "do": "kill"}])
    wait_for_rules(field)
    field.start("dispatcher")
    field.feed(4)
    died(field, victim, within=30)
    field.start("engine")
    return field.report("planted: outbox", within=REST)


def offset(stage: Stage) -> Report:
    """Without the offset in the commit a batch is folded into states that have it already."""
    field = stage.field(stage.load(subscribers=PEOPLE), spec={"planted": "offset"})
    victim = field.start("engine", points=[{"at": "commit", "number": 60, "do": "kill"}])
    wait_for_rules(field)
    field.start("dispatcher")
    field.feed(4)
    died(field, victim, within=30)
    field.start("engine")
    return field.report("planted: offset", within=REST)


PLANTED: dict[str, Callable[[Stage], Report]] = {
    "token": token,
    "claim": claim,
    "outbox": outbox,
    "offset": offset,
}
