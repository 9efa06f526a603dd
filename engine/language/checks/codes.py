"""All codes of problems, with what each means in one line: for the docs and `--json` readers."""

from __future__ import annotations

from typing import Final

from engine.language import conditions
from engine.language.checks import (
    across,
    approval,
    files,
    house,
    messages,
    names,
    placeholders,
    reasons,
    shape,
    verbs,
    windows,
)

GROUPS: Final = (
    files, shape, verbs, approval, names, conditions, windows, messages, placeholders, house, across, reasons
)  # fmt: skip

ALL: Final[dict[str, str]] = dict(sorted(item for group in GROUPS for item in group.CODES.items()))
"""Code -> meaning, in order."""
