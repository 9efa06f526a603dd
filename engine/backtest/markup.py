"""Pieces of the page: escaped text, tables, bars as inline SVG. No script, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

Cell = object
"""A number, a text (`Right`, `Wide`, `Raw` are such), None for an empty cell."""

STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2330;--soft:#667085;--line:#d9dee8;--paper:#fff;--card:#f6f8fb;
--bar:#2f6fde;--gain:#16805a;--loss:#c2372b;--warn:#a15c00}
@media (prefers-color-scheme:dark){:root{--ink:#e6eaf2;--soft:#98a2b3;--line:#343c4a;--paper:#12161d;
--card:#1a2029;--bar:#6ea0ff;--gain:#45c28f;--loss:#ff7b6e;--warn:#f0b35a}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:80rem;background:var(--paper);color:var(--ink);
font:15px/1.45 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif}
h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.8rem 0 .5rem}
h3{font-size:1rem;margin:1rem 0 .3rem}
p{margin:.3rem 0}.soft{color:var(--soft)}.warn{color:var(--warn)}
.gain{color:var(--gain)}.loss{color:var(--loss)}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th,td{white-space:nowrap}td.wrap{white-space:normal;min-width:16rem}
td:first-child,th:first-child{position:sticky;left:0;background:var(--paper)}
th{font-weight:600;color:var(--soft)}.n{text-align:right}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.6rem;margin:.8rem 0}
.tile{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.5rem .7rem}
.tile b{display:block;font-size:1.25rem}
details{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.5rem .7rem}
details{--paper:var(--card);margin:.6rem 0}
summary{cursor:pointer;font-weight:600;overflow-wrap:anywhere}svg{display:block}
svg.bar{width:9rem;height:.7rem}svg.bars{width:100%;max-width:44rem}rect{fill:var(--bar)}
svg text{fill:var(--soft);font-size:9px}code{overflow-wrap:anywhere}
"""


class Raw(str):
    """Markup that is ready."""

    __slots__ = ()


class Right(str):
    """A text that stands to the right, such as an amount."""

    __slots__ = ()


class Wide(str):
    """A text that may take several lines."""

    __slots__ = ()


def text(value: object) -> str:
    """Return a value as markup; whole numbers with separators."""
    if isinstance(value, Raw):
        return value
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return escape(str(value))


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a table that scrolls sideways where it is too wide; numbers stand to the right."""
    lines = [list(row) for row in rows]
    right = [any(isinstance(row[at], int | float | Right) for row in lines) for at in range(len(head))]
    heads = "".join(_cell("th", name, side) for name, side in zip(head, right, strict=True))
    body = "".join(
        "<tr>" + "".join(_cell("td", cell, side) for cell, side in zip(row, right, strict=True)) + "</tr>"
        for row in lines
    )
    return f'<div class="scroll"><table><tr>{heads}</tr>{body}</table></div>'


def _cell(tag: str, value: Cell, right: bool) -> str:
    name = "n" if right else "wrap" if isinstance(value, Wide) else ""
    return f'<{tag} class="{name}">{text(value)}</{tag}>' if name else f"<{tag}>{text(value)}</{tag}>"


def tiles(pairs: Iterable[tuple[str, object]]) -> str:
    """Return figures with what they are."""
    inner = "".join(
        f'<div class="tile"><b>{text(value)}</b><span class="soft">{text(name)}</span></div>'
        for name, value in pairs
    )
    return f'<div class="tiles">{inner}</div>'


def bar(value: float, most: float) -> Raw:
    """Return one bar of a list, the longest of `most`."""
    wide = 100 * value / most if most else 0
    return Raw(
        f'<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{wide:.2f}" height="8"/></svg>'
    )


def bars(values: Sequence[int], label: str) -> str:
    """Return the 24 hours of a day as upright bars with their numbers."""
    most = max(values, default=0) or 1
    parts = []
    for hour, value in enumerate(values):
        high = 80 * value / most
        parts.append(f'<rect x="{hour * 20 + 2}" y="{92 - high:.2f}" width="16" height="{high:.2f}"/>')
        parts.append(f'<text x="{hour * 20 + 10}" y="104" text-anchor="middle">{hour:02}</text>')
        if value:
            parts.append(
                f'<text x="{hour * 20 + 10}" y="{90 - high:.2f}" text-anchor="middle">{value:,}</text>'
            )
    head = f'<svg class="bars" viewBox="0 0 480 108" role="img" aria-label="{text(label)}">'
    return f"{head}{''.join(parts)}</svg>"


def fold(head: object, inner: str, opened: bool = False) -> str:
    """Return a part that can be opened."""
    return f"<details{' open' if opened else ''}><summary>{text(head)}</summary>{inner}</details>"
