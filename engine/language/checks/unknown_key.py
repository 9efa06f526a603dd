"""R101: keys are those of the language."""

from __future__ import annotations

import re
from typing import Final

from engine.language.checks.code import Check
from engine.language.report import Report
from engine.language.source import Scalar
from engine.language.suggest import LOOK_ALIKES

CHECKS: Final = (
    Check(
        code="R101",
        meaning="a key that is not known here",
        bad="""
            limits:
              prioritty: 5
              at_most: 1 in 14d
              send_within: 1h
              holdout: 5%
            """,
        good="""
            limits:
              priority: 5
              at_most: 1 in 14d
              send_within: 1h
              holdout: 5%
            """,
        advice="""
            Take the key that the hint proposes. If the word is right, look at its indent: a key belongs to
            the line above it that is indented less. What each place takes stands in the
            [reference](../reference.md).
            """,
    ),
)


_OF_TEXT = "【】，、"
"""Marks of Chinese text: a key that holds one is a text in the wrong place."""


def unknown_key(report: Report, key: Scalar, hint: str) -> None:
    """R101: a key that its mapping does not have."""
    report.error("R101", key, f"unknown key `{key.text}`", odd_key(key.text) or hint)


def odd_key(text: str) -> str:
    """Write the hint for a key that YAML read otherwise than it was meant, or nothing."""
    glued = re.match(r"([\w.]+)([:：])(.+)", text)
    if glued is not None:
        return f"write `{glued[1]}: {glued[3].strip()}`, with `:` and a space"
    char = next((char for char in text if char in LOOK_ALIKES and char not in _OF_TEXT), "")
    if not char:
        return ""
    mark, name = LOOK_ALIKES[char]
    meant = f"; write `{mark}`" if mark.strip() else "; write a plain space" if mark else "; delete it"
    return f"it holds {name}{meant}"
