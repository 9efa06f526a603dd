"""Did you mean: the known word nearest to a misspelt one.

Distance: optimal string alignment (insert, delete, replace, swap of neighbours cost 1 each). Runs only when
something is wrong, so it is written plainly.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

LOOK_ALIKES: Final[dict[str, tuple[str, str]]] = {
    "：": (":", "the wide colon of Chinese text"),
    "，": (",", "the wide comma of Chinese text"),
    "、": (",", "the comma of Chinese lists"),
    "“": ('"', "a curly quote"),
    "”": ('"', "a curly quote"),
    "‘": ("'", "a curly quote"),
    "’": ("'", "a curly quote"),
    "｛": ("{", "a wide brace"),
    "｝": ("}", "a wide brace"),
    "［": ("[", "a wide bracket"),
    "］": ("]", "a wide bracket"),
    "【": ("[", "the bracket of Chinese text"),
    "】": ("]", "the bracket of Chinese text"),
    "－": ("-", "a wide dash"),
    "—": ("-", "a long dash"),
    "–": ("-", "a long dash"),
    "•": ("-", "the dot of a word processor's list"),
    "＃": ("#", "a wide hash"),
    "\u00a0": (" ", "a no-break space (U+00A0)"),
    "\u3000": (" ", "a wide space (U+3000)"),
    "\u200b": ("", "an invisible character (U+200B)"),
    "\u200c": ("", "an invisible character (U+200C)"),
    "\u200d": ("", "an invisible character (U+200D)"),
    "\ufeff": ("", "an invisible character (U+FEFF)"),
}
"""Character -> the one of YAML it is taken for, and what it is."""

_BLANKS = "\u00a0\u3000\u200b\u200c\u200d\ufeff"
_AT_START = re.compile(rf"\s*?(?:([{_BLANKS}])|([－—–•])[ {_BLANKS}]|(＃))")
_AFTER_KEY = re.compile(
    rf"[\s{_BLANKS}]*(?:[-] +)*[\w.]+(?:(：)|:([{_BLANKS}])| *: *([｛［]|[“‘](?=.*[”’]\s*$)))"
)
_IN_BRACES = re.compile(r"[，：、“”‘’｛｝［］]")

LISTED_AT_MOST: Final = 16
"""Longer vocabularies are not listed in a hint."""
NAMED_AT_MOST: Final = 3
"""Of words that are equally near so many are named."""


def closest(word: str, options: Iterable[str]) -> str | None:
    """Return the option nearest to `word`, or None if none is near: one slip per three characters."""
    near = nearest(word, options)
    return near[0] if near else None


def nearest(word: str, options: Iterable[str]) -> list[str]:
    """Return the option nearest to `word`, none if none is near; of several one slip away all, best first."""
    written = plain_form(word).casefold()
    allowed = max(1, (len(written) + 1) // 3)
    found: list[tuple[bool, str]] = []
    for option in options:
        if abs(len(option) - len(written)) > allowed:
            continue
        distance = slips(written, option.casefold(), allowed)
        if distance > allowed or distance >= len(option):
            continue
        if distance < allowed:
            allowed, found = distance, []
        # a slip in the first letter is rare, so of equally near words those that open alike come first
        found.append((option[:1] != word[:1], option))
    best = [option for _, option in sorted(set(found))]
    return best if allowed == 1 else best[:1]


def slips(a: str, b: str, limit: int) -> int:
    """Count the slips between two words; any number above `limit` may come back as `limit + 1`."""
    if a == b:
        return 0
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row, last = row, [i] + [0] * len(b), before
        for j, y in enumerate(b, 1):
            cost = before[j - 1] + (x != y)
            cost = min(cost, before[j] + 1, row[j - 1] + 1)
            if i > 1 and j > 1 and x == b[j - 2] and y == a[i - 2]:
                cost = min(cost, last[j - 2] + 1)
            row[j] = cost
        if min(row) > limit:
            return limit + 1
    return row[-1]


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """Write the hint for an unknown word: the nearest option, else all of a short list, else nothing."""
    known = list(options)
    near = nearest(word, known)[:NAMED_AT_MOST]
    if near:
        return f"did you mean {join(near, 'or')}?"
    return one_of(known)


def join(words: Iterable[str], last: str) -> str:
    """Write `a`, `b` and `c`."""
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + f" {last} {quoted[-1]}"


def one_of(options: Iterable[str]) -> str:
    """List the options of a short vocabulary."""
    known = list(options)
    if not known or len(known) > LISTED_AT_MOST:
        return ""
    return "one of: " + ", ".join(f"`{option}`" for option in known)


def look_alike(line: str, stop: int | None = None) -> int | None:
    """Find a character that stands where one of YAML's own belongs; its index, or None.

    `stop`: where reading ended inside braces; what stands before it inside them is asked then, too.
    """
    for pattern in (_AT_START, _AFTER_KEY):
        found = pattern.match(line)
        if found is not None:
            return next(found.start(number) for number, part in enumerate(found.groups(), 1) if part)
    if stop is None:
        return None
    begin = min((at for at in (line.find("{"), line.find("[")) if at >= 0), default=stop)
    inside = _IN_BRACES.search(line, begin, stop)
    return None if inside is None or '"' in line[begin : inside.start()] else inside.start()


def plain_form(word: str) -> str:
    """Write a word with the characters of YAML and ASCII that wide ones in it stand for; quotes fall away."""
    told = "".join(LOOK_ALIKES.get(char, (char, ""))[0] for char in unicodedata.normalize("NFKC", word))
    return told.strip().strip("\"'[]").strip()
