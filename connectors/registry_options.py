"""Where a schema registry is and how we get in: keys of a feeds file, and what its client gets of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from connectors.topic_messages import SchemaSource
from engine.errors import InputError
from engine.options import REQUIRED, Duration, Options, Place, option

EXTRA = "schemas"
"""Of `pyproject.toml`: what a schema registry needs."""
_MODULES = ("fastavro", "google.protobuf", "grpc_tools", "httpx")
_SECOND = 1_000_000
_WHERE = "registry"


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Addresses = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""One address, or a list of them."""


@dataclass(frozen=True, slots=True)
class RegistryAccess:
    """What the client of a registry needs. Secrets are not in its `repr`."""

    urls: tuple[str, ...]
    username: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    timeout_seconds: float = 5.0


class RegistryOptions(Options):
    """Of a schema registry."""

    url: Addresses = option(
        REQUIRED,
        "an address such as https://registry:8081, or a list of them",
        "Address of the registry, with the path of its API if it has one; of several the first that answers.",
        min_length=1,
        stand_in=("https://registry",),
    )
    username: str = option("", "text", "Name for basic authentication; needs a password.")
    password_file: Place | None = option(None, "a file", "File with the password, and nothing else.")
    password_variable: str = option(
        "", "the name of an environment variable", "Variable that holds the password."
    )
    token_file: Place | None = option(None, "a file", "File with a bearer token, and nothing else.")
    token_variable: str = option(
        "", "the name of an environment variable", "Variable that holds a bearer token."
    )
    ca: Place | None = option(
        None, "a PEM file", "Authorities to trust, where they are not those of the system."
    )
    cert: Place | None = option(
        None, "a PEM file", "Our own certificate, for a registry that asks for one; its key may be with it."
    )
    key: Place | None = option(None, "a PEM file", "The private key of `cert`, without a passphrase.")
    timeout: Duration = option(
        5 * _SECOND,
        "a length of time from 1s to 5m",
        "How long one answer may take.",
        ge=_SECOND,
        le=300 * _SECOND,
    )

    def wrong(self) -> Iterator[str]:
        """Yield what does not fit together, and addresses that are none."""
        for url in self.url:
            if not _is_address(url):
                yield "expected url such as https://registry:8081 without a name in it, was other"
                break
        password = bool(self.password_file) + bool(self.password_variable)
        token = bool(self.token_file) + bool(self.token_variable)
        if password > 1 or token > 1:
            yield "expected a secret from a file or from a variable, was both"
        if password and token:
            yield "expected a password or a token, was both"
        if bool(self.username) != bool(password):
            yield "expected username and its password together, was one of them"
        if self.key is not None and self.cert is None:
            yield "expected cert beside key, was key alone"

    def access(self) -> RegistryAccess:
        """Return what the client needs; raise InputError for a secret that is not there."""
        return RegistryAccess(
            tuple(url.rstrip("/") for url in self.url),
            self.username,
            _secret("password", self.password_file, self.password_variable),
            _secret("token", self.token_file, self.token_variable),
            self.ca,
            self.cert,
            self.key,
            self.timeout / _SECOND,
        )


def schemas_of(access: RegistryAccess) -> SchemaSource:
    """Return the schemas of a registry, none of them known yet; nothing is connected to.

    Raises InputError: the extra is not installed, or certificates can't be read.
    """
    for module in _MODULES:
        try:
            import_module(module)
        except ImportError:
            expected = f"the extra {EXTRA} to be installed (pip install 'touchpoint[{EXTRA}]')"
            raise InputError(_WHERE, expected, f"no module {module}") from None
    # these need the extra, so they can't be imported above
    client, schemas = import_module("connectors.schema_registry"), import_module("connectors.schemas")
    found: SchemaSource = schemas.Schemas(client.Registry(access))
    return found


def _secret(name: str, file: Path | None, variable: str) -> str:
    if file is not None:
        try:
            found = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "not UTF-8"
            raise InputError(f"{_WHERE}: {name}_file", "a file that can be read", why) from None
        if not found:
            raise InputError(f"{_WHERE}: {name}_file", f"a {name} in it", "nothing")
        return found
    if variable and not os.environ.get(variable):
        raise InputError(f"{_WHERE}: {name}_variable", f"a {name} in {variable}", "nothing")
    return os.environ.get(variable, "") if variable else ""


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    plain = "@" not in parts.netloc and not parts.query and not parts.fragment
    return parts.scheme in ("http", "https") and bool(parts.hostname) and plain
