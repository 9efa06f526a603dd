"""All settings in one flat model: attribute `home_cc` is variable `TOUCHPOINT_HOME_CC`, and so on."""

from __future__ import annotations

from typing import Any

from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.settings.declare import PREFIX
from engine.settings.house import HouseSettings
from engine.settings.kafka import KafkaSettings
from engine.settings.redis import RedisSettings
from engine.settings.roles import RoleSettings


class Settings(RoleSettings, RedisSettings, KafkaSettings, HouseSettings, BaseSettings):
    """All settings, each checked by itself; `load_settings` checks them against each other."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")


def expected_of(name: str) -> str:
    """Say what a setting has to be, to follow "expected"."""
    return str(_extra(name)["expected"])


def roles_of(name: str) -> list[str]:
    """Name the roles that read a setting."""
    return list(_extra(name)["roles"])


def default_of(name: str) -> str:
    """Say in words which default a setting has, if it depends on others; empty: it is a plain value."""
    return str(_extra(name).get("default", ""))


def _extra(name: str) -> dict[str, Any]:
    extra = Settings.model_fields[name].json_schema_extra
    assert isinstance(extra, dict)
    return dict(extra)
