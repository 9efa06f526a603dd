"""Message texts: placeholders by own substitution, values cleaned, amounts in words.

Never `str.format`, never a template language: a text can name values and do nothing else. What a value may
be is decided where it is put in, so no caller can forget it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from math import isfinite
from typing import Final, NamedTuple

VALUE_LIMIT: Final = 60
"""Characters of one value: longer than any place or handset name, shorter than one UCS-2 message."""

_READ: Final = 4_096
"""Characters of one value that are looked at: a record may hold a megabyte."""

_PLACEHOLDER: Final = re.compile(r"\{([a-z0-9_.]+)\}")
_BRACE: Final = re.compile(r"[{}]")


class Placeholder(NamedTuple):
    """`{name}` in a text: `start` and `end` are character offsets, braces included."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Template:
    """A text with its placeholders found.

    A placeholder is `{name}` with `name` of `[a-z0-9_.]+`, no spaces, no nesting. Every other brace is
    literal text and is sent as it stands; `stray` lists such braces so that `check` can point at them.
    """

    text: str
    placeholders: tuple[Placeholder, ...]
    literals: tuple[str, ...]
    """The text between the placeholders: always one more than there are placeholders."""

    @classmethod
    def parse(cls, text: str) -> Template:
        """Find the placeholders. Any text parses; whether the names are known is the loader's question."""
        found: list[Placeholder] = []
        literals: list[str] = []
        end = 0
        for match in _PLACEHOLDER.finditer(text):
            literals.append(text[end : match.start()])
            end = match.end()
            found.append(Placeholder(match[1], match.start(), end))
        literals.append(text[end:])
        return cls(text, tuple(found), tuple(literals))

    @property
    def names(self) -> tuple[str, ...]:
        """The placeholder names in the order they stand, each once."""
        return tuple(dict.fromkeys(placeholder.name for placeholder in self.placeholders))

    @property
    def stray(self) -> tuple[int, ...]:
        """Offsets of the braces that belong to no placeholder."""
        inside = {at for _, start, end in self.placeholders for at in (start, end - 1)}
        return tuple(m.start() for m in _BRACE.finditer(self.text) if m.start() not in inside)

    def render(self, values: Mapping[str, str]) -> str:
        """Put the cleaned values in, in one pass: a value that looks like a placeholder stays text.

        A name without a value renders as nothing: rules are checked before they run, so what is missing here
        is an optional field that this very record did not carry.
        """
        if not self.placeholders:
            return self.text
        pieces = [self.literals[0]]
        for placeholder, literal in zip(self.placeholders, self.literals[1:], strict=True):
            pieces.append(clean(values.get(placeholder.name, "")))
            pieces.append(literal)
        return "".join(pieces)


# -- values --------------------------------------------------------------------------------------------------

_PLAIN: Final = re.compile(r"[0-9A-Za-z\u4e00-\u9fff]*")
"""Values that need no cleaning, which are nearly all."""

_DROPPED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Control, format (bidi marks, zero-width characters), surrogate, private, unassigned, line ends."""

BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | {
    chr(code) for block in (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0)) for code in block
}
"""Letters and marks that show nothing: Default_Ignorable_Code_Point outside Cf, the empty Braille cell."""

_SIGNATURE: Final = frozenset("【】\ufe3b\ufe3c")
"""Only the operator signs a message. The last two are the upright forms of the same brackets."""

_DOT: Final = r"[.\u3002\uff0e\uff61]"
_TLD: Final = (
    r"(?:com|cn|net|org|gov|edu|info|biz|xyz|top|vip|club|shop|site|online|store|tech|app|dev|link|live|"
    r"io|me|cc|tv|co|ly|gl|im|ru|hk|tw|jp|kr|uk|us|eu|de|fr)"
)
_URL: Final = re.compile(
    r"[a-z][a-z0-9+.-]*:\s*[/\\\uff0f]{2}\S*"  # any scheme
    rf"|www{_DOT}[!-~]*"
    rf"|(?:[a-z0-9-]+{_DOT})+{_TLD}(?![a-z0-9-])(?:[:/?#][!-~]*)?"  # a bare domain, perhaps with a path
    rf"|[a-z0-9-]+(?:{_DOT}[a-z0-9-]+)+/[!-~]*"  # a domain of any kind, or an address, with a path
    rf"|(?:\d{{1,3}}{_DOT}){{3}}\d{{1,3}}(?::\d+)?",
    re.IGNORECASE,
)


def clean(value: str) -> str:
    """Return what of a value may stand in a message.

    Dropped: control, bidi and zero-width characters (line ends and tabs become a space), the signature
    brackets 【】, links and bare domains. Spaces are collapsed and trimmed; at most `VALUE_LIMIT` characters
    stay. Cleaning twice is the same as once.
    """
    if len(value) <= VALUE_LIMIT and _PLAIN.fullmatch(value):
        return value
    text = "".join(_keep(char) for char in value[:_READ])
    text = " ".join(text.split())[:VALUE_LIMIT].rstrip()
    while True:  # taking a link out may join the halves of another
        shorter = " ".join(_URL.sub("", text).split())
        if shorter == text:
            return text
        text = shorter


def _keep(char: str) -> str:
    if char in "\t\n\v\f\r\x85\u2028\u2029":
        return " "
    if char in _SIGNATURE or char in BLANK or unicodedata.category(char) in _DROPPED:
        return ""
    return char


# -- amounts -------------------------------------------------------------------------------------------------

_SIZES: Final = (("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10), ("B", 1))


def format_value(value: object, field_type: str = "text") -> str:
    """Write a value of a field type (`engine.language.model.FieldType`) the way a message shows it.

    money in yuan -> `20元`; bytes -> `312.5MB`; percent -> `20%`; duration in seconds -> `1小时30分`;
    yes/no -> `是`; a set is joined with `、`; everything else plainly. None is unknown and renders as
    nothing, as does what is no finite number.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        if not isfinite(value):
            return ""
        formatter = _FORMATTERS.get(field_type)
        return plain(value) if formatter is None else formatter(value)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        return "、".join(sorted(str(item) for item in value))
    return str(value)


def plain(number: float) -> str:
    """`3`, `2.5`: at most two decimals, no trailing zeros, never an exponent."""
    if number == int(number):
        return str(int(number))
    rounded = Decimal(repr(number)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    text = f"{rounded:f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def money(yuan: float) -> str:
    """`20元`, `20.5元`: to the fen."""
    return plain(yuan) + "元"


def size(bytes_: float) -> str:
    """`312.5MB`: the largest unit (of 1,024) that leaves at least one of it, one decimal, half up."""
    count = max(round(bytes_), 0)
    for at, (_, unit) in enumerate(_SIZES):
        tenths = (count * 10 + unit // 2) // unit
        if count >= unit or unit == 1:
            if tenths >= 10_240 and at:  # 1023.96 MB is shown as 1 GB, not as 1024 MB
                at, tenths = at - 1, 10
            whole, tenth = divmod(tenths, 10)
            return f"{whole}.{tenth}{_SIZES[at][0]}" if tenth else f"{whole}{_SIZES[at][0]}"
    raise AssertionError("the last unit is 1")


def percent(share: float) -> str:
    """`20%` of a number from 0 to 100."""
    return plain(share) + "%"


def duration(seconds: float) -> str:
    """`1小时30分`, `45秒`, `2天`: the parts that are not zero, whole seconds."""
    left = max(round(seconds), 0)
    pieces = []
    for name, unit in (("天", 86_400), ("小时", 3_600), ("分", 60), ("秒", 1)):
        count, left = divmod(left, unit)
        if count:
            pieces.append(f"{count}{name}")
    if pieces and pieces[-1].endswith("分") and len(pieces) == 1:
        return pieces[0] + "钟"
    return "".join(pieces) or "0秒"


_FORMATTERS: Final = {"money": money, "bytes": size, "percent": percent, "duration": duration}
