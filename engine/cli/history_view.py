"""What `touchpoint history` prints: what is known now, then a line per decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.care.lines import Told
from engine.care.standing import Standing
from engine.cli.console import say, table
from engine.trace.words import say as in_words
from engine.trace.words import say_time

SECOND = 1_000_000
_HEAD = ("when", "rule", "outcome", "why", "place", "channel", "what became of it", "text")


def show_subscriber(
    keys: Sequence[str], states: Sequence[Standing], opted_out: bool | None, timezone: str
) -> None:
    """Print who it is and what is known of them now; `opted_out`: None = not asked."""
    say(f"subscriber  {keys[0]}, times of {timezone}")
    if opted_out is not None:
        say(f"opted out   {in_words(opted_out)}")
    for state in states:
        if state.subscriber_key != keys[0]:
            say(f"number      {state.subscriber_key}: records from before a profile bound it")
        _show(state, timezone)


def before(forgotten: int, timezone: str) -> str:
    """Say that there were decisions, perhaps; `forgotten`: when the subscriber was, µs."""
    return f"decisions before {say_time(forgotten // SECOND * SECOND, timezone)} are not shown: forgotten"


def show_decisions(
    told: Sequence[tuple[Told, str]], timezone: str, places: Mapping[str, str], forgotten: int | None = None
) -> None:
    """Print decisions, each with its reason in words, oldest first; `forgotten`: see `before`."""
    say()
    if forgotten is not None:
        say(before(forgotten, timezone))
    if not told and forgotten is None:
        say("no decision that is kept")
    if not told:
        return
    table(_HEAD, [_row(one, why, timezone, places) for one, why in told])


def _row(told: Told, why: str, timezone: str, places: Mapping[str, str]) -> tuple[str, ...]:
    line = told.line
    became = told.became()
    end = told.end
    if end is not None:
        became += f", {say_time(end['t'] // 1_000_000 * 1_000_000, timezone)}"
    elif line["outcome"] == "held" and not told.ended:
        became += f", {say_time(line['due'], timezone)}"
    place = line["place"]
    return (
        say_time(line["at"], timezone),
        line["rule"],
        line["outcome"],
        why,
        places.get(place, place) or "",
        line["channel"] or "",
        became,
        " ".join((line["text"] or "").split()) if line["outcome"] != "refused" else "",
    )


def _show(state: Standing, timezone: str) -> None:
    consent = "; ".join(f"{purpose}: {in_words(given)}" for purpose, given in state.consent.items())
    stopped = "; suppressed: opted out by a reply, or complained" if state.suppressed else ""
    say(f"consent     {consent or 'none known'}{stopped}")
    say(f"number      {'bound by a profile' if state.bound else 'none bound: nothing can be sent'}")
    say(f"place       {_place(state, timezone)}")
    waiting = [f"{rule}, held until {say_time(due, timezone)}" for rule, due in state.holds]
    say(f"waiting     {'; '.join(waiting) or 'nothing'}")
    counted = ", ".join(f"{count} {what}" for what, count in sorted(state.contacts.items()))
    last = f"; last {say_time(state.last_contact, timezone)}" if state.last_contact is not None else ""
    say(f"contacts    {counted or 'none'}{last}")


def _place(state: Standing, timezone: str) -> str:
    if state.seen_at is None:
        return "never seen at a cell"
    where = f"in {', '.join(state.inside)}" if state.inside else "in no place of the catalogue"
    since = "" if state.known else "; whereabouts unknown since"
    return f"seen {say_time(state.seen_at, timezone)}, {where}{since}"
