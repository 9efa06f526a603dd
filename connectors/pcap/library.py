"""pycrate, the optional extra that decodes the protocols: imported when it is first needed."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from typing import Any, TypeVar

from engine.errors import InputError

EXTRA = "pcap"
Found = TypeVar("Found")


def need() -> None:
    """Raise InputError if pycrate is not installed: before anything is read, not in the middle of a file."""
    _imported("pycrate_core.base")


def s1ap() -> Any:
    """Return pycrate's S1AP module (3GPP TS 36.413)."""
    return _imported("pycrate_asn1dir.S1AP")


def emm() -> Any:
    """Return pycrate's module of NAS messages for mobility (3GPP TS 24.301, 8.2)."""
    return _imported("pycrate_mobile.TS24301_EMM")


def tcap_map() -> Any:
    """Return pycrate's module of TCAP with MAP, versions 2 and 3 (ITU-T Q.773, 3GPP TS 29.002)."""
    return _imported("pycrate_asn1dir.TCAP_MAPv2v3")


def attempt(decode: Callable[[], Found]) -> Found | None:
    """Return what decoding gives, None where it fails.

    What pycrate raises on broken input is no closed list (its own errors, but also IndexError, TypeError,
    AssertionError, ...), and one PDU must not stop a stream: here alone everything is caught.
    """
    try:
        return decode()
    except Exception:
        return None


def _imported(module: str) -> Any:
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        # It warns of its own regular expressions, and prints which of its own extras are missing.
        warnings.simplefilter("ignore")
        try:
            found = import_module(module)
        except ImportError as error:
            was = f"not installed ({error.name or error})"
            raise InputError("pcap", f"pycrate: pip install 'touchpoint[{EXTRA}]'", was) from None
        # What it can't decode is told by us, once, with file and frame.
        logging.getLogger(module.partition(".")[0]).setLevel(logging.CRITICAL + 1)
        # Real equipment sends empty bit strings where some are asked for; nothing read here depends on it.
        import_module("pycrate_asn1rt.asnobj").ASN1Obj._SAFE_BND = False
        return found
