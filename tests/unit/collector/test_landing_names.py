"""Files whose names hold numbers of persons: told apart, found again, and shown by no number."""

from __future__ import annotations

import os
import random
from pathlib import Path

import orjson
import pytest

from connectors.column_map import load_map
from connectors.landing import BAD, DONE, Landing
from connectors.landing_lines import lines_at
from engine.refusals import shown_name
from tests.unit.collector.support import KEY, World, write
from tests.unit.collector.test_landing import ids, rows, run, there
from tests.unit.doors.support import FILES, IMEI, IMSI, MSISDN

NAMES = (
    f"S1MME_{IMSI}.jsonl",
    f"S1MME_{IMSI[:-1]}1.jsonl",
    f"S1MME_460-00-{IMSI[5:]}.jsonl",
    f"{MSISDN}.jsonl",
    f"imei {IMEI}.jsonl.gz",
)
SHOWN = [shown_name(name, KEY) for name in NAMES]


def digits(text: bytes) -> str:
    """The digits of a text without what stands between them."""
    return "".join(character for character in text.decode() if character.isdecimal() or character.isalpha())


async def told(world: World) -> bytes:
    """All that left the process: log, dead letters, checkpoint."""
    log = [await world.partition(number) for number in range(world.log.partitions)]
    return orjson.dumps(log) + b"".join(world.checkpoints.dead) + b"".join(world.checkpoints.kept.values())


async def check_no_number(world: World) -> None:
    found = digits(await told(world))
    for number in (IMSI, IMSI[:-1] + "1", IMSI[5:], MSISDN.removeprefix("+"), IMEI):
        assert number not in found
    for name in NAMES:
        assert name not in found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A landing directory with a file of each name: a line that is refused, and three rows."""
    made = tmp_path / "landing"
    made.mkdir()
    for number, name in enumerate(NAMES):
        write(made / name, [b"{broken", *rows(number * 3, 3)], packed=name.endswith("gz"))
    return made


async def test_no_number_of_a_name_leaves_the_process(folder: Path) -> None:
    world = World()
    await run(world, folder)
    assert await ids(world) == list(range(15))
    assert {record["source"] for record in await world.records()} == set(SHOWN)
    assert sorted(letter["file"] for letter in world.dead()) == sorted(SHOWN)
    assert [letter["position"] for letter in world.dead()] == [
        letter["file"] + ":1" for letter in world.dead()
    ]
    assert {letter["source"] for letter in world.dead()} == set(SHOWN)
    assert there(folder) == sorted(f"{DONE}/{name}" for name in NAMES)
    await check_no_number(world)


@pytest.mark.parametrize("move", [True, False])
async def test_files_that_look_alike_are_not_mixed_up_by_kills(folder: Path, move: bool) -> None:
    dice = random.Random(11)
    world = World()
    for _ in range(25):
        await run(world, folder, steps=dice.randint(0, 2), batch=dice.randint(1, 3), move=move)
        await check_no_number(world)
    _, landing = await run(world, folder, move=move)
    assert await ids(world) == list(range(15))
    assert sorted(letter["file"] for letter in world.dead()) == sorted(SHOWN)
    assert there(folder) == sorted(f"{DONE}/{name}" if move else name for name in NAMES)
    assert landing.counts["again"] == 0


async def test_moves_that_were_cut_off_are_made_at_the_next_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Landing, "_put_away", killed)
        for _ in NAMES:
            with pytest.raises(KeyboardInterrupt):
                await run(world, folder)
    await run(world, folder)
    assert there(folder) == sorted(f"{DONE}/{name}" for name in NAMES)
    assert await ids(world) == list(range(15))


async def test_a_checkpoint_of_before_with_names_as_they_are_is_gone_on_from(folder: Path) -> None:
    world = World()
    await run(world, folder, batch=2, steps=3, move=False)
    [checkpoint] = world.checkpoints.kept.values()
    assert b"<digits>" in checkpoint
    for name, shown in zip(NAMES, SHOWN, strict=True):
        checkpoint = checkpoint.replace(orjson.dumps(shown), orjson.dumps(name))
    world.checkpoints.kept = dict.fromkeys(world.checkpoints.kept, checkpoint)
    await run(world, folder, move=False)
    assert await ids(world) == list(range(15))
    await check_no_number(world)


async def test_a_damaged_file_and_rows_by_a_map_show_no_number_either(tmp_path: Path) -> None:
    world = World()
    (tmp_path / NAMES[0]).write_bytes(b"\x1f\x8bdamaged")
    (tmp_path / NAMES[1]).write_bytes((FILES / "s1mme.txt").read_bytes())
    await run(world, tmp_path, columns=load_map(str(FILES / "s1mme.yaml")))
    assert there(tmp_path) == [f"{BAD}/{NAMES[0]}", f"{DONE}/{NAMES[1]}"]
    assert {letter["file"] for letter in world.dead()} == set(SHOWN[:2])
    await check_no_number(world)


async def test_names_of_another_encoding_are_taken_and_told_apart(tmp_path: Path) -> None:
    world = World()
    names = [os.fsdecode(name.encode("gbk") + b".jsonl") for name in ("信令", "话单")]
    for number, name in enumerate(names):
        write(tmp_path / name, [b"{broken", *rows(number * 3, 3)])
    await run(world, tmp_path, batch=2, steps=2)
    await run(world, tmp_path)
    assert await ids(world) == list(range(6))
    assert there(tmp_path) == sorted(f"{DONE}/{name}" for name in names)
    shown = [letter["file"] for letter in world.dead()]
    assert len(set(shown)) == 2
    assert all(name.startswith("????.jsonl~") for name in shown)
    for name in shown:
        assert lines_at(tmp_path, name, {1}, KEY) == {1: b"{broken"}


def test_the_lines_of_a_letter_are_found_by_the_name_it_shows(tmp_path: Path) -> None:
    for number, (name, place) in enumerate(zip(NAMES, ("", DONE, BAD, DONE, ""), strict=True)):
        (tmp_path / place).mkdir(exist_ok=True)
        (tmp_path / place / name).write_bytes(b"%d\n" % number)
    for number, shown in enumerate(SHOWN):
        assert lines_at(tmp_path, shown, {1}, KEY) == {1: b"%d" % number}
        assert lines_at(tmp_path, shown, {1}, b"another key") == {}
    (tmp_path / DONE / f"{NAMES[1]}.1").write_bytes(b"again\n")
    assert lines_at(tmp_path, SHOWN[1], {1}, KEY) == {}
