"""`touchpoint places check`: places against the network's cells and each other, and a map of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from engine.cli.console import note, say, say_json, table, unwritable
from engine.errors import InputError
from engine.language.folders import read_folder
from engine.language.lengths import write_area
from engine.language.loader import load_dir
from engine.place_map.drawing import Pictures
from engine.place_map.facts import Facts, facts_of
from engine.place_map.page import page
from engine.settings import load_settings

PICTURE, PAGE = ".svg", ".html"


def check_command(
    rules: Annotated[
        Path, typer.Argument(metavar="[RULES]", help="Folder of rules, policy and catalogue. Default: rules.")
    ] = Path("rules"),
    catalog: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder with policy.yaml and catalog/; else RULES itself, or the nearest folder above it.",
        ),
    ] = None,
    map_: Annotated[
        Path | None,
        typer.Option("--map", metavar="OUT", help="Draw a map: OUT.html, or only the picture: OUT.svg."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 on warnings too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Places and problems as JSON.")] = False,
) -> None:
    """Hold the places of a set against the cells table, each other and the rules, and draw a map of them.

    Warns of places that are smaller than their cells or have none, of cells that the table does not have or
    that lie far off, of odd sites, of places that share cells, and of places that no rule uses. `touchpoint
    check` tells those of them that are most likely a mistake. The map is one file without script that needs
    no network.

    Exit code 0: no error (with --strict: no problem at all); 1: there is one; 2: RULES is not there.
    """
    if map_ is not None and map_.suffix not in (PICTURE, PAGE):
        raise InputError("--map", f"a file {PAGE} or {PICTURE}", str(map_))
    folder = read_folder(rules, catalog)
    path = next((each for each in folder.texts if each in _NAMES), _NAMES[0])
    loaded = load_dir(rules, catalog=catalog, home_cc=load_settings().home_cc, places=True)
    facts = facts_of(loaded, folder.shown[path], folder.texts.get(path, ""))
    if map_ is not None:
        _draw(facts, map_, str(rules))
    errors = sum(problem.severity == "error" for problem in facts.problems)
    if as_json:
        say_json(facts.to_json())
    else:
        _show(facts)
    if errors or (strict and facts.problems):
        raise typer.Exit(1)


_NAMES = ("catalog/places.yaml", "catalog/places.yml")


def _draw(facts: Facts, out: Path, title: str) -> None:
    if out.suffix == PAGE:
        text = page(facts, title)
    else:
        regions = Pictures(facts).regions(900, legend=True, alone=True)
        text = regions[0] + "\n" if regions else ""
        if len(regions) > 1:
            note(f"the picture shows one of {len(regions)} regions far from each other; {PAGE} shows all")
    if not text:
        raise InputError("--map", "places whose cells have a position", "none: there is nothing to draw")
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unwritable(out, "a file", error) from None
    note(f"{out} written")


def _show(facts: Facts) -> None:
    rows = [
        (
            place.key,
            place.by,
            place.mode or "-",
            len(place.cells),
            len(place.placed),
            "-" if place.square is None else write_area(place.square),
            "-" if place.outside is None else f"{place.outside:.0%}",
            "-" if place.rules is None else len(place.rules),
        )
        for place in facts.places
    ]
    if rows:
        table(("place", "by", "mode", "cells", "on the map", "area", "outside", "rules"), rows)
        say()
    for problem in facts.problems:
        say(problem.pretty())
        say()
    said = "1 problem" if len(facts.problems) == 1 else f"{len(facts.problems):,} problems"
    places = "1 place" if len(facts.places) == 1 else f"{len(facts.places):,} places"
    rules = f"; rules: {facts.unread}" if facts.places and facts.unread else ""
    say(f"{places}, {len(facts.table):,} cells in the table, {said}{rules}")
