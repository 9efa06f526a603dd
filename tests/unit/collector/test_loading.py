"""Loads of profiles, consents and opt-outs over the memory twins."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest

from connectors.loads.rows import LineRows
from connectors.memory_inlet import Checkpoints, MemoryInlet
from connectors.memory_log import MemoryLog
from connectors.memory_optouts import MemoryOptOuts
from engine.errors import InputError, LogError
from engine.identity import Identity
from engine.intake import SIZE_AT_MOST
from engine.loading import READERS, Loader
from engine.refusals import Refusal
from tests.unit.collector.support import KEY, LATER

NUMBER, IMSI = "+8613912345678", "460001234567890"


def known() -> tuple[Identity, str, str]:
    """An identity, the key of an IMSI, and the own key of its number."""
    identity = Identity(KEY)
    key, own = identity.of_imsi(IMSI), identity.of_msisdn(NUMBER)
    assert key is not None
    assert own is not None
    return identity, key, own


class BrokenInlet(MemoryInlet):
    """A log that is away."""

    async def append(
        self, records: Sequence[tuple[int, bytes]], checkpoint: bytes, dead: Sequence[bytes] = ()
    ) -> None:
        raise LogError("source load: expected to be written, was not possible")


class World:
    """A log, opt-outs, and a clock that goes on with each look."""

    def __init__(self, identity: Identity | None = None) -> None:
        self.identity = identity or Identity(KEY)
        self.log = MemoryLog(2)
        self.checkpoints = Checkpoints()
        self.optouts = MemoryOptOuts()
        self.now = LATER
        self.refusals: list[Refusal] = []
        self.steps: list[int] = []
        self.inlet: MemoryInlet | None = MemoryInlet(self.log, "load", self.checkpoints)

    def wall(self) -> int:
        self.now += 1
        return self.now

    async def load(self, kind: str, path: Path, batch: int = 100) -> Loader:
        loader = Loader(kind, path.name, self.identity, self.wall, self.inlet, self.optouts, batch=batch)
        loader.on_refusal = self.refusals.append
        lines = LineRows(path, loader.intake, source=path.name)
        await loader.run(lines, self.steps.append)
        return loader

    async def records(self) -> list[dict[str, Any]]:
        found = [record for part in (0, 1) for record in await self.log.fetch(part, 0, 1 << 20)]
        return sorted((orjson.loads(record.value) for record in found), key=lambda record: record["t"])


def file(tmp_path: Path, *lines: Any) -> Path:
    path = tmp_path / "list.txt"
    raw = [line.encode() if isinstance(line, str) else orjson.dumps(line) for line in lines]
    path.write_bytes(b"\n".join(raw) + b"\n")
    return path


async def test_profiles_become_updates_of_now(tmp_path: Path) -> None:
    identity, key, _ = known()
    world = World(identity)
    path = file(tmp_path, {"imsi": IMSI, "msisdn": NUMBER, "tier": "gold", "consent": {"marketing": True}})
    loader = await world.load("profiles", path)
    [record] = await world.records()
    assert record == {
        "kind": "profile.update",
        "t": LATER + 1,
        "consent": {"marketing": True},
        "profile": {"tier": "gold"},
        "subscriber_key": key,
        "msisdn": NUMBER,
        "source": "list.txt",
    }
    assert loader.counts == {"lines": 1, "records": 1, "opted_out": 0, "refused": 0}
    assert identity.bound(NUMBER) == key


async def test_large_files_are_loaded_in_steps_and_leave_no_checkpoint(tmp_path: Path) -> None:
    world = World()
    path = file(tmp_path, *({"imsi": f"46000{number:010}", "tier": "gold"} for number in range(25)))
    await world.load("profiles", path, batch=10)
    assert world.steps == [10, 20, 25]
    assert len(await world.records()) == 25
    assert world.checkpoints.kept == {}


@pytest.mark.parametrize(
    "lines",
    [
        (
            {"imsi": IMSI, "consent": {"marketing": True, "location": False}},
            {"msisdn": "13912345678", "consent": {"profiling": True}},
            {"subscriber": NUMBER, "consent": {"marketing": False}},
        ),
        (
            "imsi;msisdn;subscriber;marketing;profiling;location",
            f"{IMSI};;;yes;;0",
            '; 13912345678;;;"TRUE";',
            f";;{NUMBER};no;;",
        ),
    ],
    ids=["json", "columns"],
)
async def test_consents_are_changes(tmp_path: Path, lines: tuple[Any, ...]) -> None:
    identity, key, own = known()
    world = World(identity)
    loader = await world.load("consents", file(tmp_path, *lines))
    assert world.refusals == []
    changes = [(record["subscriber_key"], record["consent"]) for record in await world.records()]
    assert changes == [
        (key, {"marketing": True, "location": False}),
        (own, {"profiling": True}),
        (own, {"marketing": False}),
    ]
    assert {record["kind"] for record in await world.records()} == {"consent.change"}
    assert loader.counts["records"] == 3


async def test_consent_to_marketing_takes_an_opt_out_back_unless_that_is_newer(tmp_path: Path) -> None:
    identity, key, own = known()
    identity.bind_key(NUMBER, key, 0)
    world = World(identity)
    await world.optouts.add({own: LATER, key: LATER + 1_000})
    line = {"msisdn": NUMBER, "consent": {"marketing": True}}
    await world.load("consents", file(tmp_path, line))
    assert await world.optouts.holds([own, key]) == [False, True]
    [record] = await world.records()
    assert record["subscriber_key"] == key
    await world.optouts.add({own: LATER})
    await world.load("consents", file(tmp_path, {"msisdn": NUMBER, "consent": {"profiling": True}}))
    assert await world.optouts.holds([own]) == [True]


async def test_a_no_to_marketing_holds_under_every_name_once_it_is_loaded(tmp_path: Path) -> None:
    identity, key, own = known()
    identity.bind_key(NUMBER, key, 0)
    world = World(identity)
    no, yes = ({"msisdn": NUMBER, "consent": {"marketing": said}} for said in (False, True))
    loader = await world.load("consents", file(tmp_path, no))
    assert await world.optouts.holds([own, key]) == [True, True]
    assert loader.counts["opted_out"] == 1
    other = {"imsi": IMSI, "consent": {"marketing": False, "profiling": True}}
    await world.load("consents", file(tmp_path, other, no, yes))
    assert await world.optouts.holds([own, key]) == [False, False], "the last line counts"
    await world.load("consents", file(tmp_path, yes, no))
    assert await world.optouts.holds([own, key]) == [True, True]


@pytest.mark.parametrize("header", [(), ("name,MSISDN,since",)])
async def test_an_opt_out_holds_under_the_number_and_what_it_is_bound_to(
    tmp_path: Path, header: tuple[str, ...]
) -> None:
    identity, key, own = known()
    other = identity.of_msisdn("+8613800000000")
    assert other is not None
    identity.bind_key(NUMBER, key, 0)
    world = World(identity)
    numbers = ("139-1234-5678", "008613800000000")
    lines = [f"somebody,{number},2026" for number in numbers] if header else numbers
    loader = await world.load("optouts", file(tmp_path, *header, *lines))
    assert world.refusals == []
    records = await world.records()
    assert [record["subscriber_key"] for record in records] == [own, key, other]
    assert all(record["consent"] == {"marketing": False} for record in records)
    assert await world.optouts.holds([own, key, other]) == [True, False, True]
    counts = {"lines": 2, "records": 3, "opted_out": 2, "refused": 0}
    assert loader.counts == (counts | {"headers": 1} if header else counts)


@pytest.mark.parametrize(
    "number", ["12345", "10086", "+8612345", "13912345678.0", "+8613912345678.0", "1.39E+10"]
)
async def test_what_is_a_piece_of_a_number_or_was_calculated_with_is_refused(
    tmp_path: Path, number: str
) -> None:
    world = World()
    loader = await world.load("optouts", file(tmp_path, NUMBER, number))
    assert loader.counts["refused"] == 1
    [refusal] = world.refusals
    assert refusal.detail.startswith("msisdn: expected a number: + and E.164 digits, or a national one, was ")
    assert refusal.detail.endswith(", .0 at the end") == number.endswith(".0")


async def test_an_opt_out_stands_though_the_log_is_away(tmp_path: Path) -> None:
    identity, _, own = known()
    world = World(identity)
    world.inlet = BrokenInlet(world.log, "load", world.checkpoints)
    with pytest.raises(LogError):
        await world.load("optouts", file(tmp_path, NUMBER))
    assert await world.optouts.holds([own]) == [True]


async def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    identity, _, own = known()
    world = World(identity)
    world.inlet = None
    loader = await world.load("optouts", file(tmp_path, NUMBER, "12"))
    assert await world.optouts.holds([own]) == [False]
    assert loader.counts == {"lines": 2, "records": 1, "opted_out": 1, "refused": 1}
    assert [refusal.position for refusal in world.refusals] == ["list.txt:2"]


@pytest.mark.parametrize("batch", [1, 2, 10])
async def test_every_row_is_loaded_or_refused_those_too_long_as_well(tmp_path: Path, batch: int) -> None:
    world = World()
    long = "1" * (SIZE_AT_MOST + 1)
    lines = ["msisdn;since", long, NUMBER + ";2026", "12;2026", "", "+8613800000000;2026", long]
    loader = await world.load("optouts", file(tmp_path, *lines), batch=batch)
    counts = loader.counts
    assert (counts["lines"], counts["headers"], counts["refused"]) == (5, 1, 3)
    assert counts["opted_out"] == 2
    assert [refusal.position for refusal in world.refusals] == ["list.txt:2", "list.txt:4", "list.txt:7"]


CONSENT_MISTAKES = [
    ("{broken", "json"),
    ({"imsi": IMSI}, "consent: expected an object of purposes, was nothing"),
    ({"imsi": IMSI, "consent": {}}, "consent: expected an object of purposes, was a mapping"),
    ({"imsi": IMSI, "consent": {"marketting": True}}, "consent: expected marketing, profiling, location"),
    ({"imsi": IMSI, "consent": {"marketing": "yes"}}, "consent.marketing: expected true or false, was text"),
    ({"imsi": IMSI, "consents": {"marketing": True}}, "names: expected imsi, msisdn, subscriber and consent"),
    ({"consent": {"marketing": True}}, "identity: expected imsi, msisdn or subscriber, was none of them"),
    ({"imsi": "1", "consent": {"marketing": True}}, "identity: expected 15 digits in imsi"),
]


@pytest.mark.parametrize(("line", "said"), CONSENT_MISTAKES)
async def test_a_wrong_line_of_consents_is_refused_with_its_place(
    tmp_path: Path, line: Any, said: str
) -> None:
    world = World()
    good = {"imsi": IMSI, "consent": {"marketing": True}}
    loader = await world.load("consents", file(tmp_path, good, line, good))
    [refusal] = world.refusals
    assert refusal.position == "list.txt:2"
    assert said in (refusal.detail, refusal.reason) or refusal.detail.startswith(said)
    [letter] = map(orjson.loads, world.checkpoints.dead)
    assert (letter["file"], letter["stage"], letter["position"]) == ("list.txt", "load", "list.txt:2")
    assert loader.counts["records"] == 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("13912345678,maybe", "marketing: expected true, false, yes, no, 1 or 0, was 'maybe'"),
        ("13912345678", "columns: expected 2 columns, was 1"),
        ("13912345678,", "consent: expected a value for marketing, profiling or location, was none"),
        (",yes", "identity: expected imsi, msisdn or subscriber, was none of them"),
    ],
)
async def test_a_wrong_row_of_consents_is_refused(tmp_path: Path, row: str, said: str) -> None:
    world = World()
    await world.load("consents", file(tmp_path, "msisdn,marketing", row, "13912345678,1"))
    assert [refusal.detail for refusal in world.refusals] == [said]
    assert len(await world.records()) == 1


@pytest.mark.parametrize("line", ["12", "+86 139 1234 5678 999 999", '""'])
async def test_what_is_no_number_does_not_opt_out(tmp_path: Path, line: str) -> None:
    world = World()
    await world.load("optouts", file(tmp_path, line, NUMBER))
    [refusal] = world.refusals
    assert refusal.reason == "identity"
    assert "999" not in refusal.detail
    assert len(await world.records()) == 1


@pytest.mark.parametrize(
    ("kind", "header"),
    [
        ("consents", "msisdn,name,marketing"),
        ("consents", "msisdn,imsi"),
        ("consents", "marketing"),
        ("optouts", "number,name"),
        ("optouts", "Li Lei,13912345678"),
    ],
)
async def test_a_header_without_the_columns_is_an_error_that_shows_no_number(
    tmp_path: Path, kind: str, header: str
) -> None:
    with pytest.raises(InputError, match=r"list\.txt:1: expected a header with") as caught:
        await World().load(kind, file(tmp_path, header, "13912345678,1"))
    assert "13912345678" not in str(caught.value)


@pytest.mark.parametrize("kind", READERS)
async def test_lines_that_are_not_text_are_refused(tmp_path: Path, kind: str) -> None:
    world = World()
    path = file(tmp_path, NUMBER if kind == "optouts" else {"imsi": IMSI, "consent": {"profiling": True}})
    path.write_bytes(path.read_bytes() + b"\xff\xfe{\n")
    await world.load(kind, path)
    assert [(refusal.reason, refusal.position) for refusal in world.refusals] == [("utf8", "list.txt:2")]


async def test_a_damaged_file_is_loaded_up_to_the_damage(tmp_path: Path) -> None:
    world = World()
    path = tmp_path / "list.txt"
    lines = [b"%d\n" % number for number in range(13_900_000_000, 13_900_005_000)]
    whole = gzip.compress(b"12\n" + b"".join(lines))
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="gzip data to its end"):
        await world.load("optouts", path, batch=100_000)
    assert 0 < len(await world.records()) < 5_000
    assert [refusal.position for refusal in world.refusals] == ["list.txt:1"]


async def test_an_empty_file_loads_nothing(tmp_path: Path) -> None:
    world = World()
    (tmp_path / "list.txt").write_bytes(b"\n \n")
    loader = await world.load("optouts", tmp_path / "list.txt")
    assert loader.counts["records"] == 0
    assert await world.records() == []


async def test_a_profile_too_large_for_a_broker_is_refused(tmp_path: Path) -> None:
    world = World()
    await world.load("profiles", file(tmp_path, {"imsi": IMSI, "note": "x" * 910_000}))
    assert [refusal.reason for refusal in world.refusals] == ["size"]
    assert await world.records() == []
