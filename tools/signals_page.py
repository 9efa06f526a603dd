"""Write the part of `docs/signals.md` that says what each treatment does, from the treatments themselves.

    python -m tools.signals_page

Sentences are those of the module that does it, settings those of its options. A test holds the committed
page against `page()`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, Final

from pydantic.fields import FieldInfo

from engine.language.words import write_duration
from engine.options import Options, expected_of
from engine.settings import CHECKOUT
from engine.treatments import flags, ping_pong_repeat
from engine.treatments.registry import TREATMENTS

PAGE: Final = CHECKOUT / "docs" / "signals.md"
BEGIN: Final = "<!-- from here on generated: python -m tools.signals_page -->"
END: Final = "<!-- up to here -->"
_MODULE: Final = re.compile(r"`engine\.treatments\.(\w+)`")


def page(text: str) -> str:
    """Return the page with its generated part anew; `text`: the page as it is."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    parts = "\n".join(_parts())
    return f"{before}{BEGIN}\n\n{parts}\n{END}{after}"


def settings_of(options: type[Options]) -> list[str]:
    """Return the table of a treatment's settings, line by line; empty: it has none."""
    if not options.model_fields:
        return []
    head = ["| setting | default | what is expected | meaning |", "|---|---|---|---|"]
    return head + [
        f"| `{name}` | {_default(field)} | {expected_of(field)} | {field.description} |"
        for name, field in sorted(options.model_fields.items(), key=lambda entry: entry[0] in _OF_MEMORY)
    ]


_MORE: Final[Mapping[str, tuple[ModuleType, ...]]] = {"ping_pong": (ping_pong_repeat,)}
"""Modules of a treatment besides the one that has its name."""
_OF_MEMORY: Final = ("subscribers", "checkpointed")
"""Settings that several treatments have: they stand last."""


def _parts() -> Iterable[str]:
    yield "## What is not believed\n"
    yield _prose(flags.__doc__ or "")
    for name, treatment in TREATMENTS.items():
        yield f"## `{name}`\n"
        yield f"{treatment.say}\n"
        yield _prose(import_module(f"engine.treatments.{name}").__doc__ or "")
        for module in _MORE.get(name, ()):
            doc = module.__doc__ or ""
            yield f"### {doc.splitlines()[0].rstrip('.')}\n"
            yield _prose(doc)
        lines = settings_of(treatment.options)
        yield "\n".join(lines) + "\n" if lines else "It has no settings.\n"


def _prose(doc: str) -> str:
    """Return a module's docstring as Markdown: without its first line, numbered sentences as a list."""
    _, _, rest = doc.partition("\n\n")
    lines = []
    for paragraph in rest.strip("\n").split("\n\n"):
        items = re.split(r"\n(?=    \d+\. )", paragraph)
        lines.append("\n".join(" ".join(item.split()) for item in items))
    return _MODULE.sub(r"`\1.py`", "\n\n".join(lines)) + "\n"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "none, has to be given"
    value: Any = field.default
    if value is None or value in (frozenset(), ()):
        return "none"
    if isinstance(value, bool):
        return "`yes`" if value else "`no`"
    if isinstance(value, frozenset | tuple):
        return "`[" + ", ".join(sorted(value)) + "]`"
    if "length of time" in expected_of(field):
        return f"`{write_duration(value)}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
