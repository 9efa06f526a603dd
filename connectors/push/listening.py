"""Sockets and certificates of doors; what is wrong with either is told by the name of the option."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

from connectors.push.options import DoorOptions
from engine.errors import InputError, SettingsError


async def listen(name: str, options: DoorOptions) -> socket.socket:
    """Return a socket that is bound to the door's address; raise `SettingsError` if that can't be done."""
    host, port = options.address
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except BaseException:
            bound.close()
            raise
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        sentence = f"expected an address to listen at, was {options.listen} ({why})"
        raise SettingsError([f"{name}: listen: {sentence}"]) from None
    bound.setblocking(False)
    return bound


def tls_context(name: str, options: DoorOptions, protocols: tuple[str, ...] = ()) -> ssl.SSLContext | None:
    """Return how a door encrypts, None if it does not; `protocols`: by ALPN, the wanted one first.

    TLS 1.2 or newer. With `tls_client_ca` who has no certificate of these authorities gets no connection.
    Raises InputError for a file that is not what it has to be.
    """
    if options.tls_cert is None or options.tls_key is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")  # what RFC 9113, 9.2.2 leaves of TLS 1.2
    for option, path in (("tls_cert", options.tls_cert), ("tls_key", options.tls_key)):
        _readable(f"{name}: {option}", path)
    try:
        # an empty passphrase: a key that has one is refused instead of asked for at a terminal
        context.load_cert_chain(options.tls_cert, options.tls_key, password="")
    except (ssl.SSLError, ValueError) as error:
        was = getattr(error, "reason", None) or "another"
        raise InputError(f"{name}: tls_cert, tls_key", "a certificate in PEM and its key", was) from None
    if options.tls_client_ca is not None:
        _readable(f"{name}: tls_client_ca", options.tls_client_ca)
        try:
            context.load_verify_locations(options.tls_client_ca)
        except ssl.SSLError:
            raise InputError(f"{name}: tls_client_ca", "certificates in PEM", "something else") from None
        context.verify_mode = ssl.CERT_REQUIRED
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


def _readable(where: str, path: Path) -> None:
    try:
        with path.open("rb"):
            return
    except OSError as error:
        raise InputError(where, "a file that can be read", (error.strerror or "unreadable").lower()) from None
