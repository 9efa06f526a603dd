"""One subscriber's story out of what the topics hold: packed, repeated, taken back, of others."""

from __future__ import annotations

from typing import Any

import orjson

from engine.care.lines import Story, receipts_from, to_json

KEY, OTHER = "a" * 32, "b" * 32


def line(id: str, at: int, outcome: str = "offer", key: str = KEY, **fields: Any) -> dict[str, Any]:
    return {"id": id, "at": at, "outcome": outcome, "rule": "hall", "subscriber_key": key, **fields}


def receipt(decision: str, t: int, status: str, key: str = KEY, **fields: Any) -> bytes:
    record = {"kind": "offer.receipt", "t": t, "decision": decision, "status": status, "subscriber_key": key}
    return orjson.dumps({**record, **fields})


def story(*messages: Any, since: int = 0, keys: tuple[str, ...] = (KEY,)) -> Story:
    found = Story(keys, since)
    found.lines((number, orjson.dumps(message)) for number, message in enumerate(messages))
    return found


def names(found: Story) -> list[tuple[str, int]]:
    return [(told.line["id"], told.line["at"]) for told in found.all()]


def test_refusals_are_unpacked_repeats_dropped_and_others_left_out() -> None:
    packed = [line("r1", 5, "refused"), line("r2", 6, "refused", OTHER), line("r3", 4, "refused")]
    found = story(line("o", 7), packed, line("o", 7), packed, line("x", 1, key=OTHER), line("o", 9))
    assert names(found) == [("r3", 4), ("r1", 5), ("o", 7), ("o", 9)]
    assert names(story(line("o", 7), packed, since=5)) == [("r1", 5), ("o", 7)]


def test_keys_of_the_number_and_of_the_imsi_make_one_story() -> None:
    assert names(story(line("o", 7), line("p", 6, key=OTHER), keys=(KEY, OTHER))) == [("p", 6), ("o", 7)]


def test_a_contact_that_was_removed_is_taken_back() -> None:
    found = story(line("o", 7), line("q", 8), {"release": "o", "subscriber_key": KEY, "t": 20})
    taken, kept = found.all()
    assert (taken.taken_back, taken.became()) == (20, "rejected, taken back: does not count")
    assert kept.taken_back is None


def test_of_a_hold_the_end_is_told_apart() -> None:
    waiting, ended = story(line("h", 3, "held"), line("g", 2, "held"), line("h", 9)).all()[::-1][1:]
    assert (waiting.line["id"], waiting.became()) == ("h", "decided anew when it ended")
    assert ended.became() == "waits for its end"


def test_the_first_end_counts_and_a_receipt_that_comes_twice_is_told_once() -> None:
    found = story(line("o", 7), line("p", 8), line("c", 9, "control"))
    found.receipts(
        [
            b'{"kind":"tick","t":1}',
            receipt("o", 10, "accepted"),
            receipt("o", 11, "failed", cause="27"),
            receipt("o", 11, "failed", cause="27"),
            receipt("o", 12, "delivered"),
            receipt("p", 10, "accepted"),
            receipt("o", 9, "expired", OTHER.replace("b", "c")),
        ]
    )
    first, second, control = found.all()
    assert [each["status"] for each in first.receipts] == ["accepted", "failed", "delivered"]
    assert first.became() == "failed (27): the network could not deliver it"
    assert second.became() == "accepted"
    assert control.became() == "not sent: held out, to compare with"
    assert to_json(first, "why")["receipts"][1] == {"t": 11, "status": "failed", "cause": "27"}


def test_without_receipts_the_ledger_is_asked_and_else_it_is_not_known() -> None:
    [told] = story(line("o", 7)).all()
    assert told.became() == "not known"
    told.standing = "consent.marketing"
    assert told.became() == "consent.marketing: no consent to marketing"


def test_receipts_are_looked_for_after_the_first_offer() -> None:
    found = story(line("r", 5, "refused"), line("c", 5, "control"), line("o", 7), line("p", 8))
    assert receipts_from(found.all()) == 2
    assert receipts_from(story(line("r", 5, "refused")).all()) is None


def test_it_is_said_when_a_subscriber_was_forgotten_last() -> None:
    gone = [{"forgotten": key, "subscriber_key": key, "t": t} for key, t in ((KEY, 8), (OTHER, 9), (KEY, 7))]
    found = story(line("o", 5), *gone, line("p", 10))
    assert (names(found), found.forgotten) == ([("p", 10)], 8)
    assert story(line("o", 5)).forgotten is None


def test_receipts_in_an_array_of_records_are_found() -> None:
    found = story(line("o", 7), line("q", 8))
    sight = {"kind": "loc.sight", "t": 9, "subscriber_key": KEY}
    other = orjson.loads(receipt("o", 10, "accepted"))
    found.receipts([orjson.dumps([sight, other, orjson.loads(receipt("q", 11, "delivered"))])])
    assert [[r["status"] for r in told.receipts] for told in found.all()] == [["accepted"], ["delivered"]]
