"""10 km at 55 m/s: which of two records is wrong, and when the other is believed."""

from __future__ import annotations

from engine.treatments.impossible_moves import ImpossibleMoves
from engine.treatments.where_options import ImpossibleMovesOptions
from tests.unit.treatments.support import FAR, POSITIONS, A, B, C, event, shown, take

FLAGGED = ["no_trigger", "impossible_move"]
ELSEWHERE = "460-00-9999-1"
TABLE = {**POSITIONS, ELSEWHERE: (38.0, 116.4), "460-00-9000-2": (40.81, 116.40)}
FAR_2 = "460-00-9000-2"


def step(**options: object) -> ImpossibleMoves:
    return ImpossibleMoves(ImpossibleMovesOptions.model_validate(options), TABLE)


def test_one_outlier_between_two_that_agree_is_flagged() -> None:
    moves = step()
    out = take(moves, event(0, A), event(60, FAR), event(120, B), event(180, A))
    assert shown(out) == [(0, A, []), (60, FAR, FLAGGED), (120, B, []), (180, A, [])]
    assert moves.counts == {"flagged": 1}


def test_a_call_far_away_loses_its_cell_and_nothing_else() -> None:
    _, call = take(step(), event(0, A), event(60, FAR, "call.out", number="10086"))
    assert (call.cell, call.fields["quality"], call.fields["number"]) == (None, ["impossible_move"], "10086")


def test_who_is_seen_there_again_and_again_is_believed() -> None:
    moves = step()
    out = take(
        moves, event(0, A), event(60, FAR), event(61, FAR_2), event(70, FAR), event(80, FAR_2), event(90, A)
    )
    assert shown(out) == [
        (0, A, []), (60, FAR, FLAGGED), (61, FAR_2, FLAGGED), (70, FAR, []), (80, FAR_2, []),
        (90, A, FLAGGED),
    ]  # fmt: skip
    assert moves.counts == {"flagged": 3, "confirmed": 1}


def test_outliers_that_do_not_agree_begin_a_new_row() -> None:
    out = take(
        step(),
        event(0, A),
        event(60, FAR),
        event(70, ELSEWHERE),
        event(80, FAR),
        event(90, FAR),
        event(95, FAR),
    )
    assert [flags for _, _, flags in shown(out)] == [[], FLAGGED, FLAGGED, FLAGGED, FLAGGED, []]


def test_both_distance_and_speed_have_to_be_reached() -> None:
    # 100.08 km: 55 m/s takes 1,819.6 s
    assert [flags for _, _, flags in shown(take(step(), event(0, A), event(1_820, FAR)))] == [[], []]
    assert [flags for _, _, flags in shown(take(step(), event(0, A), event(1_819, FAR)))] == [[], FLAGGED]
    # 4.45 km at once
    assert [flags for _, _, flags in shown(take(step(), event(0, A), event(0, C)))] == [[], []]
    assert [flags for _, _, flags in shown(take(step(distance=4_000), event(0, A), event(0, C)))] == [
        [],
        FLAGGED,
    ]
    assert [flags for _, _, flags in shown(take(step(distance=4_500), event(0, A), event(0, C)))] == [[], []]


def test_out_of_order_and_without_a_position_change_nothing() -> None:
    moves = step()
    out = take(
        moves, event(100, A), event(50, FAR), event(101, "460-00-1-1"), event(102, None, "power.off"),
        event(110, FAR, "power.off"), event(103, FAR, quality=["no_trigger"]), event(120, B),
    )  # fmt: skip
    assert not moves.counts
    assert [each.cell for each in out] == [A, FAR, "460-00-1-1", None, FAR, FAR, B]


def test_one_that_the_outlier_overtook_is_judged_by_what_is_believed() -> None:
    moves = step()
    take(moves, event(0, A), event(100, FAR))
    assert shown(take(moves, event(50, B), event(60, FAR))) == [(50, B, []), (60, FAR, FLAGGED)]
    # the row goes on: 100, 110, 120
    assert shown(take(moves, event(110, FAR), event(120, FAR))) == [(110, FAR, FLAGGED), (120, FAR, [])]


def test_a_subscriber_of_whom_nothing_is_remembered_begins_anew() -> None:
    moves = step(subscribers=1)
    take(moves, event(0, A), event(1, A, key="other"))
    assert shown(take(moves, event(2, FAR))) == [(2, FAR, [])]


def test_a_jump_after_a_silence_is_taken_back_by_the_next_sighting() -> None:
    moves = step()
    out = take(moves, event(0, A), event(3_600, FAR), event(3_660, A), event(3_700, B))
    assert [flags for _, _, flags in shown(out)] == [[], [], [], []]
    assert moves.counts == {"returned": 1}
    restored = step()
    take(moves, event(9_000, FAR))
    restored.restore(moves.pack())
    assert [flags for _, _, flags in shown(take(restored, event(9_060, A)))] == [[]]


def test_a_jump_that_was_seen_twice_is_not_taken_back_by_one_sighting() -> None:
    moves = step()
    out = take(moves, event(0, A), event(3_600, FAR), event(3_630, FAR), event(3_660, A))
    assert [flags for _, _, flags in shown(out)][-1] == ["no_trigger", "impossible_move"]
