"""What each kind of case is about, in Chinese."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from engine.story.chinese_tables import FIELDS, PURPOSES
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
    return f"第{note.amount}条消息的“{_asked(words, note, names)}”"


def _differing(words: Words, note: Note, names: Names) -> str:
    return f"，{names.field(note.field)}：{_value(words, note, names)}" if note.field else ""


Phrase = Callable[[Words, Note, Names], str]
NOTES: Final[dict[str, Phrase]] = {
    "plain": lambda w, n, c: "一般情况",
    "again": lambda w, n, c: "再次",
    "seen_again": lambda w, n, c: "再次出现仍属同一次到访",
    "never_inside": lambda w, n, c: "此前从未在其中",
    "lost": lambda w, n, c: f"超过{w.duration(n.amount)}未出现，已无法确定是否在其中",
    "just_seen": lambda w, n, c: f"恰好{w.duration(n.amount)}前出现过，仍视为在其中",
    "back_again": lambda w, n, c: f"提前离开后返回，{w.duration(n.amount)}重新计时",
    "left_before": lambda w, n, c: f"差1秒满{w.duration(n.amount)}",
    "left_at": lambda w, n, c: "恰在满时的那一秒离开",
    "left_after": lambda w, n, c: f"满{w.duration(n.amount)}",
    "unseen_at": lambda w, n, c: f"超过{w.duration(n.amount)}未出现，无法确定是否仍在",
    "seen_at": lambda w, n, c: f"恰好{w.duration(n.amount)}前出现过，视为仍在",
    "too_few": lambda w, n, c: f"只有{n.more}次，差1次到{n.amount}次",
    "one_more": lambda w, n, c: f"超过{n.amount}次不会再次触发",
    "window_out": lambda w, n, c: f"恰好相隔{w.duration(n.amount)}，第一次不再计入",
    "window_in": lambda w, n, c: f"相隔比{w.duration(n.amount)}少1秒，第一次仍计入",
    "too_little": lambda w, n, c: f"累计{_value(w, n, c)}，略有不足",
    "enough": lambda w, n, c: f"累计{_value(w, n, c)}，恰好达到",
    "passes": lambda w, n, c: f"{FIELDS[n.field]}{_value(w, n, c)}，恰好满足“{_asked(w, n, c)}”",
    "fails": lambda w, n, c: f"{FIELDS[n.field]}{_value(w, n, c)}，不满足“{_asked(w, n, c)}”"
    if n.field != "place" else f"在{c.place(str(n.value))}，不满足“{_asked(w, n, c)}”",
    "unknown": lambda w, n, c: f"{FIELDS[n.field]}未知",
    "barred": lambda w, n, c: f"{FIELDS[n.field]}属于unless排除的情况",
    "barred_unknown": lambda w, n, c: f"{FIELDS[n.field]}未知，可能属于unless排除的情况",
    "lacking": lambda w, n, c: f"其余都发生，只缺“{_part(w, n, c)}”",
    "next_member": lambda w, n, c: "从一处到另一处，也算进入后者",
    "to_member": lambda w, n, c: "从一处到另一处，不算离开",
    "left_members": lambda w, n, c: "经过其中另一处，再到全部范围之外",
    "split_stay": lambda w, n, c: f"{w.duration(n.amount)}分在两处，不在同一处",
    "once_inside": lambda w, n, c: "已在其中，此行为单独计入",
    "but_for": lambda w, n, c: f"除{n.field}外均满足",
    "wrong_order": lambda w, n, c: "顺序颠倒",
    "other_order": lambda w, n, c: "先后互换",
    "cancelled": lambda w, n, c: f"在{w.duration(n.amount)}内发生了",
    "too_late_to_cancel": lambda w, n, c: f"在{w.duration(n.amount)}过后1秒才发生，已无影响",
    "before_wait": lambda w, n, c: "发生在等待开始之前，没有影响",
    "wait_anew": lambda w, n, c: f"{w.duration(n.amount)}重新计时",
    "who_passes": lambda w, n, c: f"{c.field(n.field)}：{_value(w, n, c)}，恰好满足“{_asked(w, n, c)}”",
    "who_fails": lambda w, n, c: f"{c.field(n.field)}：{_value(w, n, c)}，不满足“{_asked(w, n, c)}”",
    "who_unknown": lambda w, n, c: f"{c.field(n.field)}未知",
    "who_listed": lambda w, n, c: f"{c.field(n.field)}：{_value(w, n, c)}，属于“{_asked(w, n, c)}”",
    "if_passes": lambda w, n, c: f"{c.field(n.field)}：{_value(w, n, c)}，符合{_if(w, n, c)}",
    "if_fails": lambda w, n, c: f"{c.field(n.field)}：{_value(w, n, c)}，不符合{_if(w, n, c)}",
    "if_unknown": lambda w, n, c: f"{c.field(n.field)}未知，不符合{_if(w, n, c)}",
    "except_bars": lambda w, n, c: f"{c.field(n.field)}：{_value(w, n, c)}，属于排除对象",
    "except_unknown": lambda w, n, c: f"{c.field(n.field)}未知，可能属于排除对象",
    "no_consent": lambda w, n, c: f"未同意{PURPOSES[n.field]}",
    "consent_unknown": lambda w, n, c: f"是否同意{PURPOSES[n.field]}未知",
    "message": lambda w, n, c: f"第{n.amount}条消息{_differing(w, n, c)}",
    "no_message": lambda w, n, c: f"没有适用的消息{_differing(w, n, c)}",
    "control": lambda w, n, c: "对照组用户",
    "restart": lambda w, n, c: "中途重启引擎，结果不变",
    "second_soon": lambda w, n, c: f"{w.duration(n.amount)}后再次满足",
    "second_early": lambda w, n, c: f"{w.duration(n.amount)}后再次满足，早了1秒",
    "second_free": lambda w, n, c: f"{w.duration(n.amount)}后再次满足，限制已解除",
    "task_again": lambda w, n, c: f"{w.duration(n.amount)}后再次满足，人工任务不计入全局上限",
    "quiet_task": lambda w, n, c: "免打扰时段第一秒，人工任务照常下达",
    "quiet_before": lambda w, n, c: "免打扰时段前最后一秒",
    "quiet_start": lambda w, n, c: "免打扰时段第一秒",
    "quiet_last": lambda w, n, c: "免打扰时段最后一秒",
    "quiet_end": lambda w, n, c: "免打扰时段刚结束",
    "waits_too_long": lambda w, n, c: "距免打扰时段结束多出1秒，等待过长",
    "waits_long_enough": lambda w, n, c: "距免打扰时段结束恰好可以等待",
    "valid_first": lambda w, n, c: "有效期刚开始",
    "valid_before": lambda w, n, c: "有效期开始之前",
    "valid_last": lambda w, n, c: "有效期即将结束",
    "valid_after": lambda w, n, c: "有效期刚结束",
    "hours_before": lambda w, n, c: "规则时段开始前1秒",
    "hours_start": lambda w, n, c: "规则时段的第一刻",
    "hours_last": lambda w, n, c: "规则时段的最后一秒",
    "hours_end": lambda w, n, c: "规则时段刚结束",
    "other_day": lambda w, n, c: "不在规则生效的日子",
}  # fmt: skip
"""Kind of case -> what it is about."""


def _hears(words: Words, trouble: Trouble, names: Names) -> str:
    assert trouble.pattern is not None
    assert trouble.other is not None
    what, other = words.clause(trouble.pattern, names), words.clause(trouble.other, names)
    if what == other:
        return f"“{what}”出现两次，为其一发生的行为可能被另一处计入"
    return f"为“{other}”发生的行为可能计入“{what}”，或使其无法发生"


Said = Callable[[Words, Trouble, Names], str]
TROUBLES: Final[dict[str, Said]] = {
    "cells": lambda w, t, c: f"{t.place}没有小区",
    "value": lambda w, t, c: f"没有试到符合全部条件的{FIELDS[t.field]}",
    "field": lambda w, t, c: f"用例中不能任意设定{FIELDS[t.field]}",
    "many": lambda w, t, c: f"需要{t.amount}条以上记录，超出用例的限度",
    "room": lambda w, t, c: f"{w.duration(t.amount)}内容不下全部行为，每次至少相隔1秒",
    "hears": _hears,
    "resident": lambda w, t, c: "用例中的用户在何处居住或工作均未知",
    "contacts": lambda w, t, c: f"需要向同一用户发送超过{t.amount}次",
    "apart": lambda w, t, c: f"{w.duration(t.amount)}内容不下这么多次、按用例间隔的满足",
    "schedule": lambda w, t, c: "规则的时段内没有与其相关的时刻",
    "person": lambda w, t, c: "没有试到仅由此行决定的用户",
    "same": lambda w, t, c: "没有此行，试过的用例结果都不变",
}
"""Kind of trouble -> why a case can't be made."""
