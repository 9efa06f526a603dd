"""A-B-A at a border: kept back until decided, or flagged from the second flip on."""

from __future__ import annotations

import orjson
import pytest
from pydantic import ValidationError

from engine.event import Event
from engine.treatments.kept_back import MOST_OF_ONE
from engine.treatments.ping_pong import PingPong
from engine.treatments.ping_pong_repeat import PingPongRepeat
from engine.treatments.where_options import PingPongOptions
from tests.unit.pipeline.stage import BAR, CAFE, KEY, STREET, Stage, rule, when
from tests.unit.treatments.support import FAR, MINUTE, A, B, C, at, event, held, shown, take

FLAGGED = ["no_trigger", "ping_pong"]


def repeated(**options: object) -> PingPongRepeat:
    return PingPongRepeat(PingPongOptions.model_validate({"mode": "repeat", **options}))


def test_a_return_in_time_takes_the_records_between_for_ping_pong() -> None:
    step = held()
    assert shown(take(step, event(0, A), event(60, B), event(100, B))) == [(0, A, [])]
    assert (step.parked, step.oldest) == (2, at(60))
    assert shown(take(step, event(180, A))) == [(60, B, FLAGGED), (100, B, FLAGGED), (180, A, [])]
    assert (step.parked, step.oldest) == (0, None)
    assert step.counts == {"collapsed": 1, "flagged": 2}


def test_a_return_too_late_is_another_move() -> None:
    step = held()
    out = shown(take(step, event(0, A), event(60, B), event(181, A)))
    assert out == [(0, A, []), (60, B, [])]
    assert shown(step.let_go()) == [(181, A, [])]
    assert step.counts == {"moved": 2}


def test_the_watermark_decides_when_nobody_returns() -> None:
    step = held()
    take(step, event(0, A), event(60, B))
    assert step.pass_time(at(180)) == []
    assert shown(step.pass_time(at(180) + 1)) == [(60, B, [])]
    assert shown(take(step, event(170, A))) == []  # now a change away from B
    assert shown(take(step, event(181, A))) == []
    assert shown(step.pass_time(at(400))) == [(170, A, []), (181, A, [])]


def test_what_is_not_only_a_place_loses_its_cell_and_nothing_else() -> None:
    step = held()
    take(step, event(0, A), event(60, B, "call.out", number="10086"), event(61, None, "sms.in"))
    call, sms, back = take(step, event(90, A))
    assert (call.fields["number"], call.cell, call.fields["quality"]) == ("10086", None, ["ping_pong"])
    assert "cell" not in call.fields
    assert "quality" not in sms.fields
    assert back.cell == A
    assert step.counts == {"collapsed": 1, "cell_taken": 1}


def test_nothing_of_a_subscriber_overtakes_nor_waits_for_another() -> None:
    step = held()
    take(step, event(0, A), event(0, A, key="other"))
    assert take(step, event(10, B), event(11, None, "recharge"), event(5, C)) == []
    assert shown(take(step, event(12, A, key="other"))) == [(12, A, [])]
    assert shown(take(step, event(13, A))) == [
        (10, B, FLAGGED),
        (11, None, []),
        (5, C, FLAGGED),  # late: it was no change, but it is not at A
        (13, A, []),
    ]


def test_a_third_cell_is_between_too_and_a_chain_of_moves_is_decided_one_by_one() -> None:
    step = held()
    take(step, event(0, A), event(10, B), event(50, C))
    assert shown(take(step, event(100, A))) == [(10, B, FLAGGED), (50, C, FLAGGED), (100, A, [])]
    take(step, event(200, B), event(300, C))
    assert shown(take(step, event(330, B))) == [(200, B, []), (300, C, FLAGGED), (330, B, [])]


def test_power_off_ends_it() -> None:
    step = held()
    take(step, event(0, A), event(10, B))
    assert shown(take(step, event(20, None, "power.off"))) == [(10, B, []), (20, None, [])]
    assert shown(take(step, event(30, A), event(31, None, "power.off"), event(40, B))) == [
        (30, A, []),
        (31, None, []),
        (40, B, []),
    ]


def test_after_an_hour_whereabouts_are_not_known_and_nothing_waits() -> None:
    step = held()
    assert shown(take(step, event(0, A), event(3_481, B))) == [(0, A, []), (3_481, B, [])]


def test_flagged_by_others_is_no_sighting() -> None:
    step = held()
    out = take(step, event(0, A), event(10, B, quality=["no_trigger"]), event(20, A))
    assert shown(out) == [(0, A, []), (10, B, ["no_trigger"]), (20, A, [])]


def test_cells_of_a_site_are_one_if_asked_for() -> None:
    sites = {A: "s1", B: "s1", C: "s2"}
    step = PingPong(PingPongOptions(same="site"), sites)
    assert shown(take(step, event(0, A), event(10, B))) == [(0, A, []), (10, B, [])]
    assert shown(take(step, event(20, C), event(30, A))) == [(20, C, FLAGGED), (30, A, [])]


def test_too_many_of_one_are_decided() -> None:
    step = held()
    take(step, event(0, A))
    out = take(step, *(event(1 + number / 10, B) for number in range(MOST_OF_ONE + 1)))
    assert len(out) == MOST_OF_ONE + 1
    assert all(flags == [] for _, _, flags in shown(out))
    assert step.counts == {"moved": 1, "overflowed": 1}


def test_too_many_in_all_are_decided_oldest_first() -> None:
    step = held(most=10)
    found: list[Event] = []
    for number in range(11):
        found += take(step, event(number, A, key=str(number)))
        found += take(step, event(number + 20, B, key=str(number)))
    assert [(each.key, each.cell) for each in found if each.cell == B] == [("0", B), ("1", B)]
    assert step.parked == 9


def test_a_feed_that_is_silent_keeps_nothing_back_and_flips_that_are_over_are_still_none() -> None:
    step = held()
    assert shown(take(step, event(0, A), event(60, B), event(70, C), event(80, B))) == [(0, A, [])]
    out = shown(step.let_go())
    assert (out, step.parked) == ([(60, B, []), (70, C, FLAGGED), (80, B, [])], 0)


def test_let_go_keeps_the_order_of_a_subscriber_who_is_let_go_in_part() -> None:
    step = held()
    take(step, event(0, A), event(10, B), event(20, C), event(21, None, "sms.in"))
    assert shown(step.let_go(keep=2)) == [(10, B, [])]
    assert shown(take(step, event(30, B))) == [(20, C, FLAGGED), (21, None, []), (30, B, [])]


def test_repeat_passes_the_first_flip_and_flags_those_that_follow() -> None:
    step = repeated()
    out = take(step, *(event(30 * number, (A, B)[number % 2]) for number in range(6)))
    assert shown(out) == [
        (0, A, []), (30, B, []), (60, A, []), (90, B, FLAGGED), (120, A, []), (150, B, FLAGGED),
    ]  # fmt: skip
    assert step.counts == {"flipped": 1, "flagged": 2}


def test_repeat_believes_who_stays() -> None:
    step = repeated()
    take(step, event(0, A), event(30, B), event(60, A))
    out = take(step, event(90, B), event(150, B, "call.in"), event(210, B), event(211, B), event(220, A))
    assert shown(out) == [
        (90, B, FLAGGED), (150, None, ["ping_pong"]), (210, B, FLAGGED), (211, B, []), (220, A, []),
    ]  # fmt: skip
    assert step.counts == {"flipped": 2, "flagged": 2, "cell_taken": 1, "moved": 1}


def test_repeat_believes_a_move_long_after_a_flip_and_a_third_cell() -> None:
    step = repeated()
    take(step, event(0, A), event(30, B), event(60, A))
    assert shown(take(step, event(181, B))) == [(181, B, [])]
    take(step, event(200, A))
    assert shown(take(step, event(210, C), event(220, A), event(215, B))) == [
        (210, C, []),
        (220, A, []),
        (215, B, []),
    ]


@pytest.mark.parametrize(
    "wrong", [{"within": 59_000_000}, {"within": 6 * MINUTE}, {"mode": "drop"}, {"most": 0}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        PingPongOptions.model_validate(wrong)


def test_in_the_engine_nothing_is_entered_and_calls_fire_as_ever() -> None:
    """The cafe for 30 s in the middle of an hour at the bar: with a call there."""

    def fired(step: PingPong | None) -> list[str]:
        on = Stage(rule("enter", {"enters": "cafe"}), rule("call", {"happens": "call.out"}))
        feed = [
            event_at(0, STREET), event_at(10, BAR), event_at(20, CAFE, "call.out"), event_at(20.5, BAR),
            event_at(40, BAR),
        ]  # fmt: skip
        made = [out for each in feed for out in (step.take(each) if step else (each,))]
        return sorted(line["rule"] for each in made for line in on.apply(each))

    assert fired(None) == ["call", "enter"]
    assert fired(held()) == ["call"]


def event_at(minute: float, cell: str, kind: str = "loc.update") -> Event:
    t = when(minute)
    fields = {"kind": kind, "t": t, "subscriber_key": KEY, "cell": cell, "source": "feed"}
    return Event(kind, t, KEY, fields, cell, t, f"e{minute}", "feed", "0:1")


def test_a_handover_that_lost_its_cell_still_says_which_one_it_left() -> None:
    step = held()
    take(step, event(0, A), event(60, B), event(62, B))
    out = take(step, event(90, None, "loc.handover", cell_prev=B))
    assert shown(out) == [(60, B, FLAGGED), (62, B, FLAGGED), (90, None, [])]
    assert step.counts == {"collapsed": 1, "flagged": 2}
    # they are taken to be where they were: the next sighting there is no change
    assert shown(take(step, event(200, A))) == [(200, A, [])]


@pytest.mark.parametrize(
    ("seconds", "kind", "origin"),
    [
        (90, "loc.handover", C),  # left a cell that they had not changed to
        (90, "loc.update", B),  # not a handover
        (181, "loc.handover", B),  # stayed longer than `within`
        (59, "loc.handover", B),  # before the change
    ],
)
def test_what_does_not_say_that_they_left_soon_is_no_return(seconds: int, kind: str, origin: str) -> None:
    step = held()
    take(step, event(0, A), event(60, B))
    assert take(step, event(seconds, None, kind, cell_prev=origin)) == []
    assert shown(step.let_go()) == [(60, B, []), (seconds, None, [])]


def test_a_restart_remembers_where_they_changed_to() -> None:
    before = held()
    take(before, event(0, A), event(60, B), event(65, B))
    after = held()
    after.restore(orjson.loads(orjson.dumps(before.pack())))
    assert take(after, event(70, None, "loc.handover", cell_prev=C)) == []
    out = take(after, event(80, None, "loc.handover", cell_prev=B))
    assert shown(out) == [(60, B, FLAGGED), (65, B, FLAGGED), (70, None, []), (80, None, [])]


def test_on_the_way_through_several_cells_one_that_was_left_takes_none_back() -> None:
    step = held()
    out = take(step, event(0, A), event(60, B), event(70, C), event(80, None, "loc.handover", cell_prev=C))
    assert shown([*out, *step.pass_time(at(181))]) == [
        (0, A, []), (60, B, []), (70, C, FLAGGED), (80, None, []),
    ]  # fmt: skip
    again = held()
    take(again, event(0, A), event(60, B), event(70, C))
    again.restore(orjson.loads(orjson.dumps(again.pack())))
    assert take(again, event(80, None, "loc.handover", cell_prev=B)) == []


def guessed(seconds: float, cell: str) -> Event:
    return event(seconds, cell, "loc.handover", quality=["guessed_time", "no_trigger"])


def test_a_record_without_a_time_of_its_own_is_a_return_and_nothing_else() -> None:
    step = held()
    assert shown(take(step, event(0, A), event(60, B), guessed(100, A))) == [
        (0, A, []),
        (60, B, FLAGGED),
        (100, A, ["guessed_time", "no_trigger"]),
    ]
    assert step.counts == {"collapsed": 1, "flagged": 1}
    # nobody is taken away by it
    assert shown(take(step, guessed(110, B), event(120, A))) == [
        (110, B, ["guessed_time", "no_trigger"]),
        (120, A, []),
    ]
    assert step.parked == 0


def test_one_that_left_the_cell_shows_it_too() -> None:
    step = held()
    left = event(100, C, "loc.handover", quality=["guessed_time", "no_trigger"], cell_prev=A)
    assert [each[:2] for each in shown(take(step, event(0, A), event(60, B), left))] == [
        (0, A),
        (60, B),
        (100, C),
    ]
    assert step.counts["collapsed"] == 1


@pytest.mark.parametrize(("seconds", "cell"), [(59, A), (181, A), (100, C), (100, B)])
def test_one_of_another_time_or_cell_is_no_return(seconds: int, cell: str) -> None:
    step = held()
    assert shown(take(step, event(0, A), event(60, B), guessed(seconds, cell))) == [(0, A, [])]
    assert [each[:2] for each in shown(step.let_go())] == [(60, B), (seconds, cell)]


def test_where_they_were_seen_is_as_sure_as_before() -> None:
    """The time it was given may be too late: what is seen before that is not overlooked for it."""
    step = held()
    take(step, event(0, A), event(60, B), guessed(100, A))
    assert shown(take(step, event(90, C))) == []
    assert shown(step.pass_time(at(400))) == [(90, C, [])]


def handed_over(seconds: float, cell: str | None, origin: str) -> Event:
    return event(seconds, cell, "loc.handover", cell_prev=origin)


def test_the_cell_that_a_change_says_it_left_is_one_to_return_to() -> None:
    """They went from A to C unseen, flipped to B, and were back in C."""
    step = held()
    assert shown(take(step, event(0, A), handed_over(60, B, C), handed_over(90, C, B))) == [
        (0, A, []),
        (60, B, FLAGGED),
        (90, C, []),
    ]
    # from there on they are in C
    assert shown(take(step, event(100, B), event(110, C))) == [(100, B, FLAGGED), (110, C, [])]


def test_a_sighting_there_between_is_believed() -> None:
    step = held()
    out = take(step, event(0, A), handed_over(60, B, C), handed_over(70, FAR, B), event(90, A))
    assert shown(out)[1:] == [(60, B, FLAGGED), (70, FAR, FLAGGED), (90, A, [])]


def test_a_handover_out_of_a_shows_that_they_had_been_back() -> None:
    """The return from B is missing: the next record is a handover from A to C."""
    step = held()
    assert shown(take(step, event(0, A), event(60, B), handed_over(100, C, A))) == [
        (0, A, []),
        (60, B, FLAGGED),
    ]
    assert (step.parked, step.counts["collapsed"]) == (1, 1)
    assert shown(step.pass_time(at(300))) == [(100, C, [])]


def test_a_copy_of_the_change_is_no_return() -> None:
    step = held()
    take(step, event(0, A), handed_over(60, B, A), handed_over(60, B, A))
    assert shown(step.pass_time(at(300))) == [(60, B, []), (60, B, [])]


def test_a_flip_alone_is_doubted_for_longer() -> None:
    step = held(within="2m", alone="15m")
    assert shown(take(step, event(0, A), event(60, B), event(150, B), event(900, A))) == [
        (0, A, []),
        (60, B, FLAGGED),
        (150, B, FLAGGED),
        (900, A, []),
    ]
    # one too late
    assert shown(take(step, event(1_000, B), event(1_901, A))) == [(1_000, B, [])]


@pytest.mark.parametrize(("again", "decided"), [(B, 180), (C, 180)])
def test_who_is_seen_elsewhere_for_longer_than_a_flip_was_there(again: str, decided: int) -> None:
    step = held(within="2m", alone="15m")
    take(step, event(0, A), event(60, B), event(151, again))
    assert step.pass_time(at(decided)) == []
    assert shown(step.pass_time(at(decided) + 1))[0] == (60, B, [])
    assert shown(take(step, event(185, A))) != [(185, A, [])]  # another move


def test_who_is_seen_elsewhere_again_much_later_was_there_all_the_time() -> None:
    step = held(within="2m", alone="15m")
    assert shown(take(step, event(0, A), event(60, B), event(400, B))) == [
        (0, A, []),
        (60, B, []),
        (400, B, []),
    ]


def test_alone_decides_by_the_watermark_at_its_end() -> None:
    step = held(within="2m", alone="15m")
    take(step, event(0, A), event(60, B))
    assert step.pass_time(at(960)) == []
    assert shown(step.pass_time(at(960) + 1)) == [(60, B, [])]


def test_a_restart_remembers_what_was_hastened() -> None:
    step, next_one = held(within="2m", alone="15m"), held(within="2m", alone="15m")
    take(step, event(0, A), event(60, B))
    step.pack()  # written once before it is hastened
    take(step, event(151, B))
    next_one.restore(orjson.loads(orjson.dumps(step.pack())))
    assert shown(next_one.pass_time(at(181))) == [(60, B, []), (151, B, [])]


@pytest.mark.parametrize("kind", ["loc.update", "power.on"])
def test_who_registers_elsewhere_was_there(kind: str) -> None:
    step = held(within="2m", alone="15m")
    assert shown(take(step, event(0, A), event(60, B, kind), event(181, A))) == [(0, A, []), (60, B, [])]
    again = held(within="2m", alone="15m")
    take(again, event(0, A), event(60, B), event(70, B, kind))
    assert shown(again.pass_time(at(181))) == [(60, B, []), (70, B, [])]
    # a return within `within` is one nevertheless
    once = held(within="2m", alone="15m")
    take(once, event(0, A), event(60, B, kind), event(180, A))
    assert once.counts["collapsed"] == 1


def test_who_stays_where_they_went_does_not_return_to_where_they_came_from() -> None:
    """The move from A to C is known by the handover from B: a flip to B later is one from C."""
    step = held(within="2m", alone="15m")
    take(step, event(0, A), handed_over(60, C, B), event(151, C))
    assert shown(take(step, handed_over(155, B, C))) == []
    assert shown(step.pass_time(at(181))) == [(60, C, []), (151, C, [])]
    assert shown(take(step, event(170, C))) == [(155, B, FLAGGED), (170, C, [])]


def test_a_cell_lost_later_may_be_that_of_a_flip_from_there() -> None:
    step = held(within="2m")
    out = take(step, event(0, A), event(60, B), handed_over(151, None, B))
    assert shown(out) == [(0, A, [])]
    assert shown(step.pass_time(at(181))) == [(60, B, []), (151, None, [])]
