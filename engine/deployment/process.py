"""One process of a deployment: its roles, its pages, its logs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import structlog

from connectors import faust_shell
from connectors.web import Pages
from engine.deployment.collector import CollectorRole
from engine.deployment.common import Common, OnDead, check_landing, columns_of, folder_of
from engine.deployment.dispatcher import DispatcherRole
from engine.deployment.engine import EngineRole
from engine.deployment.feeds.use import feeds_of, folders_of, is_fed
from engine.deployment.news import CheckLog
from engine.errors import SettingsError
from engine.garbage import calm_collector
from engine.logs import setup
from engine.settings import Settings, require

log = structlog.get_logger("process")

ROLES: Final = ("collector", "engine", "dispatcher")
_NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "collector": ("kafka_bootstrap",),
    "engine": ("kafka_bootstrap", "redis_url"),
    "dispatcher": ("kafka_bootstrap", "redis_url"),
}
_MAKE: Final[Mapping[str, Callable[[Common], Any]]] = {
    "collector": CollectorRole,
    "engine": EngineRole,
    "dispatcher": DispatcherRole,
}


class PagesRole:
    """Serves what the roles say of themselves; first to begin, last to end."""

    def __init__(self, common: Common, roles: Sequence[Any]) -> None:
        self.common = common
        self.roles = roles
        self._logs = {page: CheckLog(f"{page}z") for page in ("live", "ready")}
        self.pages = Pages(common.registry, lambda: self._asked("live"), lambda: self._asked("ready"))

    async def start(self, on_dead: OnDead) -> None:
        """Serve, unless the settings say otherwise."""
        settings = self.common.settings
        self.common.watch_kafka(on_dead)
        if settings.web_port:
            await self.pages.start(settings.web_host, settings.web_port)

    async def look(self) -> None:
        """Show as a metric what `/readyz` says: Prometheus reads no pages. Log what changed on both pages."""
        said = {page: self._asked(page) for page in self._logs}
        self.common.metrics.ready(not any(said["ready"].values()))
        for page, checks in said.items():
            self._logs[page].look(checks)

    async def stop(self) -> None:
        """Serve no longer."""
        await self.pages.stop()
        await self.common.close()

    def _asked(self, what: str) -> dict[str, str]:
        checks: dict[str, str] = {}
        for role in self.roles:
            found = getattr(role, what)()
            prefix = f"{role.name}." if len(self.roles) > 1 else ""
            checks.update({prefix + name: said for name, said in found.items()})
        return {**checks, "kafka": self.common.kafka.problem} if what == "ready" else checks


def run(settings: Settings, role: str) -> str:
    """Run a role, or `all`, until it is told to end; return its last word, "" after an orderly end.

    Raise `SettingsError` with every setting that the role needs and has not, or that is wrong.
    """
    names: tuple[str, ...] = ROLES if role == "all" else (role,)
    if role == "all" and not is_fed(settings):
        names = ROLES[1:]
    _check(settings, names)
    setup(settings.log_level, role)
    if role == "all" and "collector" not in names:
        wanted = "TOUCHPOINT_FEEDS, TOUCHPOINT_LANDING or TOUCHPOINT_FOREIGN_TOPIC"
        log.warning(f"no collector runs: none of {wanted} is given")
    calm_collector()
    common = Common(settings)
    roles = [_MAKE[name](common) for name in names]
    return faust_shell.run(role, [PagesRole(common, roles), *roles], drain_seconds=settings.drain_seconds)


def _check_feeds(settings: Settings) -> None:
    """Raise `SettingsError` with all that is wrong with the feeds file, or that stands in the way of it."""
    for folder in folders_of(feeds_of(settings)):
        check_landing(folder, "FEEDS")


def _check(settings: Settings, names: Sequence[str]) -> None:
    """Raise `SettingsError` with all that is wrong for these roles, before they ask anybody."""
    needs = [need for name in names for need in _NEEDS[name]]
    landing = settings.landing if "collector" in names else None
    if landing is not None:
        needs.append("landing")
    checks: list[Callable[[], object]] = [partial(require, settings, *dict.fromkeys(needs))]
    if "dispatcher" in names:
        checks.append(partial(folder_of, settings.out))
    if landing is not None:
        checks.append(partial(check_landing, landing))
        checks.append(partial(columns_of, settings))
    if "collector" in names:
        checks.append(partial(_check_feeds, settings))
    problems: list[str] = []
    for check in checks:
        try:
            check()
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
