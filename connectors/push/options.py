"""What can be set of doors that others push into. Values never change; unknown keys are refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from pydantic import field_validator

from engine.options import REQUIRED, Duration, Options, Place, YesNo, option

SECOND: Final = 1_000_000
MEGABYTE: Final = 1 << 20
_AREA = re.compile(r"[A-Za-z0-9._,+-]{1,54}\Z")
_LISTEN = re.compile(r"(?P<host>\[[0-9a-fA-F:.%]+\]|[^\s:\[\]]+):(?P<port>\d{1,5})\Z")


def is_area(name: str) -> bool:
    """Say whether a name may stand in a virtual cell: `area:NAME:out` has at most 64 characters."""
    return _AREA.match(name) is not None


class DoorOptions(Options):
    """What all doors have: where they listen, who may push, how much they hold."""

    listen: str = option(
        REQUIRED,
        "an address such as 0.0.0.0:8443",
        "Address and port to listen at; an IPv6 address in brackets.",
        stand_in="0.0.0.0:0",
    )
    tls_cert: Place | None = option(None, "a PEM file", "Certificate of this server, with its chain.")
    tls_key: Place | None = option(None, "a PEM file", "Its private key, without a passphrase.")
    tls_client_ca: Place | None = option(
        None, "a PEM file", "Authorities whose client certificates are taken; one is then demanded."
    )
    tokens_file: Place | None = option(
        None, "a file", "Bearer tokens, one per line; read again when it changes. Several: rotation."
    )
    tokens_variable: str = option(
        "", "the name of an environment variable", "Variable that holds bearer tokens, a comma between them."
    )
    unauthenticated: YesNo = option(
        False,
        "yes or no",
        "Let anybody push who can reach the address: only where the network keeps all others out.",
    )
    connections: int = option(
        256, "a whole number from 1 to 10000", "Connections at a time; more are turned away.", ge=1, le=10_000
    )
    queue_records: int = option(
        20_000,
        "a whole number from 100 to 1000000",
        "Records that are held until they are durable, about. More have to wait.",
        ge=100,
        le=1_000_000,
    )
    queue_bytes: int = option(
        64 * MEGABYTE,
        "a whole number from 1048576 to 4294967296",
        "Bytes that are held until they are durable, about.",
        ge=MEGABYTE,
        le=1 << 32,
    )
    remember: int = option(
        4_096,
        "a whole number from 0 to 50000",
        "How many records, or lines, are known if they come again; 11 bytes each in every checkpoint.",
        ge=0,
        le=50_000,
    )
    remember_for: Duration = option(
        600 * SECOND,
        "a length of time from 1s to 24h",
        "For how long they are known.",
        ge=SECOND,
        le=86_400 * SECOND,
    )

    @field_validator("listen")
    @classmethod
    def _listen(cls, value: str) -> str:
        found = _LISTEN.match(value)
        if found is None or int(found["port"]) > 65_535:
            raise ValueError(f"expected an address such as 0.0.0.0:8443, was {value!r}")
        return value

    def wrong(self) -> Iterator[str]:
        """Yield what does not fit together."""
        if (self.tls_cert is None) != (self.tls_key is None):
            yield "expected tls_cert and tls_key together, was one of them"
        elif self.tls_client_ca is not None and self.tls_cert is None:
            yield "expected tls_cert and tls_key beside tls_client_ca, was neither"
        ways = self.ways_to_sign_in()
        if not ways and not self.unauthenticated:
            yield (
                "expected a way to sign in (tokens_file, tokens_variable, tls_client_ca), "
                "or `unauthenticated: yes`, was none"
            )
        if ways and self.unauthenticated:
            yield f"expected `unauthenticated: no` beside {ways[0]}, was yes"

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
        "/", "a path such as /camara", "Path that is posted to.", pattern=r"^/[A-Za-z0-9/._~-]*$"
    )
    signature_file: Place | None = option(
        None, "a file", "Keys by which bodies are signed (HMAC-SHA-256), one per line. Several: rotation."
    )
    signature_variable: str = option(
        "", "the name of an environment variable", "Variable that holds such keys, a comma between them."
    )
    signature_window: Duration = option(
        300 * SECOND,
        "a length of time from 1s to 1h",
        "How far the time stamp of a signature may be from the clock.",
        ge=SECOND,
        le=3_600 * SECOND,
    )
    body_bytes: int = option(
        MEGABYTE,
        "a whole number from 1024 to 16777216",
        "Bytes of one request.",
        ge=1_024,
        le=16 * MEGABYTE,
    )
    body_time: Duration = option(
        10 * SECOND, "a length of time up to 5m", "What a body may take to arrive.", ge=1, le=300 * SECOND
    )
    answer_time: Duration = option(
        30 * SECOND,
        "a length of time up to 5m",
        "How long a request waits to be durable until it is told to come again.",
        ge=1,
        le=300 * SECOND,
    )
    retry_after: Duration = option(
        2 * SECOND,
        "a length of time from 1s to 1h",
        "When those that are told to come again are to come.",
        ge=SECOND,
        le=3_600 * SECOND,
    )
    idle_time: Duration = option(
        60 * SECOND,
        "a length of time up to 1h",
        "How long a connection may have no request, or take for the head of one.",
        ge=1,
        le=3_600 * SECOND,
    )


class CamaraOptions(HttpOptions):
    """The webhook for CAMARA's CloudEvents."""

    areas: dict[str, str] = option(
        {},
        "names with circles, NAME: LAT,LON,RADIUS",
        "Names for the circles of geofencing subscriptions (degrees, degrees, m): records name `area:NAME`.",
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
        "", "MCC and MNC such as 46000", "Network of cells that come without one.", pattern=r"^(\d{5,6})?$"
    )
    cells: Literal["hex", "decimal"] = option(
        "hex", "hex or decimal", "How `cellId` writes numbers: as TS 23.003 does, or otherwise."
    )


class TcpOptions(DoorOptions):
    """The door for lines."""

    acknowledge: YesNo = option(False, "yes or no", "Answer `ACK COUNT` when so many lines are durable.")
    line_bytes: int = option(
        MEGABYTE, "a whole number from 100 to 1048576", "Bytes of one line.", ge=100, le=MEGABYTE
    )
    sign_in_time: Duration = option(
        10 * SECOND,
        "a length of time up to 5m",
        "Until the first line has to have signed in, where tokens are given.",
        ge=1,
        le=300 * SECOND,
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
