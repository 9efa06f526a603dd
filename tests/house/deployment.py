"""The files of the deployment as tests read them: compose file, its variables filled in, and Dockerfile."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

import yaml

from tests.testdata import CHECKOUT

COMPOSE = (CHECKOUT / "docker-compose.yml").read_text(encoding="utf-8")
EXAMPLE = (CHECKOUT / ".env.example").read_text(encoding="utf-8")
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text(encoding="utf-8")
SECRETS = ("TOUCHPOINT_KEY", "TOUCHPOINT_SALT", "TOUCHPOINT_REDIS_PASSWORD", "GRAFANA_PASSWORD")
GIVEN = dict.fromkeys(SECRETS, "a-secret-of-the-test")
IMAGE = "touchpoint:"
"""Begins the image of services that run the program."""

_VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?:(:-|:\?)([^}]*))?\})")


class Unset(Exception):
    """A variable that has to be given was not."""


def fill(text: str, given: Mapping[str, str]) -> str:
    """Put variables in as Compose does: `${NAME:-default}`, `${NAME:?why}`, `$$`. Raise `Unset`."""

    def one(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        name, how, rest = found[1], found[2], found[3] or ""
        value = given.get(name, "")
        if not value and how == ":?":
            raise Unset(name)
        return value or rest

    return _VARIABLE.sub(one, text)


def variables() -> dict[str, str | None]:
    """Return the variables of the compose file with their defaults; None: has to be given."""
    found = {}
    for match in _VARIABLE.finditer(COMPOSE):
        if match[1]:
            found[match[1]] = match[3] if match[2] == ":-" else None
    return found


def example() -> dict[str, tuple[str, bool]]:
    """Return the variables of `.env.example`: value, and whether the line is in force."""
    lines = re.findall(r"^(#?)([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE)
    return {name: (value, not off) for off, name, value in lines}


def compose(**given: str) -> dict[str, Any]:
    """Return the compose file with secrets, and these variables, given."""
    loaded: dict[str, Any] = _filled(yaml.safe_load(COMPOSE), {**GIVEN, **given})
    return loaded


def services() -> dict[str, dict[str, Any]]:
    """Return the services by name."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def ours() -> dict[str, dict[str, Any]]:
    """Return the services that run the program."""
    return {name: one for name, one in services().items() if one["image"].startswith(IMAGE)}


def size(text: str) -> int:
    """Read `512m`, `2g` or `1gb`, as bytes."""
    number, unit = re.fullmatch(r"(\d+)([mg])b?", text, re.IGNORECASE).groups()  # type: ignore[union-attr]
    return int(number) << {"m": 20, "g": 30}[unit.lower()]


def instructions() -> list[list[tuple[str, str]]]:
    """Return the stages of the Dockerfile: (instruction, rest of it) each; 0 is what stands before them."""
    text = re.sub(r"^\s*#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    stages: list[list[tuple[str, str]]] = [[]]
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stages.append([])
        stages[-1].append((word, rest.strip()))
    return stages


def words(text: str) -> list[str]:
    """Read a command of the Dockerfile: a JSON list, or a line of shell."""
    return list(json.loads(text)) if text.startswith("[") else shlex.split(text)


def _filled(value: Any, given: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(one, given) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, given) for one in value]
    return fill(value, given) if isinstance(value, str) else value
