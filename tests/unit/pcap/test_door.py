"""Captures through the doors: a landing directory that is interrupted anywhere, replay, the command."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from connectors.door import House
from connectors.doors import DOORS
from connectors.pcap import library
from connectors.pcap.door import PcapOptions, make
from connectors.pcap.records import read_capture
from engine.cli.inputs import Feed, lines_in
from engine.cli.main import app
from engine.errors import InputError
from engine.event import Event
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import Refusal
from engine.settings import load_settings
from tests.unit.pcap.packets import pcap
from tests.unit.pcap.world import ANNA, KEY, made

KEYS = {"TOUCHPOINT_KEY": "k" * 32, "TOUCHPOINT_SALT": "s" * 32}


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """The capture made up, alone in a folder."""
    path = tmp_path / "in" / "lab.pcap"
    path.parent.mkdir()
    path.write_bytes(pcap(made()))
    return path


def told(events: list[Event]) -> list[tuple[Any, ...]]:
    """What tells events apart."""
    return [(event.id, event.kind, event.t, event.key, event.position) for event in events]


def at_once(path: Path) -> tuple[list[tuple[Any, ...]], list[Refusal]]:
    """Read a capture in one go."""
    refusals: list[Refusal] = []
    return told(list(read_capture(path, Intake(Identity(KEY), on_refused=refusals.append)))), refusals


@pytest.mark.parametrize("step", [1, 3, 7, 1_000])
def test_a_landing_directory_that_starts_anew_after_each_step(capture: Path, step: int) -> None:
    whole, refused = at_once(capture)
    refusals: list[Refusal] = []

    async def run() -> list[Event]:
        events: list[Event] = []
        position = None
        while True:
            source = make("lab", PcapOptions(folder=capture.parent, stable=0), None, House())
            await source.open(position, Intake(Identity(KEY), on_refused=refusals.append))
            found = await source.read(step)
            if found is None:
                return events
            events += found
            position = orjson.loads(orjson.dumps(source.position))
            await source.committed()
            await source.close()

    assert told(asyncio.run(run())) == whole
    assert refusals == refused
    assert (capture.parent / "done" / "lab.pcap").is_file()


def test_a_cut_capture_goes_to_bad_with_its_records_applied(capture: Path) -> None:
    capture.write_bytes(capture.read_bytes()[:-10])
    refusals: list[Refusal] = []

    async def run() -> list[Event]:
        source = make("lab", PcapOptions(folder=capture.parent, stable=0), None, House())
        await source.open(None, Intake(Identity(KEY), on_refused=refusals.append))
        found = await source.read(1_000)
        await source.committed()
        assert found is not None
        return found

    assert len(asyncio.run(run())) == 14
    assert [(r.reason, r.position) for r in refusals] == [
        ("identity", "lab.pcap:34"),
        ("file", "lab.pcap:45"),
    ]
    assert (capture.parent / "bad" / "lab.pcap").is_file()


@pytest.mark.parametrize("frames", [0, 6, 17, 30, 44])
@pytest.mark.parametrize("cut", [0, 5])
def test_a_capture_that_goes_on_after_it_was_taken_is_read_on(capture: Path, frames: int, cut: int) -> None:
    whole, _ = at_once(capture)
    raw = capture.read_bytes()
    begin = pcap(made()[:frames])
    begin += raw[len(begin) : len(begin) + cut]
    refusals: list[Refusal] = []

    async def run() -> list[Event]:
        source = make("lab", PcapOptions(folder=capture.parent, stable=0), None, House())
        source._scan_seconds = 0
        await source.open(None, Intake(Identity(KEY), on_refused=refusals.append))
        events: list[Event] = []
        for data in (begin, raw[len(begin) :]):
            with max(capture.parent.rglob("lab.pcap")).open("ab") as writer:
                writer.write(data)
            while (found := await source.read(1_000)) is not None:
                events += found
                await source.committed()
        assert source.counts["grown"] == 1
        return events

    capture.write_bytes(b"")
    found = told(asyncio.run(run()))
    assert set(whole) <= set(found)
    # one that was open at the end is told as it was then, too
    assert len(found) <= len(whole) + 3
    assert len({place for *_, place in found}) >= len({place for *_, place in whole})
    assert [r.reason for r in refusals if r.reason == "file"] == ["file"] * bool(cut)


def test_captures_share_with_other_feeds_how_many_files_are_known(capture: Path) -> None:
    raw = capture.read_bytes()
    for number in range(22):
        (capture.parent / f"{number:02}.pcap").write_bytes(raw)
    capture.unlink()

    async def run() -> int:
        source = make("lab", PcapOptions(folder=capture.parent, stable=0), None, House(feeds=1_000))
        await source.open(None, Intake(Identity(KEY)))
        for _ in range(3):
            while await source.read(1_000) is not None:
                pass
            await source.committed()
        assert source.counts == {"done": 22}
        return len(source.position["seen"])

    assert asyncio.run(run()) == 20


def test_the_door_is_known_to_feeds_files(tmp_path: Path) -> None:
    door = DOORS["pcap"]
    assert door.load_map is None
    assert list(door.look(PcapOptions(folder=tmp_path / "none"), House()))
    assert list(door.claims(PcapOptions(folder=tmp_path))) == [
        f"folder {tmp_path.resolve()}",
        *(f"leaves {tmp_path.resolve()}/{name}" for name in ("done", "bad")),
    ]


def test_a_replay_takes_captures_beside_other_files(capture: Path, tmp_path: Path) -> None:
    other = tmp_path / "more.jsonl"
    other.write_bytes(orjson.dumps({"kind": "power.on", "t": 1_788_220_800_000_000, "imsi": ANNA}) + b"\n")
    feed = Feed(load_settings(key=KEYS["TOUCHPOINT_KEY"], salt=KEYS["TOUCHPOINT_SALT"]), None)
    events = list(feed.events([capture, other]))
    assert len(events) == 16
    assert (events[0].position, events[1].position) == ("more.jsonl:1", "lab.pcap:5")
    assert events[0].key == events[1].key
    assert lines_in([capture]) is None


def run(*arguments: str) -> Any:
    """Run the command."""
    return CliRunner().invoke(app, ["pcap", *arguments], env=KEYS)


def test_the_command_hides_whose_it_is_unless_asked(capture: Path) -> None:
    found = run(str(capture))
    assert found.exit_code == 1  # one has no identity
    lines = [orjson.loads(line) for line in found.stdout.splitlines()]
    assert len(lines) == 15
    assert {len(line["subscriber_key"]) for line in lines} == {32}
    assert ANNA not in found.stdout
    assert (
        "lab.pcap:34: identity: identity: expected imsi, msisdn or subscriber, was none of them"
        in found.stderr
    )
    shown = run("--show", str(capture))
    lines = [orjson.loads(line) for line in shown.stdout.splitlines()]
    assert (len(lines), lines[0]["imsi"], lines[0]["frame"]) == (16, ANNA, 5)


def test_the_command_counts(capture: Path) -> None:
    found = run("--counts", str(capture), str(capture))
    rows = [line.split() for line in found.stdout.splitlines()]
    assert ["frames", "90"] in rows
    assert ["record", "power.on", "(attach)", "4"] in rows
    assert ["refused:", "identity", "2"] in rows
    assert "{" not in found.stdout


def test_the_command_on_files_that_are_cut_or_none(capture: Path, tmp_path: Path) -> None:
    capture.write_bytes(capture.read_bytes()[:-10])
    found = run(str(capture))
    assert (found.exit_code, len(found.stdout.splitlines())) == (1, 14)
    assert "lab.pcap:45: file: expected a frame of " in found.stderr
    other = tmp_path / "x"
    other.write_bytes(b"no capture")
    none = run(str(other))
    assert none.exit_code == 2
    assert "expected a capture file, pcap or pcapng, was 'other data'" in none.stderr
    assert none.stdout == ""


def test_without_pycrate_it_is_said_what_to_install(capture: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycrate_core.base", None)
    with pytest.raises(
        InputError, match=r"expected pycrate: pip install 'touchpoint\[pcap\]', was 'not installed"
    ):
        library.need()
    with pytest.raises(InputError, match="pycrate"):
        at_once(capture)
