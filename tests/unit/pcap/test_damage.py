"""Damaged captures: whatever is wrong is refused by name and place, and nothing else fails."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from connectors.pcap.records import Packets
from engine.errors import InputError
from engine.identity import Identity
from engine.intake import Intake
from engine.refusals import Refusal
from tests.testdata import find
from tests.unit.pcap.packets import pcap, pcapng
from tests.unit.pcap.world import KEY, made

ROUNDS = int(os.environ.get("TOUCHPOINT_EXAMPLES", "0")) or 40
REASONS = {"decode", "identity", "time", "type"}


def survive(path: Path) -> tuple[int, list[Refusal], InputError | None]:
    """Read a damaged file to its end; return how many events and what was refused."""
    refusals: list[Refusal] = []
    intake = Intake(Identity(KEY), on_refused=refusals.append)
    events = 0
    try:
        for _, records in Packets(path, intake, name=path.name):
            for record in records:
                event = intake.record(record.fields, record.fields["source"], f"{path.name}:{record.frame}")
                events += event is not None
    except InputError as error:
        return events, refusals, error
    return events, refusals, None


def flipped(content: bytes, chance: random.Random) -> bytes:
    """Change some bytes anywhere."""
    changed = bytearray(content)
    for _ in range(chance.randint(1, 40)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


@pytest.mark.parametrize("write", [pcap, pcapng])
def test_bytes_that_are_changed(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    content = write(made())
    path = tmp_path / "x.pcap"
    seen = set()
    for seed in range(ROUNDS // 2):
        path.write_bytes(flipped(content, random.Random(seed)))
        _, refusals, _ = survive(path)
        seen |= {refusal.reason for refusal in refusals}
        assert all(refusal.position.startswith("x.pcap:") for refusal in refusals)
    assert "decode" in seen
    assert seen <= REASONS


def test_a_capture_that_is_cut_gives_what_was_before(tmp_path: Path) -> None:
    content = pcap(made())
    path = tmp_path / "x.pcap"
    before = 0
    for size in range(24, len(content), len(content) // 40):
        path.write_bytes(content[:size])
        events, _, error = survive(path)
        assert events >= before - 2  # what is under way counts as unfinished, what was cut off is not there
        assert error is None or error.where.startswith(f"{path}:")
        before = events
    assert before >= 13


@pytest.mark.testdata("data/pcap")
def test_bytes_of_real_captures_that_are_changed(tmp_path: Path) -> None:
    folder = find("data/pcap")
    assert folder is not None
    seen = set()
    for source in sorted(folder.glob("*.pcap")):
        content = source.read_bytes()
        for seed in range(max(ROUNDS // 8, 1)):
            path = tmp_path / source.name
            path.write_bytes(flipped(content, random.Random(seed)))
            _, refusals, _ = survive(path)
            seen |= {refusal.reason for refusal in refusals}
    assert seen <= REASONS


def test_messages_that_are_changed_inside_of_whole_packets(tmp_path: Path) -> None:
    frames = made()
    path = tmp_path / "x.pcap"
    events = 0
    for seed in range(ROUNDS):
        chance = random.Random(seed)
        changed = list(frames)
        for place in chance.sample(range(len(frames)), 6):
            data = bytearray(frames[place].data)
            for _ in range(chance.randint(1, 6)):
                data[chance.randrange(62, len(data))] = chance.randrange(256)
            changed[place] = type(frames[place])(frames[place].t, bytes(data))
        path.write_bytes(pcap(changed))
        found, refusals, error = survive(path)
        assert error is None
        assert {refusal.reason for refusal in refusals} <= REASONS
        events += found
    assert events > ROUNDS * 8
