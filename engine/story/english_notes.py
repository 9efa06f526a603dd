"""What each kind of case is about, in English."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.story.english_tables import FIELDS, PURPOSES
from engine.story.props import Trouble
from engine.story.scene import Note
from engine.story.wording import Names, Words


def _value(words: Words, note: Note, names: Names) -> str:
    return words.value(names.value(note.field, note.value), note.type)


def _asked(words: Words, note: Note, names: Names) -> str:
    return words.asked(note.test, names) if note.test is not None else ""


def _part(words: Words, note: Note, names: Names) -> str:
    return words.clause(note.pattern, names) if note.pattern is not None else ""


def _if(words: Words, note: Note, names: Names) -> str:
    return f"the “{_asked(words, note, names)}” of message {note.amount}"


def _differing(words: Words, note: Note, names: Names) -> str:
    return f", {names.field(note.field)}: {_value(words, note, names)}" if note.field else ""


Phrase = Callable[[Words, Note, Names], str]
NOTES: Final[dict[str, Phrase]] = {
    "plain": lambda w, n, c: "the plain case",
    "again": lambda w, n, c: "again",
    "seen_again": lambda w, n, c: "seen again inside: still one visit",
    "never_inside": lambda w, n, c: "was never seen inside",
    "lost": lambda w, n, c: f"not seen for more than {w.duration(n.amount)}: no longer known to be inside",
    "just_seen": lambda w, n, c: f"last seen exactly {w.duration(n.amount)} before: still known to be inside",
    "back_again": lambda w, n, c: f"left early and came back: the {w.duration(n.amount)} begin again",
    "left_before": lambda w, n, c: f"1 second short of {w.duration(n.amount)}",
    "left_at": lambda w, n, c: "gone in the very second that counts",
    "left_after": lambda w, n, c: f"the full {w.duration(n.amount)}",
    "unseen_at": lambda w, n, c: f"last seen more than {w.duration(n.amount)} before: still there or not, "
    "nobody knows",
    "seen_at": lambda w, n, c: f"last seen exactly {w.duration(n.amount)} before: known to be there",
    "too_few": lambda w, n, c: f"{n.more} instead of {n.amount}",
    "one_more": lambda w, n, c: f"one more than {n.amount} is no second match",
    "window_out": lambda w, n, c: f"exactly {w.duration(n.amount)} apart: the first no longer counts",
    "window_in": lambda w, n, c: f"1 second less than {w.duration(n.amount)} apart: the first still counts",
    "too_little": lambda w, n, c: f"{_value(w, n, c)} in all, just too little",
    "enough": lambda w, n, c: f"{_value(w, n, c)} in all, just enough",
    "passes": lambda w, n, c: f"{FIELDS[n.field]} {_value(w, n, c)}, just inside “{_asked(w, n, c)}”",
    "fails": lambda w, n, c: f"{FIELDS[n.field]} {_value(w, n, c)} is not “{_asked(w, n, c)}”"
    if n.field != "place" else f"in {c.place(str(n.value))}, which is not “{_asked(w, n, c)}”",
    "unknown": lambda w, n, c: f"without a known {FIELDS[n.field]}",
    "barred": lambda w, n, c: f"the “unless” of {FIELDS[n.field]} holds",
    "barred_unknown": lambda w, n, c: f"{FIELDS[n.field]} unknown: it may be what “unless” says",
    "lacking": lambda w, n, c: f"all of it, but for this: {_part(w, n, c)}",
    "next_member": lambda w, n, c: "going on from one to another enters that one too",
    "to_member": lambda w, n, c: "going on from one to another leaves nothing",
    "left_members": lambda w, n, c: "by way of another of them, then out of all",
    "split_stay": lambda w, n, c: f"the {w.duration(n.amount)} in two places, not in one",
    "once_inside": lambda w, n, c: "once inside, this counts by itself",
    "but_for": lambda w, n, c: f"all but the line {n.field} holds",
    "wrong_order": lambda w, n, c: "in the wrong order",
    "other_order": lambda w, n, c: "in the other order",
    "cancelled": lambda w, n, c: f"it happened within the {w.duration(n.amount)} after all",
    "too_late_to_cancel": lambda w, n, c: f"1 second after the {w.duration(n.amount)}: too late to matter",
    "before_wait": lambda w, n, c: "what happened before the wait does not matter",
    "wait_anew": lambda w, n, c: f"the {w.duration(n.amount)} begin anew",
    "who_passes": lambda w, n, c: f"{c.field(n.field)}: {_value(w, n, c)}, just inside “{_asked(w, n, c)}”",
    "who_fails": lambda w, n, c: f"{c.field(n.field)}: {_value(w, n, c)} instead of “{_asked(w, n, c)}”",
    "who_unknown": lambda w, n, c: f"{c.field(n.field)}: not known",
    "who_listed": lambda w, n, c: f"{c.field(n.field)}: {_value(w, n, c)}, one of “{_asked(w, n, c)}”",
    "if_passes": lambda w, n, c: f"{c.field(n.field)}: {_value(w, n, c)}, within {_if(w, n, c)}",
    "if_fails": lambda w, n, c: f"{c.field(n.field)}: {_value(w, n, c)} instead of {_if(w, n, c)}",
    "if_unknown": lambda w, n, c: f"{c.field(n.field)}: not known instead of {_if(w, n, c)}",
    "except_bars": lambda w, n, c: f"{c.field(n.field)}: {_value(w, n, c)}, which is excepted",
    "except_unknown": lambda w, n, c: f"{c.field(n.field)}: not known, so it may be excepted",
    "no_consent": lambda w, n, c: f"no consent to {PURPOSES[n.field]}",
    "consent_unknown": lambda w, n, c: f"consent to {PURPOSES[n.field]} not known",
    "message": lambda w, n, c: f"message {n.amount}{_differing(w, n, c)}",
    "no_message": lambda w, n, c: f"no message fits{_differing(w, n, c)}",
    "control": lambda w, n, c: "a subscriber who is held out",
    "restart": lambda w, n, c: "a restart of the engine in between changes nothing",
    "second_soon": lambda w, n, c: f"again {w.duration(n.amount)} later",
    "second_early": lambda w, n, c: f"again {w.duration(n.amount)} later, 1 second too soon",
    "second_free": lambda w, n, c: f"again {w.duration(n.amount)} later, when it is free again",
    "task_again": lambda w, n, c: f"again {w.duration(n.amount)} later: no cap of the house counts a task",
    "quiet_task": lambda w, n, c: "the first second of quiet time, which holds no task",
    "quiet_before": lambda w, n, c: "the last second before quiet time",
    "quiet_start": lambda w, n, c: "the first second of quiet time",
    "quiet_last": lambda w, n, c: "the last second of quiet time",
    "quiet_end": lambda w, n, c: "quiet time is just over",
    "waits_too_long": lambda w, n, c: "1 second too long before the end of quiet time",
    "waits_long_enough": lambda w, n, c: "just near enough to the end of quiet time",
    "valid_first": lambda w, n, c: "at the very start of the rule's dates",
    "valid_before": lambda w, n, c: "just before the rule's dates",
    "valid_last": lambda w, n, c: "at the very end of the rule's dates",
    "valid_after": lambda w, n, c: "just after the rule's dates",
    "hours_before": lambda w, n, c: "1 second before the rule's hours",
    "hours_start": lambda w, n, c: "the first moment of the rule's hours",
    "hours_last": lambda w, n, c: "the last second of the rule's hours",
    "hours_end": lambda w, n, c: "the rule's hours are just over",
    "other_day": lambda w, n, c: "a day on which the rule does not look",
}  # fmt: skip
"""Kind of case -> what it is about."""


def _hears(words: Words, trouble: Trouble, names: Names) -> str:
    assert trouble.pattern is not None
    assert trouble.other is not None
    what, other = words.clause(trouble.pattern, names), words.clause(trouble.other, names)
    if what == other:
        return f"“{what}” stands in it twice, and what happens for one could count for the other"
    return f"what happens for “{other}” could count for “{what}” as well, or keep it from coming"


Said = Callable[[Words, Trouble, Names], str]
TROUBLES: Final[dict[str, Said]] = {
    "cells": lambda w, t, c: f"no place of {t.place} has a cell",
    "value": lambda w, t, c: f"no {FIELDS[t.field]} tried passes all lines about it",
    "field": lambda w, t, c: f"in cases, {FIELDS[t.field]} is not free to choose",
    "many": lambda w, t, c: f"it takes {t.amount} records or more, which is more than a case plays",
    "room": lambda w, t, c: f"{w.duration(t.amount)} has no room for all of it, a second or more apart",
    "hears": _hears,
    "resident": lambda w, t, c: "in a story it is known of nobody where they live or work",
    "contacts": lambda w, t, c: f"it takes more than {t.amount} offers to one subscriber",
    "apart": lambda w, t, c: (
        f"matches as far apart as cases keep them, so many, do not fit into {w.duration(t.amount)}"
    ),
    "schedule": lambda w, t, c: "the rule's schedule has no moment at which it matters",
    "person": lambda w, t, c: "no subscriber tried is decided by this line alone",
    "same": lambda w, t, c: "every case tried comes out the same without it",
}
"""Kind of trouble -> why a case can't be made."""
