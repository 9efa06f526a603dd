"""How somebody else's topic is read: which one, by which map, with schemas of which registry."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.field_map import FieldMap, load_field_map
from connectors.foreign_topic import ForeignTopic
from connectors.topic_messages import SchemaSource
from engine.errors import InputError

EXTRA = "schemas"
"""Of `pyproject.toml`: what a schema registry needs."""
_MODULES = ("fastavro", "google.protobuf", "grpc_tools", "httpx")


class RegistryOptions(BaseModel):
    """Where a registry is, and what it asks for. Either `username` and `password`, or `token`, or none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    urls: tuple[str, ...] = Field(min_length=1)
    """The first that answers is used; with the path that its API has, if any."""
    username: str = ""
    password: SecretStr = SecretStr("")
    token: SecretStr = SecretStr("")
    """For `Authorization: Bearer`."""
    ca: Path | None = None
    """Certificates to trust; None: those of the system."""
    cert: Path | None = None
    key: Path | None = None
    """Our own certificate and its key, for registries that ask for one."""
    timeout_seconds: float = Field(default=5.0, gt=0, le=300)

    @field_validator("urls")
    @classmethod
    def _urls(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            if not _is_address(url):
                raise ValueError("expected an address such as https://registry:8081, was other")
        return tuple(url.rstrip("/") for url in value)

    @model_validator(mode="after")
    def _one_way_in(self) -> RegistryOptions:
        secret, token = self.password.get_secret_value(), self.token.get_secret_value()
        if token and (self.username or secret):
            raise ValueError("expected username and password, or token, was both")
        if bool(self.username) != bool(secret):
            raise ValueError("expected username and password together, was one of them")
        if self.key is not None and self.cert is None:
            raise ValueError("expected cert beside key, was key alone")
        return self


class TopicOptions(BaseModel):
    """One topic as a feed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    """Of the source, in the checkpoint: stays the same over restarts."""
    topic: str = Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")
    map: str = ""
    """A field map, by name or path; empty: its records are canonical."""
    registry: RegistryOptions | None = None
    """Where the schemas of its messages are; None: they are plain JSON."""


def open_topic(
    options: TopicOptions, kafka: Mapping[str, Any], *, clock: Callable[[], float] = time.monotonic
) -> ForeignTopic:
    """Return the source that reads a topic. `kafka`: connection options of aiokafka, of the topic's brokers.

    Raises InputError for a map that is wrong or missing, certificates of the registry that can't be read,
    and, if there is a registry, an extra that is not installed. Nothing is connected to yet.
    """
    fields = fields_of(options)
    schemas = None if options.registry is None else schemas_of(options.registry)
    return ForeignTopic(options.name, options.topic, kafka, fields=fields, schemas=schemas, clock=clock)


def fields_of(options: TopicOptions) -> FieldMap | None:
    """Return the map of a topic; None: its records are canonical."""
    return load_field_map(options.map) if options.map else None


def schemas_of(registry: RegistryOptions) -> SchemaSource:
    """Return the schemas of a registry, none of them known yet."""
    for module in _MODULES:
        try:
            import_module(module)
        except ImportError:
            expected = f"the extra {EXTRA} to be installed (pip install 'touchpoint[{EXTRA}]')"
            raise InputError("schema registry", expected, f"no module {module}") from None
    # these need the extra, so they can't be imported above
    client, schemas = import_module("connectors.schema_registry"), import_module("connectors.schemas")
    found: SchemaSource = schemas.Schemas(client.Registry(registry))
    return found


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and "@" not in parts.netloc
        and not parts.query
    )
