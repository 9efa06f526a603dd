"""How every client reaches Kafka: plain values in, arguments of aiokafka out, mistakes by variable."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiokafka.helpers import create_ssl_context

from engine.errors import SettingsError, shorten

SECURITY: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
SASL: Final = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")

POLL_AT_LEAST: Final = 7 * 86_400_000
"""ms until a member of a group that fetches nothing leaves it; it would not join again by itself. To fetch
nothing is no failure: no lane does while Redis is away or built anew, and a dispatcher not while too many
offers wait, for a whole night if need be. What is dead stops its heartbeat; what hangs, `/livez` tells."""

_BROKER = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:,\[\]]+):([0-9]{1,5})")
_NAME = "TOUCHPOINT_KAFKA_"


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """Where Kafka is and how to sign in: the values of the variables `TOUCHPOINT_KAFKA_…` of these names."""

    bootstrap: str
    """host:port, several parted by commas."""
    security: str = "PLAINTEXT"
    """One of `SECURITY`."""
    sasl: str = "SCRAM-SHA-512"
    """One of `SASL`; looked at where `security` begins with SASL."""
    user: str = ""
    password: str = field(default="", repr=False)
    ca: Path | None = None
    """Authorities that may have signed the brokers' certificates (PEM); None: those of the system."""
    cert: Path | None = None
    """Certificate to show to the brokers (PEM)."""
    cert_key: Path | None = None
    """Its private key (PEM) without a passphrase; None: it is in the file of `cert`."""


def client_options(access: KafkaAccess) -> dict[str, Any]:
    """Return the keyword arguments that all clients of aiokafka share.

    Files are read here: call it at the start, off the loop's hot hours. Raise `SettingsError` with every
    mistake. A host name that leads nowhere is found out by the client.
    """
    problems: list[str] = []

    def wrong(name: str, expected: str, was: str) -> None:
        problems.append(f"{_NAME}{name}: expected {expected}, was {was}")

    servers = [server.strip() for server in access.bootstrap.split(",")]
    for server in servers:
        match = _BROKER.fullmatch(server)
        if match is None or not 1 <= int(match[2]) <= 65_535:
            wrong("BOOTSTRAP", "host:port, or several parted by commas", shorten(access.bootstrap))
            break
    options: dict[str, Any] = {"bootstrap_servers": servers, "security_protocol": access.security}
    if access.security not in SECURITY:
        wrong("SECURITY", f"one of {', '.join(SECURITY)}", shorten(access.security))
        raise SettingsError(problems)
    if access.security.startswith("SASL"):
        if access.sasl not in SASL:
            wrong("SASL", f"one of {', '.join(SASL)}", shorten(access.sasl))
        if not access.user:
            wrong("USER", f"a user name with {_NAME}SECURITY={access.security}", "empty")
        if not access.password:
            wrong("PASSWORD", f"a password with {_NAME}SECURITY={access.security}", "empty")
        options.update(
            sasl_mechanism=access.sasl,
            sasl_plain_username=access.user,
            sasl_plain_password=access.password,
        )
    if access.security.endswith("SSL"):
        options["ssl_context"] = _context(access, problems)
    else:
        # Who gives a certificate means to be encrypted: a forgotten SECURITY must not go on in the clear.
        for name, given in (("CA", access.ca), ("CERT", access.cert), ("CERT_KEY", access.cert_key)):
            if given is not None:
                wrong(name, f"no file, or {_NAME}SECURITY=SSL or SASL_SSL", shorten(str(given)))
    if problems:
        raise SettingsError(problems)
    return options


def _context(access: KafkaAccess, problems: list[str]) -> ssl.SSLContext | None:
    """Make the TLS context; None after a mistake, added to `problems`. Host names are always checked."""
    before = len(problems)
    _try("CA", access.ca, "a file with certificates (PEM)", problems)
    if access.cert is None and access.cert_key is not None:
        problems.append(f"{_NAME}CERT: expected the certificate of {_NAME}CERT_KEY, was not given")
    for name, path in (("CERT", access.cert), ("CERT_KEY", access.cert_key)):
        if path is not None and (why := _unreadable(path)):
            problems.append(f"{_NAME}{name}: expected a file that can be read, was {path} ({why})")
    if len(problems) > before:
        return None
    try:
        # An empty passphrase: without one OpenSSL would ask for it on the terminal.
        context: ssl.SSLContext = create_ssl_context(
            cafile=access.ca, certfile=access.cert, keyfile=access.cert_key, password=""
        )
    except (ssl.SSLError, OSError):
        problems.append(
            f"{_NAME}CERT: expected a certificate and its private key without a passphrase (PEM), "
            f"was {access.cert}" + (f" with {access.cert_key}" if access.cert_key else "")
        )
        return None
    return context


def _try(name: str, path: Path | None, expected: str, problems: list[str]) -> None:
    """Load a file of authorities alone, so that a mistake in it is not taken for one of the certificate."""
    if path is None:
        return
    if why := _unreadable(path):
        problems.append(f"{_NAME}{name}: expected {expected}, was {path} ({why})")
        return
    try:
        ssl.create_default_context(cafile=path)
    except (ssl.SSLError, OSError):
        problems.append(f"{_NAME}{name}: expected {expected}, was {path} (no certificate in it)")


def _unreadable(path: Path) -> str:
    """Say why a file can't be read; empty if it can."""
    try:
        with path.open("rb"):
            return ""
    except OSError as error:
        return error.strerror or type(error).__name__
