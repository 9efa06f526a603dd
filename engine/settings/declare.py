"""How a setting is declared: default, what is expected, what it means, and which roles read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from engine.event_kinds import KINDS
from engine.paths import FILE, why_no

PREFIX: Final = "TOUCHPOINT_"

ROLES: Final = ("run", "collector", "engine", "dispatcher")
"""Who reads settings: `run` is the embedded run (`./run`), the others are roles of a deployment."""
DEPLOYED: Final = ROLES[1:]


def setting(default: Any, expected: str, meaning: str, roles: tuple[str, ...] = ROLES, **bounds: Any) -> Any:
    """Declare a setting; `expected` completes "expected …" in messages."""
    extra: dict[str, Any] = {"expected": expected, "roles": list(roles)}
    return Field(default=default, description=meaning, json_schema_extra=extra, **bounds)


def whole(
    default: int, least: int, most: int, meaning: str, roles: tuple[str, ...] = ROLES, unit: str = ""
) -> Any:
    """Declare a whole number from `least` to `most`, of a unit where it has one."""
    expected = f"a whole number {unit and f'of {unit} '}from {least} to {most}"
    return setting(default, expected, meaning, roles, ge=least, le=most)


def derived(
    default: Callable[[Mapping[str, Any]], int],
    shown: str,
    least: int,
    most: int,
    meaning: str,
    roles: tuple[str, ...] = ROLES,
) -> Any:
    """Declare a whole number whose default depends on settings declared before it; `shown`: how, in words."""
    extra: dict[str, Any] = {
        "expected": f"a whole number from {least} to {most}",
        "roles": list(roles),
        "default": shown,
    }
    return Field(default_factory=default, description=meaning, json_schema_extra=extra, ge=least, le=most)


def password(meaning: str, roles: tuple[str, ...]) -> Any:
    """Declare a password that need not be given."""
    return setting(SecretStr(""), "a password", meaning, roles)


def address_parts(text: str, port: int | None = None) -> list[tuple[str, int]]:
    """Split `host:port,host:port`; `port` is for those that name none (None: each has to).

    IPv6 addresses stand in brackets. Raise ValueError if it is anything else.
    """
    found = []
    for part in text.split(","):
        host, colon, number = part.strip().rpartition(":")
        if (not colon or number.endswith("]")) and port is not None:
            host, number = part.strip(), str(port)
        plain = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if not plain or set(plain) & set(" /@[]?#\\") or (":" in plain and plain == host):
            raise ValueError("not a host")
        if not (number.isascii() and number.isdecimal() and 1 <= int(number) <= 65_535):
            raise ValueError("not a port")
        found.append((plain, int(number)))
    return found


def _check_servers(text: str) -> str:
    if text:
        address_parts(text)
    return text


def _check_file(path: Path | None) -> Path | None:
    if path is not None and why_no(FILE, path):
        raise ValueError("no such file")
    return path


KINDS_EXPECTED: Final = "kinds of records, parted by commas"


def kinds_in(text: str) -> list[str]:
    """Split `KIND,KIND`; raise ValueError for what is no kind of the network or of business."""
    found = [part.strip() for part in text.split(",") if part.strip()]
    for kind in found:
        if kind not in KINDS or KINDS[kind].group == "control":
            raise ValueError("not a kind")
    return found


def _check_kinds(text: str) -> str:
    kinds_in(text)
    return text


Kinds = Annotated[str, AfterValidator(_check_kinds)]
"""`KIND,KIND`, or empty."""
Servers = Annotated[str, AfterValidator(_check_servers)]
"""`host:port,host:port`, or empty: not given."""
OptionalPath = Annotated[Path | None, BeforeValidator(lambda path: None if path == "" else path)]
"""A path; empty: not given. A file or folder of this name need not exist."""
OptionalFile = Annotated[OptionalPath, AfterValidator(_check_file)]
"""A file that exists; empty: not given."""
