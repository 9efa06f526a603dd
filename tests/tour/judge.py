"""Misspell the words of rules and ask the loader what is wrong."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

from engine.language.folders import read_folder
from engine.language.loader import is_rule, load_texts
from engine.language.problems import Problem
from engine.language.source import Mapping, read
from tests.testdata import RULE_SETS
from tests.tour.slips import slips
from tests.tour.words import Finder, Word

SETS = tuple(RULE_SETS.values())
LONG = 4
"""Characters of a word from which on the hint is asked for."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One slip in one word of one rule."""

    path: str
    word: Word
    slip: str
    text: str
    """The whole rule with the slip."""

    @property
    def number(self) -> int:
        """A number that picks shares of all slips, the same in every run."""
        return crc32(f"{self.path} {self.word.start} {self.slip}".encode())

    def __str__(self) -> str:
        return f"{self.path}:{self.word.line}: `{self.slip}` for `{self.word.text}` ({self.word.kind})"


@dataclass(slots=True)
class Tally:
    """What came of the slips of one kind of words, or of all."""

    tried: int = 0
    placed: int = 0
    long: int = 0
    hinted: int = 0
    skipped: int = 0


@dataclass(slots=True)
class Tour:
    """The figures by kind of word, and the slips that were not found or not understood."""

    kinds: dict[str, Tally] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    unhinted: Counter[str] = field(default_factory=Counter)

    def total(self) -> Tally:
        """All kinds together."""
        every = self.kinds.values()
        names = ("tried", "placed", "long", "hinted", "skipped")
        return Tally(*(sum(getattr(tally, name) for tally in every) for name in names))

    def table(self) -> str:
        """The figures, one line for each kind."""
        lines = [f"{'words':18} {'tried':>9} {'valid':>7} {'position':>9} {'4 or more':>10} {'hint':>8}"]
        for kind, tally in [*sorted(self.kinds.items()), ("all", self.total())]:
            hint = f"{100 * tally.hinted / tally.long:7.2f}%" if tally.long else "       -"
            lines.append(
                f"{kind:18} {tally.tried:9,} {tally.skipped:7,} {100 * tally.placed / tally.tried:8.2f}% "
                f"{tally.long:10,} {hint}"
            )
        return "\n".join(lines)


def rules(folder: Path) -> Iterator[tuple[str, dict[str, str], list[Word]]]:
    """Yield of each rule its path, the texts it is checked with, and its words; of places.yaml likewise."""
    texts = read_folder(folder).texts
    house = {
        path: text for path, text in texts.items() if path == "policy.yaml" or path.startswith("catalog/")
    }
    loaded = load_texts(texts).ruleset
    assert loaded is not None
    for path, text in texts.items():
        root = read(path, text).root
        if is_rule(path) and isinstance(root, Mapping):
            words = list(Finder(text, loaded.catalog, loaded.policy).words(root))
            yield path, {**house, path: text}, words
        elif path == "catalog/places.yaml" and isinstance(root, Mapping):
            yield path, house, list(Finder(text, loaded.catalog, loaded.policy).places(root))


def tour(share: int = 1, sets: Iterable[Path] = SETS) -> Tour:
    """Try every `share`th slip in all rules of some sets."""
    found = Tour()
    for folder in sets:
        for path, texts, words in rules(folder):
            for word in words:
                tally = found.kinds.setdefault(word.kind, Tally())
                before, behind = texts[path][: word.start], texts[path][word.start + len(word.text) :]
                for slip in slips(word.text):
                    stop = Stop(path, word, slip, before + slip + behind)
                    if stop.number % share:
                        continue
                    if word.right(slip):
                        tally.skipped += 1
                    else:
                        _judge(found, tally, stop, load_texts({**texts, path: stop.text}).problems)
    return found


def _judge(found: Tour, tally: Tally, stop: Stop, problems: tuple[Problem, ...]) -> None:
    word = stop.word
    here = [each for each in problems if (each.path, each.line, each.col) == (stop.path, word.line, word.col)]
    tally.tried += 1
    tally.placed += bool(here)
    if not here:
        found.lost.append(f"{stop}\n    " + "\n    ".join(map(str, problems)))
    if len(word.text) >= LONG:
        tally.long += 1
        if any(_proposes(each.hint, word.text) for each in here):
            tally.hinted += 1
        else:
            hints = " | ".join(each.hint for each in here)
            found.unhinted[f"{word.kind}: `{stop.slip}` for `{word.text}`: {hints}"] += 1


def _proposes(hint: str, word: str) -> bool:
    """Tell whether a hint asks for the word itself, alone or with what stands beside it in the value."""
    meant = re.findall(r"`([^`]*)`", hint) if hint.startswith("did you mean ") else []
    return any(re.search(rf"(^|[ 0-9]){re.escape(word)}( |$)", each) for each in meant)
