"""The feeds file: what it says, and every mistake in it with its place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from connectors.door import COMMON, House
from connectors.doors import DOORS
from connectors.landing_door import LandingOptions
from engine.deployment.feeds.build import live_of, load_tables
from engine.deployment.feeds.model import FeedOptions, Feeds
from engine.deployment.feeds.read import load_feeds, read_feeds
from engine.deployment.feeds.tables import TABLES, Table
from engine.errors import InputError
from engine.event import Event
from engine.identity import Identity
from engine.options import REQUIRED, Duration, Options, YesNo, expected_of, option
from engine.treatments.registry import TREATMENTS, Around, Treatment

MINUTE = 60_000_000


class KeepOptions(Options):
    """Of a treatment of the tests."""

    within: Duration = option(REQUIRED, "a length of time up to 1h, such as 10m", "m", le=60 * MINUTE)
    loud: YesNo = option(False, "`yes` or `no`", "m")


class Step:
    """Does nothing but say how it was made."""

    def __init__(self, name: str, *made_of: Any) -> None:
        self.name = name
        self.made_of = made_of
        self.counts: Counter[str] = Counter()

    def take(self, event: Event) -> Sequence[Event]:
        return (event,)

    def pass_time(self, watermark: int) -> Sequence[Event]:
        return ()

    def pack(self) -> Any:
        return None

    def restore(self, packed: Any) -> None:
        """Nothing is kept."""


def load(path: Path) -> str:
    raise InputError(f"{path}:3", "a cell", "none")


KNOWN: dict[str, Treatment[Any]] = {
    "first": Treatment("One.", KeepOptions, lambda o, around: Step("first", o, around.disorder)),
    "second": Treatment("Two.", Options, lambda o, around: Step("second", around.tables), ("cells",)),
}
TABLE = {"cells": Table("Cells.", lambda path: path.read_text())}


def read(text: str, path: str = "in/feeds.yaml") -> Feeds:
    return read_feeds(path, text, treatments=KNOWN, tables=TABLE)


def said(text: str) -> list[str]:
    """The problems, without the name of the file, hints behind a bar."""
    return [
        str(found).removeprefix("in/feeds.yaml:") + (f" | {found.hint}" if found.hint else "")
        for found in read(text).problems
    ]


GOOD = """
tables: {cells: cells.csv}
feeds:
  s1mme:
    say: the north
    door: landing
    folder: s1mme
    map: maps/x.yaml
    kinds: [loc.update, loc.sight]
    disorder: 1m30s
    idle: 0s
    stable: 10s
    treatments:
      second: {}
      first: {within: 10m, loud: yes}
  bss:
    door: topic
    topic: bss.events
"""


def test_a_file_without_mistakes(tmp_path: Path) -> None:
    feeds = read(GOOD, str(tmp_path / "feeds.yaml"))
    assert feeds.problems == ()
    assert list(feeds.feeds) == ["s1mme", "bss"]
    one, two = feeds.feeds.values()
    assert isinstance(one.options, LandingOptions)
    assert one.options.folder == tmp_path / "s1mme"
    assert one.options.choice.stable == 10.0
    assert one.map == str(tmp_path / "maps/x.yaml")
    assert one.common.kinds == {"loc.update", "loc.sight"}
    assert (one.disorder, one.idle) == (90_000_000, 0)
    # defaults are those of the door, as with the settings that name one feed each
    assert (two.disorder, two.idle, two.map) == (0, 5 * MINUTE, "")
    assert (DOORS["landing"].disorder, DOORS["landing"].idle) == (5 * MINUTE, 30 * MINUTE)


def test_treatments_run_in_the_order_of_their_table(tmp_path: Path) -> None:
    (tmp_path / "cells.csv").write_text("460-00-1-1")
    feeds = read(GOOD.replace("map: maps/x.yaml", "map: gn-unicom-2015"), str(tmp_path / "feeds.yaml"))
    tables = load_tables(feeds.tables)
    live = live_of(feeds.feeds["s1mme"], House(), Around(Identity(b"k"), tables=tables))
    assert live.chain is not None
    first, second = live.chain.steps
    assert isinstance(first, Step)
    assert isinstance(second, Step)
    assert first.made_of == (KeepOptions(within=10 * MINUTE, loud=True), 90_000_000)
    assert second.made_of == ({"cells": "460-00-1-1"},)
    assert (live.disorder, live.idle_seconds) == (90_000_000, 0.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1:1: expected a mapping of feeds, was nothing"]),
        ("- a", ["1:1: expected the keys `feeds`, `tables`, was a list"]),
        ("feeds:", ["1:7: `feeds`: expected a mapping of feeds by name, was nothing"]),
        (
            "feed: {}",
            [
                "1:1: `feeds`: expected a mapping of feeds, was not given",
                "1:1: expected `feeds`, `tables`, was `feed` | did you mean `feeds`?",
            ],
        ),
        ("feeds: {Aa: {door: landing, folder: x}}", [
            "1:9: expected a name of 1 to 40 of the characters a-z 0-9 _ -, a letter first, was `Aa`"
        ]),
        ("feeds: {a: {}}", ["1:12: `door`: expected one of DOORS for `a`, was not given"]),
        ("feeds: {a: [x]}", ["1:12: `a`: expected the keys of a feed, was a list"]),
        ("feeds: {a: {door: landin}}", [
            "1:19: `door`: expected one of DOORS, was `landin` | did you mean `landing`?"
        ]),
        ("feeds: {a: {door: landing, foldr: x}}", [
            "1:28: `folder`: expected a folder, was not given",
            "1:28: expected a key of the door `landing`, was `foldr` | did you mean `folder`?",
        ]),
        ("feeds: {a: {door: landing, folder: x, disordr: 5m}}", [
            "1:39: expected a key of the door `landing`, was `disordr` | did you mean `disorder`?",
        ]),
        ("feeds: {a: {door: landing, folder: x, disorder: 5}}", [
            "1:49: `disorder`: expected a length of time from 0s to 24h, such as 5m, was `5`"
            " | did you mean `5m`?",
        ]),
        ("feeds: {a: {door: landing, folder: x, idle: 2d}}", [
            "1:45: `idle`: expected a length of time from 0s to 24h, such as 30m, was `2d`",
        ]),
        ("feeds: {a: {door: landing, folder: x, kinds: loc.update}}", [
            "1:46: `kinds`: expected a list of kinds of records, was `loc.update`",
        ]),
        ("feeds: {a: {door: landing, folder: x, kinds: [loc.upate]}}", [
            "1:46: `kinds`: expected kinds of the network or of business, was `loc.upate`"
            " | did you mean `loc.update`?",
        ]),
        ("feeds: {a: {door: landing, folder: x, kinds: [tick]}}", [
            "1:46: `kinds`: expected kinds of the network or of business, was `tick`",
        ]),
        ("feeds: {a: {door: landing, folder: x, sequence: '(['}}", [
            "1:28: expected `sequence` to be a regular expression, was none: "
            "unterminated character set at position 1",
        ]),
        ("feeds: {a: {door: landing, folder: x, sequence: '[0-9]+'}}", [
            "1:28: expected `sequence` with one group named `seq` or `time`, was neither",
        ]),
        ("feeds: {a: {door: landing, folder: x, sequence: '(?P<time>[0-9]+)'}}", [
            "1:28: expected `every` with `(?P<time>...)` in `sequence`, and only there, was not given",
        ]),
        ("feeds: {a: {door: amf, listen: '0.0.0.0:1', unauthenticated: yes, map: x.yaml}}", [
            "1:72: `map`: expected none, for the door `amf` takes none, was `x.yaml`",
        ]),
        ("feeds: {a: {door: topic, topic: a b}}", [
            "1:33: `topic`: expected the name of a topic (1 to 249 of the characters a-z A-Z 0-9 . _ -), "
            "was `a b`",
        ]),
        ("feeds: {a: {door: topic, topic: t, treatments: [first]}}", [
            "1:48: `treatments`: expected treatments with their settings, was a list"
            " | write each as `NAME: {}`, settings in the braces",
        ]),
        ("feeds: {a: {door: topic, topic: t, treatments: {frist: {}}}}", [
            "1:49: expected the name of a treatment, was `frist` | did you mean `first`?",
        ]),
        ("feeds: {a: {door: topic, topic: t, treatments: {first: {within: 2h, loud: maybe}}}}", [
            "1:65: `within`: expected a length of time up to 1h, such as 10m, was `2h`",
            "1:75: `loud`: expected `yes` or `no`, was `maybe`",
        ]),
        ("feeds: {a: {door: topic, topic: t, treatments: {first: }}}", [
            "1:56: `within`: expected a length of time up to 1h, such as 10m, was not given",
        ]),
        ("feeds: {a: {door: topic, topic: t, treatments: {second: {}}}}", [
            "1:49: `second`: expected the table `cells`, which it needs, was not given"
            " | add `tables: {cells: FILE}` at the top of the file",
        ]),
        ("feeds: {a: {door: topic, topic: t}}\ntables: {cels: x}", [
            "2:10: expected the name of a table, was `cels` | did you mean `cells`?",
        ]),
        ("feeds: {a: {door: topic, topic: t}, a: {door: topic, topic: u}}", [
            "1:37: `a` is given twice; first at line 1 [R002]",
        ]),
        ("feeds: {a: {door: &x topic, topic: t}}", [
            "1:19: `&x`: anchors are not part of this language [R003]"
            " | delete it; text that starts with `&` must be quoted",
        ]),
    ],
)  # fmt: skip
def test_every_mistake_has_its_place(text: str, expected: list[str]) -> None:
    doors = ", ".join(f"`{name}`" for name in DOORS)
    assert said(text) == [line.replace("DOORS", doors) for line in expected]


def test_no_mistake_hides_another() -> None:
    text = (
        "feeds:\n  a: {door: landing}\n  b: {door: topi}\n  c: {door: topic, topic: t, idle: x}\nother: 1\n"
    )
    assert [line.partition(":")[0] for line in said(text)] == ["2", "3", "4", "5"]


def test_a_file_that_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a feeds file that can be read"):
        load_feeds(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"feeds: \xe9")
    with pytest.raises(InputError, match="text in UTF-8"):
        load_feeds(tmp_path / "latin.yaml")


# -- the registries --------------------------------------------------------------------------------------


def test_no_door_names_an_option_like_a_key_of_every_feed() -> None:
    assert {*FeedOptions.model_fields, "treatments"} == COMMON
    for door in DOORS.values():
        assert not COMMON & set(door.options.model_fields)


@pytest.mark.parametrize("name", [*DOORS, *TREATMENTS, "feed"])
def test_every_key_says_what_it_is_and_what_is_expected(name: str) -> None:
    entry = DOORS.get(name) or TREATMENTS.get(name)
    options = FeedOptions if entry is None else entry.options
    assert entry is None or entry.say.endswith(".")
    for field in options.model_fields.values():
        assert field.description
        assert expected_of(field)


@pytest.mark.parametrize("name", TREATMENTS or ["none"])
def test_a_step_is_named_as_its_treatment_is_asked_for(name: str) -> None:
    treatment = TREATMENTS.get(name)
    if treatment is None:
        assert not TREATMENTS
        return
    assert set(treatment.tables) <= set(TABLES)
    if (
        all(not field.is_required() for field in treatment.options.model_fields.values())
        and not treatment.tables
    ):
        assert treatment.make(treatment.options(), Around(Identity(b"k"))).name == name
