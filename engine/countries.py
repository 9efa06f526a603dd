"""Codes of countries, ISO 3166-1 alpha-2, from the table that comes with the time zones."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

_TABLE: Final = files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text(encoding="utf-8")

COUNTRIES: Final = (
    *(line.split("\t")[0] for line in _TABLE.splitlines() if line and not line.startswith("#")),
    "XK",  # Kosovo: a code of the range for users, which networks use
)
