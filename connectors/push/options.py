"""What can be set of doors that others push into. Values never change; unknown keys are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticUndefined

REQUIRED: Final = PydanticUndefined
_AREA = re.compile(r"[A-Za-z0-9._,+-]{1,54}\Z")
_LISTEN = re.compile(r"(?P<host>\[[0-9a-fA-F:.%]+\]|[^\s:\[\]]+):(?P<port>\d{1,5})\Z")
MEGABYTE: Final = 1 << 20


def option(default: Any, expected: str, meaning: str, **bounds: Any) -> Any:
    """Declare a key; `expected` completes "expected …" in messages, `meaning` stands in the docs."""
    return Field(default=default, description=meaning, json_schema_extra={"expected": expected}, **bounds)


def is_area(name: str) -> bool:
    """Say whether a name may stand in a virtual cell: `area:NAME:out` has at most 64 characters."""
    return _AREA.match(name) is not None


class DoorOptions(BaseModel):
    """What all doors have: where they listen, who may push, how much they hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    listen: str = option(
        REQUIRED, "HOST:PORT", "address to listen at, `0.0.0.0:8443`; an IPv6 address in brackets"
    )
    tls_cert: Path | None = option(None, "a PEM file", "certificate of this server, with its chain")
    tls_key: Path | None = option(None, "a PEM file", "its private key, without a passphrase")
    tls_client_ca: Path | None = option(
        None, "a PEM file", "authorities whose client certificates are taken; one is then demanded"
    )
    tokens_file: Path | None = option(
        None, "a file", "bearer tokens, one per line; read again when it changes; several: rotation"
    )
    tokens_variable: str = option("", "a name", "environment variable with bearer tokens, comma between")
    unauthenticated: bool = option(
        False,
        "yes or no",
        "let anybody push who can reach the address: only where the network keeps others out",
    )
    connections: int = option(
        256, "1 to 10000", "connections at a time; more are turned away", ge=1, le=10_000
    )
    queue_records: int = option(
        20_000, "100 to 1000000", "records held until they are durable, about", ge=100, le=1_000_000
    )
    queue_bytes: int = option(
        64 * MEGABYTE, "1 MB to 4 GB", "bytes held until they are durable, about", ge=MEGABYTE, le=1 << 32
    )
    remember: int = option(
        4_096,
        "0 to 100000",
        "how many are known again if they are sent again; 11 bytes each in every checkpoint",
        ge=0,
        le=100_000,
    )
    remember_seconds: int = option(600, "1 to 86400", "for how long they are known", ge=1, le=86_400)

    @field_validator("listen")
    @classmethod
    def _listen(cls, value: str) -> str:
        found = _LISTEN.match(value)
        if found is None or int(found["port"]) > 65_535:
            raise ValueError(f"expected HOST:PORT, was {value!r}")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> DoorOptions:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("expected tls_cert and tls_key together, was one of them")
        if self.tls_client_ca is not None and self.tls_cert is None:
            raise ValueError("expected tls_cert and tls_key beside tls_client_ca, was neither")
        ways = self.ways_to_sign_in()
        if not ways and not self.unauthenticated:
            raise ValueError(
                "expected a way to sign in (tokens_file, tokens_variable, tls_client_ca), "
                "or unauthenticated: yes, was none"
            )
        if ways and self.unauthenticated:
            raise ValueError(f"expected unauthenticated: no beside {ways[0]}, was yes")
        return self

    def ways_to_sign_in(self) -> list[str]:
        """Name the options given by which senders prove who they are."""
        return [
            name
            for name in (
                "tokens_file",
                "tokens_variable",
                "tls_client_ca",
                "signature_file",
                "signature_variable",
            )
            if getattr(self, name, None)
        ]

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen at; port 0 picks a free one."""
        found = _LISTEN.match(self.listen)
        assert found is not None
        return found["host"].strip("[]"), int(found["port"])


class HttpOptions(DoorOptions):
    """What webhooks have besides."""

    path: str = option(
        "/", "a path", "path that notifications are posted to", pattern=r"^/[A-Za-z0-9/._~-]*$"
    )
    signature_file: Path | None = option(
        None, "a file", "keys by which bodies are signed (HMAC-SHA-256), one per line; several: rotation"
    )
    signature_variable: str = option("", "a name", "environment variable with such keys, comma between")
    signature_seconds: int = option(
        300, "1 to 3600", "how far the time stamp of a signature may be from the clock", ge=1, le=3_600
    )
    body_bytes: int = option(MEGABYTE, "1 kB to 16 MB", "of one request", ge=1_024, le=16 * MEGABYTE)
    body_seconds: float = option(10.0, "0.1 to 300", "that a body may take to arrive", ge=0.1, le=300)
    answer_seconds: float = option(
        30.0,
        "0.1 to 300",
        "that a request waits to be durable, before it is told to come again",
        ge=0.1,
        le=300,
    )
    retry_seconds: int = option(2, "1 to 3600", "Retry-After of those told to come again", ge=1, le=3_600)
    idle_seconds: float = option(
        60.0,
        "0.1 to 3600",
        "that a connection may have no request, or take for the head of one",
        ge=0.1,
        le=3_600,
    )


class CamaraOptions(HttpOptions):
    """The webhook for CAMARA's CloudEvents."""

    areas: dict[str, str] = option(
        {}, "NAME: LAT,LON,RADIUS", "names for the circles of geofencing subscriptions: `area:NAME`"
    )

    @field_validator("areas")
    @classmethod
    def _areas(cls, value: dict[str, str]) -> dict[str, str]:
        for name, circle in value.items():
            if not is_area(name):
                raise ValueError(f"expected a name of 1 to 54 letters, digits, . _ , + -, was {name!r}")
            if circle_of(circle) is None:
                raise ValueError(f"expected LAT,LON,RADIUS (degrees, degrees, m) for {name}, was {circle!r}")
        return value


class AmfOptions(HttpOptions):
    """The webhook for an AMF's event exposure."""


class NefOptions(HttpOptions):
    """The webhook for monitoring events of a NEF or SCEF."""

    plmn: str = option(
        "", "MCC and MNC", "network of cells that come without one: 46000", pattern=r"^(\d{5,6})?$"
    )
    cells: Literal["hex", "decimal"] = option(
        "hex", "hex or decimal", "how `cellId` writes numbers: TS 23.003 has hex"
    )


class TcpOptions(DoorOptions):
    """The door for lines."""

    map: str = option(
        "", "a column map", "how lines are delimited; none: JSON, a record or an array per line"
    )
    acknowledge: bool = option(False, "yes or no", "answer `ACK COUNT` when so many lines are durable")
    line_bytes: int = option(MEGABYTE, "100 to 1 MB", "of one line", ge=100, le=MEGABYTE)
    sign_in_seconds: float = option(
        10.0, "0.1 to 300", "until the first line has signed in, where tokens are given", ge=0.1, le=300
    )


def circle_of(text: str) -> tuple[float, float, float] | None:
    """Return latitude, longitude and radius of `LAT,LON,RADIUS`; None if it is not one."""
    try:
        latitude, longitude, radius = (float(part) for part in text.split(","))
    except ValueError:
        return None
    if -90 <= latitude <= 90 and -180 <= longitude <= 180 and 0 < radius < float("inf"):
        return latitude, longitude, radius
    return None
