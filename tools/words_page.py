"""Write `docs/rules/words.md`, the reference of every word, from the tables by which the language is read.

    python -m tools.words_page

A test holds the committed page against `page()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from engine.event_kinds import KINDS, FieldDef
from engine.language.checks.channels import CHANNELS
from engine.language.checks.events import EVENTS, event_fields, measures
from engine.language.checks.verbs import COMPANIONS
from engine.language.describe import KEYS, WORDS
from engine.language.suggest import LISTED_AT_MOST
from engine.language.words import DAYS, UNITS
from engine.settings import CHECKOUT

PAGE: Final = CHECKOUT / "docs" / "rules" / "words.md"
HEAD: Final = """# Every word of the language

This page is generated (`python -m tools.words_page`) from the tables by which rules are read: change those,
not the page. The [reference](reference.md) explains how the words work together, with examples.
"""


def page() -> str:
    """Return the whole page."""
    return "\n".join([HEAD, *_patterns(), *_keys(), *_words(), *_units(), *_events()])


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for row in rows:
        cells = [cell.replace("|", "\\|") for cell in row]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _listed(values: tuple[str, ...]) -> str:
    return f": {_code(values)}" if 0 < len(values) <= LISTED_AT_MOST else ""


def _code(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in names)


def _patterns() -> list[str]:
    rows = [(f"`{verb}`", _code(must), _code(may)) for verb, (must, may) in COMPANIONS.items()]
    return [
        "## Patterns",
        "",
        *_table(("a pattern opens with", "beside it stand", "beside it may stand"), rows),
    ]


def _keys() -> list[str]:
    lines = ["## Keys", ""]
    for section, keys in KEYS.items():
        rows = [(f"`{key}`", said) for key, said in keys.items()]
        lines += [f"### {section}", "", *_table(("key", "says"), rows)]
    rows = [(f"`{channel}`", _code(keys)) for channel, keys in CHANNELS.items()]
    return [*lines, "### Keys of a message, by channel", "", *_table(("channel", "must have"), rows)]


def _words() -> list[str]:
    lines = ["## Closed lists of words", ""]
    for name, words in WORDS.items():
        lines += [f"### {name}", "", *_table(("word", "means"), [(f"`{w}`", s) for w, s in words.items()])]
    return [*lines, "### day", "", _code(DAYS), ""]


def _units() -> list[str]:
    rows = [(kind, _code(units)) for kind, units in UNITS.items()]
    return ["## Units", "", *_table(("type", "units"), [*rows, ("duration", _code("dhms"))])]


def _events() -> list[str]:
    lines = ["## Events and their fields", "", "Fields that every event has stand first.", ""]
    shared = {name for name in event_fields(EVENTS[0]) if all(name in event_fields(e) for e in EVENTS)}
    first = event_fields(EVENTS[0])
    lines += ["### all", "", *_fields([first[name] for name in first if name in shared])]
    for event in EVENTS:
        own = [field for name, field in event_fields(event).items() if name not in shared]
        sums = _code(f"{event}.{name}" for name in measures(event))
        lines += [f"### {event}", "", f"{KINDS[event].say}.", ""]
        lines += [*_fields(own)] if own else []
        lines += [f"For `total`: {sums}", ""] if sums else []
    return lines


def _fields(fields: Iterable[FieldDef]) -> list[str]:
    rows = [(f"`{f.name}`", f.type, f.say + _listed(f.values)) for f in fields]
    return _table(("field", "type", "is"), rows)


if __name__ == "__main__":
    main()
