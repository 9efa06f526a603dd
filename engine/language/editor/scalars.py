"""Scalars as an editor sees them. It types them by YAML 1.2: `18` is a number there, `yes` a text.

The language reads every scalar as text, so a schema takes a bare number wherever one may stand. Texts that
are only `true`, `false`, `null`, `.inf` or `.nan` are the exception: an editor wants them quoted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

Schema = dict[str, Any]
Plain = str | int | float | bool | None

_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: Final[dict[str, bool | None]] = {
    written: value
    for word, value in (("true", True), ("false", False), ("null", None))
    for written in (word, word.capitalize(), word.upper())
} | {"~": None, "": None}


def core(text: str) -> Plain:
    """Read a plain scalar by the core schema of YAML 1.2, as editors do."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEX.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text) or _INFINITE.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text


def is_odd(text: str) -> bool:
    """Tell whether a text is one of those that an editor wants quoted."""
    return text in _WORDS or _INFINITE.fullmatch(text) is not None


def text(*patterns: tuple[str, str], examples: Iterable[str] = (), number: bool = True) -> Schema:
    """Describe a text that holds something and fits every pattern.

    `patterns`: (regular expression, message for the author); `number`: a bare number will do as well.
    """
    schema: Schema = {"type": ["string", "number"] if number else "string", "pattern": r"\S"}
    schema["errorMessage"] = "expected a text, was nothing"
    if len(patterns) == 1:
        schema["pattern"], schema["errorMessage"] = patterns[0]
    elif patterns:
        schema["allOf"] = [{"pattern": pattern, "errorMessage": said} for pattern, said in patterns]
    shown = list(examples)
    return {**schema, "examples": shown} if shown else schema


def words(options: Iterable[str], say: Mapping[str, str] | None = None, said: str = "") -> Schema:
    """Describe a closed list of words. `say`: a line on each; `said`: message instead of the whole list."""
    quoted: list[str] = []
    values: list[Plain] = []
    lines: list[str] = []
    for option in dict.fromkeys(options):
        value = core(option)
        if value != option and not is_odd(option):
            quoted.append(option)  # 111 is offered without quotes, and "111" taken as well
        else:
            value = option
        values.append(value)
        lines.append((say or {}).get(option, ""))
    schema: Schema = {"enum": values}
    if any(lines):
        schema["enumDescriptions"] = lines
    if said:
        schema["errorMessage"] = said
    if quoted:
        alternatives: list[Schema] = [schema, {"type": "string", "pattern": one_of(quoted)}]
        return {"anyOf": alternatives}
    return schema


def one_of(options: Iterable[str], before: str = "") -> str:
    """Write a regular expression of exactly these words. `before`: one that comes first."""
    return f"^{before}(?:{'|'.join(escape(option) for option in options)})$"


def escape(text: str) -> str:
    """Write a text as a regular expression that Python and editors (ECMA 262, with `u`) read alike."""
    return re.sub(r"[\\^$.*+?()\[\]{}|/]", r"\\\g<0>", text)
