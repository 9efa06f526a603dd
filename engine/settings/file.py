"""Settings from a file: TOML, keys are the names in lower case. The environment wins over it.

kafka_bootstrap = "kafka-1:9092,kafka-2:9092"
partitions = 64
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from engine.errors import shorten
from engine.refusals import describe
from engine.settings.declare import PREFIX
from engine.settings.model import Settings, expected_of

FILE_VARIABLE = PREFIX + "SETTINGS"

_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)$")


class SettingsFile:
    """What a file says: values that may be used, and its mistakes, each with file, line and key."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.values: dict[str, Any] = {}
        self.problems: list[str] = []
        self._lines: dict[str, int] = {}
        text = self._read()
        found = self._parse(text)
        for number, line in enumerate(text.splitlines(), 1):
            named = re.match(r"\s*\[?\s*[\"']?([^\s=\"'\].]+)", line)
            if named and named[1] in found:
                self._lines.setdefault(named[1], number)
        for key, value in found.items():
            self._take(key, value)

    def where(self, key: str) -> str:
        """Name the place of a key: `FILE:LINE: KEY`."""
        line = self._lines.get(key)
        return f"{self.path}{f':{line}' if line else ''}: {key}"

    def _read(self) -> str:
        try:
            return self.path.read_text(encoding="utf-8")
        except OSError as error:
            was = f"'{self.path}' ({(error.strerror or 'unreadable').lower()})"
            self.problems.append(f"{FILE_VARIABLE}: expected a TOML file that can be read, was {was}")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            self.problems.append(f"{self.path}:{line}: expected UTF-8, was another byte")
        return ""

    def _parse(self, text: str) -> Mapping[str, Any]:
        try:
            return tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = _AT_LINE.search(str(error))
            line = found[1] if found else text.count("\n") + 1
            said = _AT_LINE.sub("", str(error)).removesuffix(" (at end of document)")
            self.problems.append(f"{self.path}:{line}: expected TOML, was something else: {said}")
        except RecursionError:
            self.problems.append(f"{self.path}: expected TOML, was nested too deep")
        return {}

    def _take(self, key: str, value: Any) -> None:
        field = Settings.model_fields.get(key)
        if isinstance(value, dict):
            self.problems.append(f"{self.where(key)}: expected no tables, was one")
        elif field is None:
            near = get_close_matches(key.lower(), Settings.model_fields, n=1)
            hint = f", did you mean {near[0]}?" if near else ""
            self.problems.append(f"{self.where(key)}: unknown setting{hint}")
        elif type(value) is not (int if field.annotation is int else str):
            # Stricter than the environment, where all is text: true is not 1, and "8" is not 8.
            was = describe(value) if field.annotation is SecretStr else shorten(value)
            self.problems.append(f"{self.where(key)}: expected {expected_of(key)}, was {was}")
        else:
            self.values[key] = value
