"""The map as one HTML page that needs nothing else: overview, places, warnings. Light, dark and on paper."""

from __future__ import annotations

from typing import Final

from engine.backtest.markup import STYLE as PAGE_STYLE
from engine.backtest.markup import Raw, Right, Wide, table, text, tiles
from engine.language.lengths import write_area
from engine.language.problems import Problem
from engine.place_map.drawing import STYLE, Pictures, colour
from engine.place_map.facts import Facts, PlaceFacts

_HEAD: Final = (
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)
_OWN: Final = """
.key{display:inline-block;width:.8rem;height:.8rem;border-radius:50%;background:var(--c)}
.places{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,28rem),1fr));gap:1rem;
align-items:start}
.place{border:1px solid var(--line);border-radius:.5rem;padding:.7rem;background:var(--card);
break-inside:avoid}
.place h3{margin:0 0 .3rem}.place:target,li:target{outline:2px solid var(--bar)}
ul.found{padding-left:1.2rem;margin:.4rem 0}ul.found li{margin:.25rem 0}
.none{display:grid;place-items:center;min-height:8rem;color:var(--soft);border:1px dashed var(--line);
border-radius:.4rem}
.regions{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:.7rem;
margin-top:.7rem;align-items:start}
td.wrap{min-width:8rem}.where{font-size:.8rem}
code{font-size:.9em}
@media print{body{max-width:none;padding:0;font-size:11px}.scroll{overflow:visible}a{color:inherit}
svg.map{page-break-inside:avoid}}
"""


def page(facts: Facts, title: str) -> str:
    """Return the page. The same facts give the same page."""
    numbers = {id(problem): number for number, problem in enumerate(facts.problems, 1)}
    pictures = Pictures(facts)
    main, *others = pictures.regions() or [""]
    whole = main + (f'<div class="regions">{"".join(others)}</div>' if others else "")
    said = (
        "North is up. Filled: what the cells of a place cover, and the place where it is drawn. Dashed: "
        "cells that reach into a place and are not of it. Grey dots: cells of no place. Places far from the "
        "others have pictures of their own. Point at a cell to read what it is."
    )
    places = "".join(_place(number, pictures, numbers) for number in range(len(facts.places)))
    parts = [
        f"<h1>Places</h1><p class=soft>{text(title)}: places and cells, as they stand in the catalogue</p>",
        tiles(_figures(facts)),
        whole or '<p class="none">No place is on the map: the cells table has none of their cells.</p>',
        f"<p class=soft>{said}</p>" if whole else "",
        "<h2>All places</h2>" + _table(facts),
        _warnings(facts, numbers),
        "<h2>One by one</h2>",
        f'<div class="places">{places}</div>',
    ]
    body = "\n".join(part for part in parts if part)
    return (
        f'<!doctype html>\n<html lang="en"><head>{_HEAD}<title>touchpoint places</title>'
        f"<style>{PAGE_STYLE}{STYLE}{_OWN}</style></head>\n<body>\n{body}\n</body></html>\n"
    )


def _figures(facts: Facts) -> list[tuple[str, object]]:
    drawn = sum(place.sketch is not None for place in facts.places)
    errors = sum(problem.severity == "error" for problem in facts.problems)
    return [
        ("places", len(facts.places)),
        ("drawn on the map", drawn),
        ("cells in the table", len(facts.table)),
        ("of them with a position", len(facts.table.cells)),
        ("errors", errors),
        ("warnings", len(facts.problems) - errors),
    ]


def _table(facts: Facts) -> str:
    head = ["", "place", "name", "by", "mode", "cells", "on the map", "area", "of its cells outside", "rules",
            "problems"]  # fmt: skip
    rows = [
        [
            Raw(f'<span class="map"><span class="key {colour(number)}"></span></span>'),
            Raw(f'<a href="#p{number}">{text(place.key)}</a>'),
            place.name,
            place.by,
            place.mode,
            len(place.cells),
            len(place.placed),
            Right("" if place.square is None else write_area(place.square)),
            Right("" if place.outside is None else f"{place.outside:.0%}"),
            Wide(_rules(place, facts)),
            len(place.problems) or None,
        ]
        for number, place in enumerate(facts.places)
    ]
    return table(head, rows)


def _warnings(facts: Facts, numbers: dict[int, int]) -> str:
    if not facts.problems:
        return "<h2>Problems</h2><p class=soft>none</p>"
    items = "".join(f'<li id="w{numbers[id(one)]}">{_said(one)}</li>' for one in facts.problems)
    return f'<h2>Problems</h2><ul class="found">{items}</ul>'


def _words(said: str) -> str:
    """Return a message as markup: what stands between backticks is code."""
    parts = text(said).split("`")
    return "".join(f"<code>{part}</code>" if at % 2 else part for at, part in enumerate(parts))


def _said(problem: Problem) -> str:
    hint = f"<br><span class=soft>{_words(problem.hint)}</span>" if problem.hint else ""
    sort = "loss" if problem.severity == "error" else "warn"
    where = f"{problem.path}:{problem.line}:{problem.col}"
    return (
        f'<span class="{sort}">{problem.severity} {problem.code}</span> {_words(problem.message)} '
        f'<code class="soft where">{text(where)}</code>{hint}'
    )


def _place(number: int, pictures: Pictures, numbers: dict[int, int]) -> str:
    place = pictures.facts.places[number]
    picture = pictures.close_up(number) or '<p class="none">none of its cells has a position</p>'
    links = "".join(
        f'<li><a href="#w{numbers[id(one)]}">{one.code}</a> {_words(one.message)}</li>'
        for one in place.problems
    )
    found = f'<ul class="found">{links}</ul>' if links else ""
    return (
        f'<section class="place" id="p{number}"><h3><span class="map"><span class="key {colour(number)}">'
        f"</span></span> {text(place.key)} <span class=soft>{text(place.name)}</span></h3>"
        f"{picture}<p>{text(_sentence(place, pictures.facts))}</p>{found}</section>"
    )


def _rules(place: PlaceFacts, facts: Facts) -> str:
    if place.rules is None:
        return facts.unread
    return ", ".join(place.rules) or ("none" if facts.complete else f"none of {facts.unread}")


def _sentence(place: PlaceFacts, facts: Facts) -> str:
    by = f"By {place.by}" + (f", {place.mode}" if place.mode is not None else "")
    said = [f"{by}: {len(place.cells):,} cells, {len(place.placed):,} with a position."]
    if place.square is not None:
        share = "" if place.outside is None else f"; {place.outside:.0%} of what its cells cover lies outside"
        said.append(f"It covers {write_area(place.square)}{share}.")
    if place.groups:
        said.append(f"In {', '.join(place.groups)}.")
    said.append(f"Rules: {_rules(place, facts)}.")
    return " ".join(said)
