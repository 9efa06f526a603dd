"""How many parts a text takes as SMS: GSM-7 160/153 septets, UCS-2 70/67 code units.

Sources: 3GPP TS 23.038 6.2.1 (default alphabet and its extension table) and TS 23.040 9.2.3.24.1
(concatenation with an 8-bit reference: a 6-octet header leaves 153 septets or 67 UCS-2 code units in each
part). No national language shift tables: Chinese gateways do not carry them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Literal, NamedTuple

Encoding = Literal["GSM-7", "UCS-2"]

DEFAULT_ALPHABET: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The 127 characters of one septet. The 128th code is the escape itself."""

EXTENSION_TABLE: Final = "\f^{}\\[~]|€"
"""The characters of two septets: an escape and a code."""

GSM7_SINGLE: Final = 160
GSM7_PART: Final = 153
UCS2_SINGLE: Final = 70
UCS2_PART: Final = 67

_SEPTETS: Final = {**dict.fromkeys(DEFAULT_ALPHABET, 1), **dict.fromkeys(EXTENSION_TABLE, 2)}


class Segments(NamedTuple):
    """What a text costs on the air.

    `units` are septets (GSM-7) or UTF-16 code units (UCS-2), without concatenation headers.
    """

    encoding: Encoding
    units: int
    parts: int


@lru_cache(maxsize=4096)
def segments(text: str) -> Segments:
    """Count the parts of `text`, which is the whole message: signature and opt-out included.

    GSM-7 if every character is in the default alphabet or its extension table, else UCS-2 with characters
    outside the BMP as surrogate pairs. Neither an escape sequence nor a surrogate pair is split over two
    parts, so a part may stay one unit short. An empty text is one empty message.
    """
    try:
        widths = [_SEPTETS[char] for char in text]
    except KeyError:
        return _count("UCS-2", [2 if char > "\uffff" else 1 for char in text], UCS2_SINGLE, UCS2_PART)
    return _count("GSM-7", widths, GSM7_SINGLE, GSM7_PART)


def _count(encoding: Encoding, widths: list[int], single: int, part: int) -> Segments:
    units = sum(widths)
    if units <= single:
        return Segments(encoding, units, 1)
    if units == len(widths):  # nothing that could straddle a border
        return Segments(encoding, units, -(-units // part))
    parts, room = 1, part
    for width in widths:
        if width > room:
            parts, room = parts + 1, part
        room -= width
    return Segments(encoding, units, parts)
