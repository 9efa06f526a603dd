"""All of it together: batches of any size, crashes at any point, records out of order."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.identity.support import ALL, DAY, MINUTE, SECOND, T0, Feed, row, shown

IMSIS = ("460001234567890", "460009876543210", "440101234567890")
NUMBERS = ("+8613912345678", "13800001111")
IMEIS = ("86990431123456", "86990321123456", "35675904123456", "00440109123456")
PLMNS = ("46000", "46002", "44010", "45005", "90114")
KINDS = ("loc.update", "call.out", "power.on")


@st.composite
def feeds(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows of a few people, with gaps from seconds to days, each perhaps a little late."""
    at, rows = 0, []
    for number in range(draw(st.integers(1, 25))):
        at += draw(st.sampled_from([0, SECOND, 20 * SECOND, 5 * MINUTE, DAY]))
        late = draw(st.sampled_from([0, 0, 0, 3 * SECOND, MINUTE]))
        who = draw(st.integers(1, 3))  # IMSI, number or both
        fields = {"id": f"r{number}"}
        if who & 1:
            fields["imsi"] = draw(st.sampled_from(IMSIS))
        if who & 2:
            fields["msisdn"] = draw(st.sampled_from(NUMBERS))
        if draw(st.booleans()):
            fields["imei"] = draw(st.sampled_from(IMEIS))
        if draw(st.booleans()):
            fields["plmn"] = draw(st.sampled_from(PLMNS))
        rows.append(row(max(at - late, 0), draw(st.sampled_from(KINDS)), **fields))
    return rows


@given(feeds(), st.data())
@settings(max_examples=80, deadline=None)
def test_batches_and_crashes_change_nothing(rows: list[dict[str, Any]], data: st.DataObject) -> None:
    straight = Feed(ALL)
    for each in rows:
        straight.read([each])
    straight.time(T0 + 400 * DAY)

    feed = Feed(ALL)
    checkpoint, done = feed.checkpoint(), 0
    while done < len(rows):
        size = data.draw(st.integers(1, 5))
        written = len(feed.log)
        feed.read(rows[done : done + size])
        crash = data.draw(st.sampled_from(["none", "before the log", "after the log"]))
        if crash == "before the log":  # the memory may have been written already; nothing else was
            if data.draw(st.booleans()):
                feed.checkpoint()
            del feed.log[written:]
            feed.start(checkpoint)
            continue
        checkpoint, done = feed.checkpoint(), done + size
        if crash == "after the log":
            feed.start(checkpoint)
    feed.time(T0 + 400 * DAY)
    assert shown(feed.log) == shown(straight.log)


@given(feeds())
@settings(max_examples=80, deadline=None)
def test_every_row_comes_out_once_and_those_of_a_key_in_their_order(rows: list[dict[str, Any]]) -> None:
    feed = Feed(ALL)
    for each in rows:
        feed.read([each])
    feed.time(T0 + 400 * DAY)
    out = [event for event in feed.log if (event.id or "").startswith("r")]
    assert sorted(event.id or "" for event in out) == sorted(each["id"] for each in rows)
    order = {each["id"]: number for number, each in enumerate(rows)}
    by_identity: dict[Any, list[int]] = {}
    for event in out:
        number = order[event.id or ""]
        by_identity.setdefault((rows[number].get("imsi"), rows[number].get("msisdn")), []).append(number)
    assert all(numbers == sorted(numbers) for numbers in by_identity.values())
    ids = [event.id for event in feed.log]
    assert len(set(ids)) == len(ids)


@given(feeds())
@settings(max_examples=40, deadline=None)
def test_late_copies_derive_nothing(rows: list[dict[str, Any]]) -> None:
    """A row that comes again when all is over changes nothing that was derived."""
    feed = Feed(ALL)
    feed.read(rows)
    feed.time(T0 + 400 * DAY)
    last = {who: max(r["t"] for r in rows if r.get("imsi") == who) for who in {r.get("imsi") for r in rows}}
    again = [r for r in rows if r.get("imsi") is not None and r["t"] < last[r["imsi"]]]
    kept = {
        (memory, key): value
        for memory in ("handsets", "roaming")
        for key, value in feed.memories.memory(memory, 0, 0).items()
        if value[2 if memory == "handsets" else 3] >= T0 + 1  # it has changed at least once
    }
    feed.read([r for r in again if _is_older(feed, r, kept)])
    for (memory, key), value in kept.items():
        now = dict(feed.memories.memory(memory, 0, 0).items())[key]
        assert now[1] == value[1], memory


def _is_older(feed: Feed, record: dict[str, Any], kept: dict[tuple[str, str], Any]) -> bool:
    key = feed.identity.of_imsi(record["imsi"])
    changed = [v[2 if memory == "handsets" else 3] for (memory, who), v in kept.items() if who == key]
    return bool(changed) and record["t"] <= min(changed)
