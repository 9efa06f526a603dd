"""The words of the packed history: cells, numbers, names, lists of places as bytes (`engine.history`)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from struct import Struct
from struct import error as StructError
from typing import Any

import orjson

from engine.event_kinds import PHASES, RATS

_COMMON = (
    *("cmnet", "cmwap", "3gnet", "3gwap", "ctnet", "internet", "ims", "ctlte"),
    *("video", "music", "chat", "news", "maps", "game", "shop", "social", "web", "mail"),
)
FIXED_WORDS: tuple[Any, ...] = (None, *RATS, *PHASES, True, False, *_COMMON)
"""Words that have the same number for every subscriber, from 0 on; part of the stored form."""

LONGEST = 500
"""Characters of a word that are kept: a text may have a million."""
MOST_PARTS = 255
"""Parts of a list that are kept."""
_NO_WORD = b"\xfd"
_CELL = Struct("<BBHHI")
_CELL_TAG, _LIST_TAG = 252, 251


def write_word(word: Any) -> bytes:
    """Write a word: length and UTF-8, or a tag and what it says.

    251 how many, words: a list; 252 a cell; 253 none; 254 length u16, JSON; 255 a keyed hash.
    """
    if word is None:
        return _NO_WORD
    if word.__class__ is tuple and word and all(type(part) is str for part in word):
        return bytes((_LIST_TAG, len(word))) + b"".join(map(write_word, word))
    if isinstance(word, str):
        if len(word) == 32:
            try:
                packed = bytes.fromhex(word)
                if packed.hex() == word:
                    return b"\xff" + packed
            except ValueError:
                pass
        text = word.encode()
        if len(text) < _LIST_TAG:
            if word[:1].isdecimal():
                packed = _pack_cell(word)
                if packed:
                    return packed
            return bytes((len(text),)) + text
    text = orjson.dumps(word)
    return b"\xfe" + len(text).to_bytes(2, "little") + text


def cut(word: Any) -> Any:
    """Return as much of a word as is kept."""
    if isinstance(word, str):
        return word[:LONGEST]
    if isinstance(word, tuple | list):
        return tuple(map(cut, word[:MOST_PARTS]))
    return word


@lru_cache(maxsize=65_536)
def _pack_cell(word: str) -> bytes:
    """Write a canonical cell MCC-MNC-LAC-CI in 10 bytes; nothing if it is none or its numbers are too
    large."""
    parts = word.split("-")
    if len(parts) != 4 or len(parts[0]) != 3 or not word.isascii():
        return b""
    try:
        mcc, mnc, area, cell = map(int, parts)
        network = (mcc * 1000 + mnc) << 1 | (len(parts[1]) == 3)
        packed = _CELL.pack(_CELL_TAG, network & 0xFF, network >> 8, area, cell)
    except (ValueError, StructError):
        return b""
    return packed if _cell_of(packed) == word else b""


def _cell_of(packed: bytes) -> str:
    _, low, high, area, cell = _CELL.unpack(packed)
    network = low | high << 8
    mcc, mnc = divmod(network >> 1, 1000)
    return f"{mcc:03}-{mnc:0{2 + (network & 1)}}-{area}-{cell}"


def words_of(data: bytearray | bytes) -> Iterator[Any]:
    """Read words back; lists as tuples."""
    words = _flat_words(data)
    for word in words:
        yield tuple(next(words) for _ in range(word.size)) if word.__class__ is _List else word


class _List:
    """A list of as many of the words that follow."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size


def _flat_words(data: bytearray | bytes) -> Iterator[Any]:
    at = 0
    while at < len(data):
        size = data[at]
        at += 1
        if size == 255:
            yield data[at : at + 16].hex()
            at += 16
        elif size == 253:
            yield None
        elif size == _LIST_TAG:
            yield _List(data[at])
            at += 1
        elif size == _CELL_TAG:
            yield _cell_of(bytes(data[at - 1 : at - 1 + _CELL.size]))
            at += _CELL.size - 1
        elif size == 254:
            size = data[at] | data[at + 1] << 8
            word = orjson.loads(data[at + 2 : at + 2 + size])
            yield tuple(word) if isinstance(word, list) else word
            at += 2 + size
        else:
            yield data[at : at + size].decode()
            at += size


def length_of(data: bytes, at: int) -> int:
    """Return the length of a word written by `write_word`."""
    size = data[at]
    if size == 255:
        return 17
    if size == 254:
        return 3 + (data[at + 1] | data[at + 2] << 8)
    if size == _CELL_TAG:
        return _CELL.size
    if size == _LIST_TAG:
        end = at + 2
        for _ in range(data[at + 1]):
            end += length_of(data, end)
        return end - at
    return 1 if size == 253 else 1 + size
