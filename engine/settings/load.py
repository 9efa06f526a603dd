"""The one door to the settings: environment and file in, checked settings or every mistake out."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import SecretStr, ValidationError

from engine.errors import SettingsError, shorten
from engine.settings.across import across, needs
from engine.settings.declare import PREFIX
from engine.settings.file import FILE_VARIABLE, SettingsFile
from engine.settings.model import Settings, expected_of

ALIKE = 0.7
"""From here on a name is taken for a misspelt one (`difflib`): `SLAT` is 0.75 like `SALT`."""

_OF_KUBERNETES = re.compile(r"(?:\w+_)?(?:SERVICE_(?:HOST|PORT)(?:_\w+)?|PORT_\d+_\w+)|PORT")
_IN_URL = re.compile(r".*@|\?.*", re.DOTALL)
"""Where the address of a store may hold a password: before an @, behind a question mark."""


def load_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment and the file that `TOUCHPOINT_SETTINGS` names.

    `overrides` (options of a command) win over the environment, which wins over the file. Raise
    `SettingsError` with every mistake, also for a variable that nearly matches a known one: it would silently
    leave the default in force.
    """
    problems = misspelt(os.environ)
    path = os.environ.get(FILE_VARIABLE, "")
    file = SettingsFile(Path(path)) if path else None
    from_file: dict[str, Any] = {}
    if file is not None:
        problems += file.problems
        set_here = {name.upper() for name in os.environ}
        from_file = {key: value for key, value in file.values.items() if PREFIX + key.upper() not in set_here}
    try:
        settings = Settings(**{**from_file, **overrides})
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            if detail["type"] == "default_factory_not_called":
                continue  # its default depends on another setting, which is wrong and named
            name = str(detail["loc"][0]) if detail["loc"] else ""
            is_in_file = file is not None and name in from_file and name not in overrides
            where = file.where(name) if file is not None and is_in_file else PREFIX + name.upper()
            problems.append(f"{where}: {_said(name, detail['input'])}")
    else:
        problems += across(settings)
        if not problems:
            return settings
    raise SettingsError(problems)


def require(settings: Settings, *names: str) -> None:
    """Raise `SettingsError` with a sentence for each setting of `names` that is not given.

    Paths among them have to exist. With `kafka_bootstrap` among them, key and salt need 16 bytes or more, and
    must not be the public demo ones, unless `demo_secrets` is `yes`.
    """
    problems = list(needs(settings, names))
    if problems:
        raise SettingsError(problems)


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """Name the variables that open with the prefix and nearly match a setting.

    Others with the prefix are left alone: Kubernetes sets `<SERVICE>_SERVICE_HOST`, `<SERVICE>_PORT` and the
    like by itself.
    """
    known = {*(name.upper() for name in Settings.model_fields), FILE_VARIABLE.removeprefix(PREFIX)}
    problems = []
    for variable in sorted(environ):
        name = variable.removeprefix(PREFIX)
        if (
            name == variable
            or name in known
            or _OF_KUBERNETES.fullmatch(name)
            or "://" in environ[variable][:6]
        ):
            continue
        near = get_close_matches(name, known, n=1, cutoff=ALIKE)
        if near:
            problems.append(f"{variable}: unknown setting, did you mean {PREFIX}{near[0]}?")
    return problems


def _said(name: str, value: Any) -> str:
    """Complete `VARIABLE: ` for a value that pydantic refused."""
    field = Settings.model_fields.get(name)
    if field is None:
        return "unknown setting"
    if field.annotation is SecretStr:
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        was = f"{len(text.encode())} bytes"
    elif name == "redis_url":
        was = shorten(_IN_URL.sub("…", str(value)))
    else:
        was = shorten(str(value) if isinstance(value, Path) else value)
    return f"expected {expected_of(name)}, was {was}"
