"""A feed of the file -> a live source of the collector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from connectors.door import House
from engine.collector import Live
from engine.deployment.feeds.model import Feed, Feeds, TableFile
from engine.treatments.registry import Around, chain_of, edge_of


def map_of(feed: Feed) -> Any:
    """Load the map of a feed, None if it has none; raise InputError for one that is wrong."""
    if not feed.map or feed.door.load_map is None:
        return None
    return feed.door.load_map(feed.map)


def live_of(feed: Feed, house: House, around: Around) -> Live:
    """Make a source and its steps; nothing is opened. Raise InputError for a wrong map.

    `around`: as it is for all feeds.
    """
    source = feed.door.make(feed.name, feed.options, map_of(feed), house)
    around = replace(around, disorder=feed.disorder)
    chain = chain_of(feed.treatments.values(), around) if feed.treatments else None
    edge = None if chain is None else edge_of(chain)
    return Live(
        source,
        feed.common.kinds,
        feed.disorder,
        feed.idle / 1_000_000,
        is_told=True,
        chain=chain,
        edge=edge,
    )


def lives_of(feeds: Feeds, house: House, around: Around) -> list[Live]:
    """Make the sources of a feeds file that has no mistakes."""
    around = replace(around, tables=load_tables(feeds.tables))
    house = replace(house, feeds=max(len(feeds.feeds), 1))
    return [live_of(feed, house, around) for feed in feeds.feeds.values()]


def load_tables(files: Mapping[str, TableFile]) -> dict[str, Any]:
    """Load the tables of a feeds file; raise InputError for one that is wrong."""
    return {name: file.table.load(file.path) for name, file in files.items()}
