"""Settings of the program: variables `TOUCHPOINT_<NAME>` of the environment, defaults for the embedded run.

`load_settings` is called once, by the top layer (`engine.app`, `engine.cli`); all below gets plain values.
A mistake is named with its variable; secrets are never shown, neither in messages nor in `repr`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.errors import SettingsError, shorten

PREFIX = "TOUCHPOINT_"
CHECKOUT = Path(__file__).resolve().parent.parent

SECRET_BYTES = (1, 64)
"""Least: what a test may use (in production give 16 or more); most: the longest key that BLAKE2b takes."""


def _setting(default: Any, expected: str, description: str, **bounds: Any) -> Any:
    """Declare one setting; `expected` completes "expected …" in messages."""
    return Field(default=default, description=description, json_schema_extra={"expected": expected}, **bounds)


class Settings(BaseSettings):
    """All settings, checked. Attribute `home_cc` is variable `TOUCHPOINT_HOME_CC`, and so on."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    key: SecretStr = _setting(
        SecretStr("touchpoint-demo-key"),
        "a secret of 1 to 64 bytes",
        "Keys the hash that turns an IMSI, MSISDN or opaque id into a subscriber key. Set it before the "
        "first record: another key makes every subscriber a stranger.",
    )
    salt: SecretStr = _setting(
        SecretStr("touchpoint-demo-salt"),
        "a secret of 1 to 64 bytes",
        "Keys decision ids, holdout and A/B shares. Another salt draws other control groups.",
    )
    home_cc: str = _setting(
        "86",
        "the digits of a country calling code (1 to 3, the first not 0)",
        "Country calling code that numbers without one belong to.",
        pattern=r"^[1-9][0-9]{0,2}$",
    )
    partitions: int = _setting(
        4,
        "a whole number from 1 to 1024",
        "Partitions of the log, one lane each. Decisions do not depend on it.",
        ge=1,
        le=1024,
    )
    batch_size: int = _setting(
        500,
        "a whole number from 1 to 5000",
        "Records a lane reads and commits at a time. Decisions do not depend on it.",
        ge=1,
        le=5000,
    )
    refusals_every: int = _setting(
        1,
        "a whole number from 1 to 1000000",
        "Of refusals by `valid` and `who.*`, of each rule and reason, every how many-th is written; all are "
        "counted. 1 writes them all.",
        ge=1,
        le=1_000_000,
    )
    rules: Path = _setting(
        CHECKOUT / "rules",
        "a folder with policy.yaml, catalog/ and rule files",
        "Folder of the rules that `touchpoint run` loads.",
    )
    out: Path = _setting(
        Path("out"),
        "a folder that can be written",
        "Folder for what the embedded run writes (messages, decisions, dead letters); made when missing.",
    )

    @field_validator("key", "salt")
    @classmethod
    def _fits_the_hash(cls, secret: SecretStr) -> SecretStr:
        least, most = SECRET_BYTES
        if not least <= len(secret.get_secret_value().encode()) <= most:
            raise ValueError("wrong length")
        return secret

    @property
    def key_bytes(self) -> bytes:
        """The key as BLAKE2b takes it."""
        return self.key.get_secret_value().encode()

    @property
    def salt_bytes(self) -> bytes:
        """The salt as BLAKE2b takes it."""
        return self.salt.get_secret_value().encode()


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment; `overrides` (options of a command) win.

    Raise `SettingsError` with every mistake, also for a variable that nearly matches a known one: it would
    silently leave the default in force.
    """
    problems = misspelt(os.environ)
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        problems += [_sentence(dict(detail)) for detail in error.errors(include_url=False)]
    else:
        if not problems:
            return settings
    raise SettingsError(problems)


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """Name the variables that open with the prefix and nearly match a setting.

    Others with the prefix are left alone: Kubernetes sets `<SERVICE>_SERVICE_HOST` and the like by itself.
    """
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    problems = []
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            near = get_close_matches(name.removeprefix(PREFIX), [k.removeprefix(PREFIX) for k in known], n=1)
            if near:
                problems.append(f"{name}: unknown setting, did you mean {PREFIX}{near[0]}?")
    return problems


def _sentence(detail: dict[str, Any]) -> str:
    """Turn one pydantic error into `VARIABLE: expected X, was Y`."""
    name = str(detail["loc"][0]) if detail["loc"] else ""
    field = Settings.model_fields.get(name)
    if field is None:
        return f"{PREFIX}{name.upper()}: unknown setting"
    extra = field.json_schema_extra
    expected = extra["expected"] if isinstance(extra, dict) else "another value"
    was = shorten(detail["input"])
    if field.annotation is SecretStr:
        text = detail["input"]
        if isinstance(text, SecretStr):
            text = text.get_secret_value()
        was = f"{len(str(text).encode())} bytes"
    return f"{PREFIX}{name.upper()}: expected {expected}, was {was}"
