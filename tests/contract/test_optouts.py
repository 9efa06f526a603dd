"""The contract of `engine.ports.OptOuts`: a no holds until a later yes."""

from __future__ import annotations

from engine.ports import OptOuts

ANNA, BERT, CARL = "a1" * 16, "b2" * 16, "a1" + "c3" * 15


async def test_nobody_has_opted_out_at_first(optouts: OptOuts) -> None:
    assert await optouts.holds([ANNA, BERT]) == [False, False]
    assert await optouts.holds([]) == []


async def test_an_opt_out_holds_once_it_was_added(optouts: OptOuts) -> None:
    await optouts.add({ANNA: 100, CARL: 100})
    assert await optouts.holds([BERT, CARL, ANNA]) == [False, True, True]


async def test_a_release_takes_back_what_is_not_newer(optouts: OptOuts) -> None:
    await optouts.add({ANNA: 100, BERT: 100, CARL: 100})
    await optouts.release({ANNA: 99, BERT: 100, CARL: 101})
    assert await optouts.holds([ANNA, BERT, CARL]) == [True, False, False]
    await optouts.release({BERT: 500})
    await optouts.add({BERT: 100})
    assert await optouts.holds([BERT]) == [True]


async def test_of_two_opt_outs_the_later_stands_in_whatever_order_they_come(optouts: OptOuts) -> None:
    late = 1_788_000_000_123_457
    await optouts.add({ANNA: late, BERT: late - 1})
    await optouts.add({ANNA: late - 1, BERT: late})
    await optouts.release({ANNA: late - 1, BERT: late - 1})
    assert await optouts.holds([ANNA, BERT]) == [True, True]
    await optouts.release({ANNA: late, BERT: late})
    assert await optouts.holds([ANNA, BERT]) == [False, False]


async def test_a_list_of_thousands_goes_in_at_once(optouts: OptOuts) -> None:
    names = [f"{number % 2:02x}{number:030x}" for number in range(5_000)]
    await optouts.add(dict.fromkeys(names, 7))
    assert all(await optouts.holds(names))
    await optouts.release(dict.fromkeys(names[:4_000], 7))
    assert sum(await optouts.holds(names)) == 1_000
