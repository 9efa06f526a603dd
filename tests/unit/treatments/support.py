"""Events in few words, and a step driven through them."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from hypothesis import strategies as st

from engine.event import Event
from engine.treatments.chain import Chain
from engine.treatments.course import Course
from engine.treatments.ping_pong import PingPong
from engine.treatments.step import Step
from engine.treatments.where_options import PingPongOptions

SECOND = 1_000_000
MINUTE = 60 * SECOND
T = 1_790_000_000 * SECOND
A, B, C = "460-00-4301-101", "460-00-4301-102", "460-00-4302-21"
FAR = "460-00-9000-1"
"""C is 4 km, FAR is 100 km from A."""
POSITIONS = {A: (39.90, 116.40), B: (39.91, 116.40), C: (39.94, 116.40), FAR: (40.80, 116.40)}


def event(
    seconds: float, cell: str | None = A, kind: str = "loc.sight", key: str = "k", **fields: Any
) -> Event:
    """Return a record `seconds` after T; `start`: seconds of its `t_start`."""
    t = T + round(seconds * SECOND)
    record = {"kind": kind, "t": t, "subscriber_key": key, **fields}
    if cell is not None:
        record["cell"] = cell
    if "start" in record:
        record["t_start"] = T + round(record.pop("start") * SECOND)
    return Event(kind, t, key, record, cell, record.get("t_start", t), record.get("id"), "gn", "FILE:1")


def at(seconds: float) -> int:
    """Return a time in µs."""
    return T + round(seconds * SECOND)


def take(step: Step, *events: Event) -> list[Event]:
    """Give events to a step by itself, without a watermark."""
    return [out for each in events for out in step.take(each)]


def held(**options: object) -> PingPong:
    """Return `ping_pong` in mode `hold`, by its settings."""
    return PingPong(PingPongOptions.model_validate(options))


def shown(events: Iterable[Event]) -> list[tuple[float, str | None, list[str]]]:
    """Return seconds, cell and flags of events."""
    return [((each.t - T) / SECOND, each.cell, list(each.fields.get("quality") or ())) for each in events]


def plain(events: Iterable[Event]) -> list[tuple[dict[str, Any], str | None, int]]:
    """Return all of events that goes into the log or the engine."""
    return [(each.fields, each.cell, each.seen) for each in events]


def run(
    chain: Chain,
    events: Sequence[Event],
    disorder: int = 0,
    *,
    restart: tuple[int, Chain] | None = None,
) -> list[Event]:
    """Lead copies of events through a chain as the collector does.

    `restart`: before which event, and a chain as new that goes on from a pack, which goes through JSON.
    """
    course = Course(chain, disorder)
    found: list[Event] = []
    for number, each in enumerate(copy.deepcopy(list(events))):
        if restart is not None and number == restart[0]:
            packed = orjson.loads(orjson.dumps(course.pack()))
            course = Course(restart[1], disorder)
            course.restore(packed)
        found += course.take(each)
    return [*found, *course.let_go()]


KINDS = (
    "loc.sight",
    "loc.update",
    "loc.handover",
    "call.out",
    "data.session",
    "power.off",
    "power.on",
    "recharge",
)


@st.composite
def streams(
    draw: st.DrawFn, cells: Sequence[str | None] = (A, B, C, FAR, None), wild: bool = True
) -> list[Event]:
    """Draw a feed of three subscribers, disordered by up to 90 s, with long calls and copies."""
    found, seconds = [], 0
    for number in range(draw(st.integers(0, 30))):
        seconds += draw(st.sampled_from((0, 1, 20, 70, 200, 4_000)))
        kind = draw(st.sampled_from(KINDS))
        behind = draw(st.sampled_from((0, 0, 5, 90))) if wild else 0
        fields: dict[str, Any] = {"id": str(draw(st.integers(0, number)))}
        if kind in ("call.out", "data.session") and draw(st.booleans()):
            fields["start"] = seconds - behind - draw(st.sampled_from((1, 100, 1_000, 5_000)))
            if draw(st.booleans()):
                fields["cell_end"] = draw(st.sampled_from((A, B, C)))
        if draw(st.integers(0, 9)) == 0:
            fields["quality"] = [draw(st.sampled_from(("no_trigger", "dup")))]
        cell, key = draw(st.sampled_from(cells)), draw(st.sampled_from("xyz"))
        found.append(event(seconds - behind, cell, kind, key, **fields))
    return found
