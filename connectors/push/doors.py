"""All doors that others push into, by name: options in, a source of the collector out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from connectors.column_map import load_map
from connectors.push import amf, camara, nef
from connectors.push.door import PushDoor
from connectors.push.http_door import Format, Webhook
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

Clock = Callable[[], float]


def camara_door(
    name: str, options: CamaraOptions, *, environ: Mapping[str, str] = os.environ, clock: Clock = time.time
) -> PushDoor:
    """Return the webhook for CAMARA's CloudEvents; raise InputError for a file that is wrong.

    `clock`: seconds since 1970.
    """
    signed = bool(options.signature_file or options.signature_variable)
    return _webhook(name, options, camara.Camara(name, options, signed=signed), environ, clock)


def amf_door(
    name: str, options: AmfOptions, *, environ: Mapping[str, str] = os.environ, clock: Clock = time.time
) -> PushDoor:
    """Return the webhook for an AMF's events; raise InputError as `camara_door` does."""
    return _webhook(name, options, amf.Amf(name), environ, clock)


def nef_door(
    name: str, options: NefOptions, *, environ: Mapping[str, str] = os.environ, clock: Clock = time.time
) -> PushDoor:
    """Return the webhook for a NEF's monitoring events; raise InputError as `camara_door` does."""
    return _webhook(name, options, nef.Nef(name, options), environ, clock)


def tcp_door(
    name: str, options: TcpOptions, *, environ: Mapping[str, str] = os.environ, clock: Clock = time.time
) -> PushDoor:
    """Return the door for lines; raise InputError as `camara_door` does, also for a column map."""
    columns = load_map(options.map) if options.map else None
    server = TcpServer(name, options, _tokens(name, options, environ))
    return PushDoor(name, server, LineTaker(name, columns, options.line_bytes), options, clock=clock)


@dataclass(frozen=True, slots=True)
class DoorKind:
    """A kind of door, for whoever reads which doors there are to be."""

    options: type[DoorOptions]
    make: Callable[..., PushDoor]
    """(name, options) -> source."""
    kinds: frozenset[str]
    """Kinds of records that may come; empty: any."""


DOORS: Final[Mapping[str, DoorKind]] = {
    "camara": DoorKind(CamaraOptions, camara_door, camara.KINDS),
    "amf": DoorKind(AmfOptions, amf_door, amf.KINDS),
    "nef": DoorKind(NefOptions, nef_door, nef.KINDS),
    "tcp": DoorKind(TcpOptions, tcp_door, frozenset()),
}


def _webhook(
    name: str, options: HttpOptions, form: Any, environ: Mapping[str, str], clock: Clock
) -> PushDoor:
    keys = None
    if options.signature_file or options.signature_variable:
        keys = Secrets(
            f"{name}: signature_file" if options.signature_file else f"{name}: signature_variable",
            options.signature_file,
            options.signature_variable,
            environ=environ,
        )
    checked: Format = form
    server = Webhook(name, options, checked, _tokens(name, options, environ), keys)
    return PushDoor(name, server, form, options, clock=clock)


def _tokens(name: str, options: DoorOptions, environ: Mapping[str, str]) -> Secrets | None:
    if not (options.tokens_file or options.tokens_variable):
        return None
    where = f"{name}: tokens_file" if options.tokens_file else f"{name}: tokens_variable"
    return Secrets(where, options.tokens_file, options.tokens_variable, environ=environ)
