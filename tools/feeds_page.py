"""Write the tables of `docs/doors/feeds.md` from the registries of doors, treatments and tables.

    python -m tools.feeds_page

The text of the page is written by hand; what stands between `<!-- table: NAME -->` and `<!-- end -->` is made
of what the options say. A test holds the committed page against `page()`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from pydantic.fields import FieldInfo

from connectors.doors import DOORS
from engine.deployment.feeds.model import FeedOptions
from engine.deployment.feeds.tables import TABLES
from engine.language.words import write_duration
from engine.options import Options, expected_of
from engine.settings import CHECKOUT
from engine.treatments.registry import TREATMENTS

PAGE: Final = CHECKOUT / "docs" / "doors" / "feeds.md"
COLUMNS: Final = "| key | default | what is expected | meaning |\n|---|---|---|---|\n"
TREATMENTS_ROW: Final = (
    "| `treatments` | none | names of treatments, each with its settings: `NAME: {SETTING: VALUE}` "
    "| What is done to the records of the feed, see above. |\n"
)
_PART = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def page() -> str:
    """Return the whole page."""
    text = PAGE.read_text(encoding="utf-8")
    return _PART.sub(lambda found: found[1] + TABLES_OF[found[2]]() + found[3], text)


def _feed() -> str:
    return COLUMNS + "".join(_rows(FeedOptions)) + TREATMENTS_ROW


def _doors() -> str:
    parts = []
    for name, door in DOORS.items():
        silent = f"`idle` {write_duration(door.idle)}" if door.idle else "never silent"
        head = f"### `{name}`\n{door.say} Defaults: `disorder` {_length(door.disorder)}, {silent}"
        takes = "needs a" if door.needs_map else "takes a" if door.load_map else "takes no"
        parts.append(f"{head}; {takes} `map`.\n\n{COLUMNS}{''.join(_rows(door.options))}")
    return "\n".join(parts)


def _treatments() -> str:
    parts = []
    for name, treatment in TREATMENTS.items():
        needs = "".join(f" Needs the table `{table}`." for table in treatment.tables)
        rows = "".join(_rows(treatment.options))
        say = treatment.say[0].upper() + treatment.say[1:].rstrip(".")
        settings = f"\n{COLUMNS}{rows}" if rows else "\nNo settings: `{}`.\n"
        parts.append(f"### `{name}`\n{say}.{needs}\n{settings}")
    return "\n".join(parts)


def _tables() -> str:
    rows = "".join(f"| `{name}` | {table.say} |\n" for name, table in TABLES.items())
    return f"| name | what it holds |\n|---|---|\n{rows}" if rows else ""


TABLES_OF: Final[dict[str, Callable[[], str]]] = {
    "feed": _feed,
    "doors": _doors,
    "treatments": _treatments,
    "tables": _tables,
}


def _rows(options: type[Options]) -> Iterator[str]:
    for name, field in options.model_fields.items():
        if name == "door" or field.is_required():
            default = "required"
        else:
            default = _shown(field, field.get_default(call_default_factory=True))
        cells = (f"`{name}`", default, expected_of(field), field.description or "")
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _shown(field: FieldInfo, value: Any) -> str:
    """Write a default as an author would."""
    if value is None and field.annotation != FeedOptions.model_fields["disorder"].annotation:
        return "none"
    if value is None:
        return "that of the door"
    if isinstance(value, bool):
        return "`yes`" if value else "`no`"
    if isinstance(value, int) and "length of time" in expected_of(field):
        return f"`{_length(value)}`"
    if isinstance(value, str | int | float):
        return f"`{value}`" if value != "" else "none"
    if isinstance(value, tuple | list | set | frozenset):
        return ", ".join(f"`{each}`" for each in value) or "none"
    return "none" if value == {} else "see its own keys"


def _length(micros: int) -> str:
    return write_duration(micros) if micros else "0s"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
