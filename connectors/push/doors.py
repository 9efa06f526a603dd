"""The doors that others push into, as a feeds file asks for them: options in, a source out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeVar

from connectors.column_map import ColumnMap, load_map, read_map
from connectors.door import SECOND, Door, House, Mistake
from connectors.landing_door import kinds_of
from connectors.push.amf import Amf
from connectors.push.camara import Camara
from connectors.push.door import PushDoor
from connectors.push.http_door import Webhook
from connectors.push.listening import tls_context
from connectors.push.nef import Nef
from connectors.push.notices import Notices
from connectors.push.options import (
    AmfOptions,
    CamaraOptions,
    DoorOptions,
    HttpOptions,
    NefOptions,
    TcpOptions,
)
from connectors.push.secrets import Secrets
from connectors.push.tcp_lines import LineTaker
from connectors.push.tcp_server import TcpServer
from engine.errors import InputError

Http = TypeVar("Http", bound=HttpOptions)
Clock = Callable[[], float]
"""Seconds since 1970."""
Environ = Mapping[str, str]


def camara_door(
    name: str, options: CamaraOptions, *, environ: Environ = os.environ, clock: Clock = time.time
) -> PushDoor:
    """Return the webhook for CAMARA's CloudEvents; raise InputError for secrets or certificates."""
    signed = bool(options.signature_file or options.signature_variable)
    return _webhook(options, Camara(name, options, signed=signed), environ, clock)


def amf_door(
    name: str, options: AmfOptions, *, environ: Environ = os.environ, clock: Clock = time.time
) -> PushDoor:
    """Return the webhook for an AMF's events; raise InputError as `camara_door` does."""
    return _webhook(options, Amf(name), environ, clock)


def nef_door(
    name: str, options: NefOptions, *, environ: Environ = os.environ, clock: Clock = time.time
) -> PushDoor:
    """Return the webhook for a NEF's monitoring events; raise InputError as `camara_door` does."""
    return _webhook(options, Nef(name, options), environ, clock)


def tcp_door(
    name: str,
    options: TcpOptions,
    columns: ColumnMap | None = None,
    *,
    environ: Environ = os.environ,
    clock: Clock = time.time,
) -> PushDoor:
    """Return the door for lines; raise InputError as `camara_door` does. `columns`: None is JSON."""
    server = TcpServer(name, options, tokens_of(name, options, environ))
    return PushDoor(name, server, LineTaker(name, columns, options.line_bytes), options, clock=clock)


def _webhook(options: HttpOptions, form: Notices, environ: Environ, clock: Clock) -> PushDoor:
    name = form.name
    tokens, keys = tokens_of(name, options, environ), keys_of(name, options, environ)
    return PushDoor(name, Webhook(name, options, form, tokens, keys), form, options, clock=clock)


def tokens_of(name: str, options: DoorOptions, environ: Environ = os.environ) -> Secrets | None:
    """Return a door's tokens, None if it has none; raise InputError."""
    if options.tokens_file is not None:
        return Secrets(f"{name}: tokens_file", options.tokens_file, "", environ=environ)
    if options.tokens_variable:
        return Secrets(f"{name}: tokens_variable", None, options.tokens_variable, environ=environ)
    return None


def keys_of(name: str, options: HttpOptions, environ: Environ = os.environ) -> Secrets | None:
    """Return the keys by which bodies are signed, None if they are not; raise InputError."""
    if options.signature_file is not None:
        return Secrets(f"{name}: signature_file", options.signature_file, "", environ=environ)
    if options.signature_variable:
        return Secrets(f"{name}: signature_variable", None, options.signature_variable, environ=environ)
    return None


# -- for the feeds file ------------------------------------------------------------------------------------


def look(options: DoorOptions, house: House) -> Iterator[Mistake]:
    """Find out whether secrets and certificates are what they have to be."""
    port = options.address[1]
    if port and port == house.web_port:
        was = f"`{port}`, at which this process serves its pages (TOUCHPOINT_WEB_PORT)"
        yield Mistake("listen", "a port of its own", was)
    checks: list[Callable[[], object]] = [
        lambda: tls_context("", options),
        lambda: tokens_of("", options),
    ]
    if isinstance(options, HttpOptions):
        http = options
        checks.append(lambda: keys_of("", http))
    for check in checks:
        try:
            check()
        except InputError as error:
            key = error.where.removeprefix(": ").partition(",")[0]
            yield Mistake(key, error.expected, str(error.was))


def claims(options: DoorOptions) -> tuple[str, ...]:
    """Two feeds can't listen at one port."""
    port = options.address[1]
    return (f"port {port}",) if port else ()


_CLAIMED_BY: Final = frozenset({"listen"})


def _shown(options: DoorOptions) -> str:
    return options.listen + (options.path if isinstance(options, HttpOptions) else "")


def _webhook_door(say: str, options: type[Http], make: Callable[[str, Http], PushDoor]) -> Door[Http]:
    """Return a webhook as a feeds file asks for it; it brings little, and is often silent.

    While it is not down it holds time back to its last record.
    """
    return Door(
        say=say,
        options=options,
        make=lambda name, options, _, house: make(name, options),
        disorder=5 * SECOND,
        idle=30 * SECOND,
        claims=claims,
        claimed_by=_CLAIMED_BY,
        look=look,
        shown=_shown,
    )


CAMARA: Final = _webhook_door(
    "A webhook for CAMARA's CloudEvents: geofencing, roaming, reachability, SIM swap.",
    CamaraOptions,
    camara_door,
)
AMF: Final = _webhook_door("A webhook for an AMF's event exposure (TS 29.518).", AmfOptions, amf_door)
NEF: Final = _webhook_door(
    "A webhook for monitoring events of a NEF or SCEF (TS 29.122, TS 29.522).", NefOptions, nef_door
)
TCP: Door[TcpOptions] = Door(
    say="Lines over TCP: JSON, or rows of columns by a map.",
    options=TcpOptions,
    make=lambda name, options, columns, house: tcp_door(name, options, columns),
    disorder=5 * SECOND,
    load_map=load_map,
    read_map=read_map,
    map_kinds=kinds_of,
    claims=claims,
    claimed_by=_CLAIMED_BY,
    look=look,
    shown=_shown,
)
