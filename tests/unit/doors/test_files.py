"""Files in: JSON lines, profiles, damaged and torn ones, and several merged into one order."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from connectors.jsonl import read_events
from connectors.merge import merge
from connectors.profiles import read_profiles
from connectors.xdr_files import load_map, rows
from engine.errors import InputError
from engine.event import Event
from tests.unit.doors.support import FILES, IMEI, IMSI, MSISDN, Desk, T


@pytest.fixture
def desk() -> Desk:
    return Desk()


def line(t: int) -> bytes:
    return b'{"kind":"loc.sight","t":%d,"imsi":"460001234567890"}\n' % t


def test_a_file_gives_its_events_in_its_order(desk: Desk) -> None:
    events = list(read_events(FILES / "events.jsonl", desk.intake))
    assert [(event.kind, event.position) for event in events] == [
        ("power.on", "events.jsonl:1"),
        ("loc.update", "events.jsonl:3#1"),
        ("call.out", "events.jsonl:3#2"),
        ("data.session", "events.jsonl:4"),
    ]
    assert [event.source for event in events] == ["events.jsonl", "events.jsonl", "msc", "events.jsonl"]
    assert desk.refusals == []


def test_a_damaged_file_gives_what_is_whole_and_refuses_the_rest_by_place(desk: Desk) -> None:
    events = list(read_events(FILES / "damaged.jsonl", desk.intake))
    assert [event.position for event in events] == ["damaged.jsonl:2", "damaged.jsonl:9"]
    assert [(refusal.position, refusal.reason) for refusal in desk.refusals] == [
        ("damaged.jsonl:1", "json"),
        ("damaged.jsonl:3", "utf8"),
        ("damaged.jsonl:4", "nan"),
        ("damaged.jsonl:5", "type"),
        ("damaged.jsonl:6", "kind"),
        ("damaged.jsonl:7", "identity"),
        ("damaged.jsonl:8", "time"),
        ("damaged.jsonl:10", "json"),  # the last line, torn
    ]


def test_gzip_is_told_by_its_first_bytes(desk: Desk, tmp_path: Path) -> None:
    packed = tmp_path / "events.jsonl"
    packed.write_bytes(gzip.compress(line(T) + line(T + 1)))
    plain = tmp_path / "events.jsonl.gz"
    plain.write_bytes(line(T))
    assert [event.t for event in read_events(packed, desk.intake)] == [T, T + 1]
    assert [event.t for event in read_events(plain, desk.intake)] == [T]


def test_line_ends_marks_and_blank_lines_do_not_matter(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "windows.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + line(T).replace(b"\n", b"\r\n") + b"\r\n  \n" + line(T + 1)[:-1])
    assert [event.position for event in read_events(path, desk.intake)] == [
        "windows.jsonl:1",
        "windows.jsonl:4",
    ]


def test_an_endless_line_is_refused_and_the_next_one_read(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    path.write_bytes(b'"' + b"1" * (3 << 20) + b'"\n' + line(T))
    assert [event.position for event in read_events(path, desk.intake)] == ["long.jsonl:2"]
    (refusal,) = desk.refusals
    assert (refusal.reason, refusal.position) == ("size", "long.jsonl:1")
    assert refusal.detail == f"expected at most 1048576 bytes, was {(3 << 20) + 3}"
    assert len(refusal.raw) <= 2_000


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_damaged_gzip_is_an_error_after_the_good_part(desk: Desk, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "events.jsonl.gz"
    packed = bytearray(gzip.compress(b"".join(line(T + i * 7919) for i in range(20_000)), mtime=0))
    if damage == "cut":
        del packed[len(packed) // 2 :]
    else:
        packed[-6] ^= 0xFF  # the check sum
    path.write_bytes(packed)
    seen: list[int] = []
    with pytest.raises(InputError, match=r"events\.jsonl\.gz:\d+: expected gzip data to its end") as caught:
        _note_times(read_events(path, desk.intake), seen)
    assert len(seen) >= 5_000
    assert seen == [T + i * 7919 for i in range(len(seen))]
    assert caught.value.where == f"{path}:{len(seen) + 1}"
    assert desk.refusals == []


def _note_times(events: Iterator[Event], seen: list[int]) -> None:
    for event in events:
        seen.append(event.t)


@pytest.mark.parametrize("path", ["missing.jsonl", "."])
def test_a_file_that_can_not_be_read_is_an_error(desk: Desk, tmp_path: Path, path: str) -> None:
    with pytest.raises(InputError, match="expected a file that can be read"):
        list(read_events(tmp_path / path, desk.intake))


def test_the_log_reads_back_from_a_file(desk: Desk, tmp_path: Path) -> None:
    events = list(read_events(FILES / "events.jsonl", desk.intake))
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"\n".join(orjson.dumps(event.fields) for event in events))
    back = list(read_events(path, desk.intake, from_log=True))
    assert [event.fields for event in back] == [event.fields for event in events]


def test_profiles_come_with_their_bindings_and_places(desk: Desk) -> None:
    events = list(read_profiles(FILES / "profiles.jsonl", desk.intake))
    assert [(event.kind, event.position) for event in events] == [
        ("profile.update", "profiles.jsonl:1"),
        ("profile.update", "profiles.jsonl:3"),
    ]
    assert desk.intake.identity.of_msisdn(MSISDN) == desk.intake.identity.of_imsi(IMSI)
    assert [(refusal.position, refusal.reason) for refusal in desk.refusals] == [
        ("profiles.jsonl:2", "identity")
    ]


# -- several feeds -------------------------------------------------------------------------------------------


def feed(name: str, *times: int) -> Iterator[Event]:
    return iter([Event("loc.sight", t, "", {}, source=name) for t in times])


def order(*feeds: Iterator[Event]) -> list[tuple[str, int]]:
    return [(event.source, event.t) for event in merge(feeds)]


def test_the_least_head_goes_first_and_ties_by_the_order_of_arguments() -> None:
    assert order(feed("a", 2, 4), feed("b", 1, 2, 4)) == [("b", 1), ("a", 2), ("b", 2), ("a", 4), ("b", 4)]


def test_the_order_within_a_feed_stands() -> None:
    assert order(feed("a", 5, 1, 6), feed("b", 4, 5, 3)) == [
        ("b", 4),
        ("a", 5),
        ("a", 1),
        ("b", 5),
        ("b", 3),
        ("a", 6),
    ]


def test_empty_feeds_do_not_matter() -> None:
    assert order() == []
    assert order(feed("a"), feed("b", 1), feed("c")) == [("b", 1)]


def test_feeds_are_read_one_event_ahead() -> None:
    taken: list[int] = []

    def watched() -> Iterator[Event]:
        for t in range(100):
            taken.append(t)
            yield Event("loc.sight", t, "", {})

    merged = merge([watched()])
    next(merged)
    assert len(taken) <= 2


@pytest.mark.parametrize("number", [IMSI, MSISDN, IMEI])
def test_numbers_in_the_name_of_a_file_are_hidden(desk: Desk, tmp_path: Path, number: str) -> None:
    path = tmp_path / f"S1MME_{number}.csv"
    path.write_bytes(line(T) + b"{broken\n")
    [event] = read_events(path, desk.intake)
    list(read_profiles(path, desk.intake))
    list(rows(path, load_map("gn-unicom-2015"), desk.intake))
    shown = event.source
    assert shown.startswith("S1MME_")
    assert "<digits>.csv~" in shown
    assert event.position == f"{shown}:1"
    assert event.fields["source"] == shown
    assert {refusal.position.partition(":")[0] for refusal in desk.refusals} == {shown}
    assert number.removeprefix("+") not in str([(each.source, each.position) for each in desk.refusals])
