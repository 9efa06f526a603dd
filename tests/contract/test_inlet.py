"""The contract of `engine.ports.Inlet`: records, dead letters and checkpoint in one step, one owner."""

from __future__ import annotations

import orjson
import pytest

from engine.collect import ARRAY_AT_MOST
from engine.errors import FencedError
from tests.contract.inlets import Inlets, records_in


async def test_a_new_source_has_no_checkpoint(inlets: Inlets) -> None:
    inlet = inlets.open("one")
    assert inlet.partitions == 3
    assert await inlet.resume() is None
    assert await inlet.resume() is None


async def test_records_and_dead_letters_and_checkpoint_are_there_together(inlets: Inlets) -> None:
    inlet = inlets.open("one")
    await inlet.resume()
    await inlet.append([(0, b"a"), (2, b"x"), (0, b"b")], b"at 3", [b"bad"])
    await inlet.append([(0, b"c")], b"at 4")
    await inlet.append([], b"at 5", [b"worse"])
    assert await inlets.log(0) == [b"a", b"b", b"c"]
    assert await inlets.log(1) == []
    assert await inlets.log(2) == [b"x"]
    assert sorted(await inlets.dead()) == [b"bad", b"worse"]
    assert await inlets.open("one").resume() == b"at 5"


async def test_sources_have_checkpoints_of_their_own(inlets: Inlets) -> None:
    one, two = inlets.open("one"), inlets.open("two")
    await one.resume()
    await two.resume()
    await one.append([(0, b"a")], b"one at 1")
    await two.append([(0, b"b")], b"two at 1")
    await one.append([(0, b"c")], b"one at 2")
    assert await inlets.open("two").resume() == b"two at 1"
    assert await inlets.open("one").resume() == b"one at 2"
    assert sorted(await inlets.log(0)) == [b"a", b"b", b"c"]


async def test_whoever_takes_a_source_over_fences_the_one_before(inlets: Inlets) -> None:
    old, new = inlets.open("one"), inlets.open("one")
    await old.resume()
    await old.append([(0, b"a")], b"at 1")
    assert await new.resume() == b"at 1"
    with pytest.raises(FencedError, match="source one: expected to own it, was taken over by another"):
        await old.append([(0, b"lost")], b"at 9", [b"lost"])
    await new.append([(0, b"b")], b"at 2")
    assert await inlets.log(0) == [b"a", b"b"]
    assert await inlets.dead() == []
    assert await old.resume() == b"at 2"


async def test_a_closed_inlet_may_be_taken_up_again(inlets: Inlets) -> None:
    inlet = inlets.open("one")
    await inlet.close()
    await inlet.resume()
    await inlet.append([(1, b"a")], b"at 1")
    await inlet.close()
    await inlet.close()
    assert await inlet.resume() == b"at 1"


async def test_an_empty_checkpoint_forgets_the_source(inlets: Inlets) -> None:
    inlet = inlets.open("one")
    await inlet.resume()
    await inlet.append([(0, b"a")], b"")
    assert await inlets.open("one").resume() is None
    await inlet.resume()
    await inlet.append([(0, b"b")], b"at 2")
    await inlet.append([(0, b"c")], b"")
    assert await inlet.resume() is None
    assert await inlets.log(0) == [b"a", b"b", b"c"]


async def test_many_records_keep_their_order(inlets: Inlets) -> None:
    inlet = inlets.open("one")
    await inlet.resume()
    values = [b"%05d" % number for number in range(5_000)]
    await inlet.append([(int(value) % 3, value) for value in values], b"at 5000")
    for partition in range(3):
        assert await inlets.log(partition) == values[partition::3]


@pytest.mark.parametrize("at_once", [2, 7, 1_000])
async def test_records_of_a_partition_go_into_arrays_in_their_order(inlets: Inlets, at_once: int) -> None:
    inlet = inlets.open("one", at_once)
    await inlet.resume()
    for begin in (0, 100, 200):  # no array goes on over two steps
        records = [(number % 3 and 1, orjson.dumps({"n": number})) for number in range(begin, begin + 100)]
        await inlet.append(records, b"at %d" % begin, [b"bad"])
    ones = [number for number in range(300) if number % 3]
    log = await inlets.log(1)
    assert [record["n"] for record in records_in(log)] == ones
    assert [record["n"] for record in records_in(await inlets.log(0))] == list(range(0, 300, 3))
    sizes = [len(records_in([value])) for value in log]
    assert max(sizes) == min(at_once, 67)
    assert sum(size < at_once for size in sizes) <= 3
    assert await inlets.dead() == [b"bad"] * 3
    assert await inlets.open("one").resume() == b"at 200"


async def test_an_array_is_bounded_in_bytes_and_what_is_alone_is_none(inlets: Inlets) -> None:
    inlet = inlets.open("one", 1_000)
    await inlet.resume()
    values = [orjson.dumps({"n": number, "text": "x" * (number % 50 * 1_000)}) for number in range(100)]
    values.insert(70, orjson.dumps({"n": -1, "text": "x" * (2 * ARRAY_AT_MOST)}))
    await inlet.append([*((0, value) for value in values), (2, values[3])], b"at 1")
    log = await inlets.log(0)
    assert records_in(log) == [orjson.loads(value) for value in values]
    assert len(log) < 60
    assert values[70] in log  # alone, as it is
    assert max(len(value) for value in log if value != values[70]) <= ARRAY_AT_MOST
    assert await inlets.log(2) == [values[3]]
