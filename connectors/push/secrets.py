"""Who may push: bearer tokens and signatures, several of each at a time so that they can be changed in turn.

Secrets are compared by their hashes in constant time, all of them each time, and never shown.
"""

from __future__ import annotations

import hmac
import os
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

import structlog

from engine.errors import InputError

LEAST: Final = 16
"""Characters of a token or key: 96 bits, if they are drawn from 64."""
LOOK_SECONDS: Final = 1.0
"""How often a file of secrets is looked at."""
SIGNATURE, TIMESTAMP = "x-signature", "x-timestamp"
SIZE_AT_MOST: Final = 1 << 16

log = structlog.get_logger("push")


class Secrets:
    """Secrets of a file or an environment variable.

    `where`: what they are, for messages: `camara: tokens_file`. A file is read again when it has changed; one
    that can't be read then is told in the log, and the secrets of before stand. Raises InputError if there
    are none, or one is too short.
    """

    def __init__(
        self,
        where: str,
        path: Path | None,
        variable: str,
        *,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._where = where
        self._path = path
        self._clock = clock
        self._stat: tuple[int, int, int] | None = None
        self._look_at = clock() + LOOK_SECONDS
        if path is not None:
            self._values = self._from_file(path)
        else:
            self._values = self._checked(environ.get(variable, "").split(","), f"variable {variable}")

    @property
    def values(self) -> list[bytes]:
        """All that are good now."""
        if self._path is not None and self._clock() >= self._look_at:
            self._look_at = self._clock() + LOOK_SECONDS
            try:
                if _stat(self._path) != self._stat:
                    self._values = self._from_file(self._path)
                    log.info("secrets were read again", setting=self._where, count=len(self._values))
            except (OSError, InputError):
                self._stat = None
                log.warning("secrets can't be read again, those of before stand", setting=self._where)
        return self._values

    def _from_file(self, path: Path) -> list[bytes]:
        try:
            self._stat = _stat(path)
            with path.open("rb") as file:
                raw = file.read(SIZE_AT_MOST)
            lines = raw.decode().splitlines()
        except OSError as error:
            was = (error.strerror or "unreadable").lower()
            raise InputError(self._where, "a file that can be read", was) from None
        except UnicodeDecodeError:
            raise InputError(self._where, "UTF-8", "another encoding") from None
        return self._checked([line for line in lines if not line.lstrip().startswith("#")], "file")

    def _checked(self, given: list[str], what: str) -> list[bytes]:
        values = [value.strip().encode() for value in given if value.strip()]
        if not values:
            raise InputError(self._where, "one or more secrets", f"an empty {what}")
        for number, value in enumerate(values, 1):
            if len(value) < LEAST:
                was = f"{len(value)} in number {number}"
                raise InputError(self._where, f"{LEAST} characters or more in each secret", was)
        return values


def has_token(secrets: Secrets, given: str) -> bool:
    """Say whether a token is one of those that are good."""
    shown = sha256(given.encode()).digest()
    good = False
    for value in secrets.values:
        good |= hmac.compare_digest(sha256(value).digest(), shown)
    return good


def bearer(headers: Mapping[str, str]) -> str:
    """Return the token of an `Authorization: Bearer` header; empty if there is none (RFC 6750)."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def signature_of(key: bytes, timestamp: str, body: bytes) -> str:
    """Return `sha256=HEX`: HMAC-SHA-256 of the time stamp, a dot, and the body."""
    return "sha256=" + hmac.new(key, timestamp.encode() + b"." + body, "sha256").hexdigest()


def wrong_signature(
    secrets: Secrets, headers: Mapping[str, str], body: bytes, now: float, seconds: float
) -> str:
    """Say what is wrong with the signature of a request; empty if nothing is."""
    timestamp, given = headers.get(TIMESTAMP, ""), headers.get(SIGNATURE, "")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return f"expected {TIMESTAMP} with seconds since 1970, was none"
    if abs(int(timestamp) - now) > seconds:
        return f"expected {TIMESTAMP} within {seconds:g} s of the clock, was not"
    good = False
    for key in secrets.values:
        good |= hmac.compare_digest(signature_of(key, timestamp, body).encode(), given.lower().encode())
    return "" if good else f"expected {SIGNATURE} of the body, was another or none"


def _stat(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns
