"""A rule file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

from engine.event_kinds import KINDS
from engine.language import compile, schedule
from engine.language.checks.channels import CHANNELS
from engine.language.checks.events import EVENTS
from engine.language.checks.opt_out import OPT_OUT
from engine.language.checks.placeholders import Scope
from engine.language.checks.signature import SIGNATURE
from engine.language.describe import WORDS, key
from engine.language.editor import patterns
from engine.language.editor.fields import lines
from engine.language.editor.scalars import Schema, escape, text, words
from engine.language.editor.sections import Keys, section
from engine.language.editor.values import cap, days, duration, integer, interval, one_or_more, share
from engine.language.editor.vocabulary import GROUPS, PRODUCTS, Vocabulary, mapping, refer
from engine.language.model import Channel, Status
from engine.language.words import DAYS

_MESSAGE: Final = "message"
_FAQ: Final = "question"


def rule(known: Vocabulary) -> Schema:
    """Describe a rule file."""
    values: Mapping[str, Schema] = {
        "rule": text(examples=("my-rule",)),
        "title": text(),
        "owner": text(),
        "approved_by": text(),
        "status": words(get_args(Status), WORDS["status"]),
        "valid": days("2026-09-01 to 2026-09-30"),
        "schedule": _schedule(),
        "when": mapping(patterns.PATTERN),
        "who": mapping("tests of a subscriber"),
        "except": mapping("tests of a subscriber"),
        "offer": mapping("offer"),
        "limits": mapping("limits"),
        "goal": mapping("goal"),
    }
    return {
        **section("rule", (compile.REQUIRED, compile.OPTIONAL), values),
        "defaultSnippets": [_SNIPPET],
        "definitions": {
            "tests of a subscriber": lines(known.fields, known),
            "offer": _offer(),
            _MESSAGE: _message(),
            **{f"{channel} message": _on(channel) for channel in get_args(Channel)},
            _FAQ: section("faq", compile.FAQ, dict.fromkeys(("ask", "answer"), _text())),
            "limits": _limits(),
            "goal": section(
                "goal",
                compile.GOAL,
                {"converts_when": mapping(patterns.PATTERN), "within": duration("7d")},
            ),
            **patterns.definitions(known),
            **known.definitions(),
        },
    }


def _schedule() -> Schema:
    day = "|".join(DAYS)
    said = f"expected a day of {', '.join(DAYS)}, or a span such as mon to fri"
    span = text((rf"^(?:{day}) +to +(?:{day})$", said), examples=("mon to fri",), number=False)
    days = {"anyOf": [{"title": "span of days", **span}, {"title": "day", **words(DAYS, said=said)}]}
    values = {"days": one_or_more(days, 1), "hours": one_or_more(interval("18:00 to 22:00"), 1)}
    return {**section("schedule", ((), schedule.KEYS), values), "minProperties": 1}


def _offer() -> Schema:
    messages = {"type": "array", "items": refer(_MESSAGE), "minItems": 1}
    questions = {"type": "array", "items": refer(_FAQ), "minItems": 1}
    values = {"product": refer(PRODUCTS), "send": messages, "faq": questions}
    return section("offer", compile.OFFER, values)


def _message() -> Schema:
    """Choose by the channel; offer the keys of all while there is none."""
    every = dict.fromkeys(name for names in CHANNELS.values() for name in names)
    schema = _with(("channel",), ("if", *every))
    for channel in reversed(get_args(Channel)):
        pattern = {"type": "string", "pattern": f"^{escape(channel)}$"}
        condition = {"required": ["channel"], "properties": {"channel": pattern}}
        schema = {"if": condition, "then": refer(f"{channel} message"), "else": schema}
    return {"type": "object", **schema}


def _on(channel: Channel) -> Schema:
    """Describe the message of one channel. What a colleague reads needs neither signature nor opt-out."""
    schema = _with(("channel", *CHANNELS[channel]), ("if",))
    if "text" in schema["properties"]:
        signed = [_SIGNED] if channel == "sms" else []
        schema["properties"]["text"] = {**_text(_OPT_OUT, *signed), "description": key("message", "text")}
    return schema


def _with(required: tuple[str, ...], optional: tuple[str, ...]) -> Schema:
    values: dict[str, Schema] = dict.fromkeys((*required, *optional), _text())
    values["channel"] = words(get_args(Channel), WORDS["channel"])
    values["if"] = mapping("tests of a subscriber")
    return section("message", (required, optional), values)


def _text(*also: tuple[str, str]) -> Schema:
    """Describe a text with placeholders: every one that some rule could fill."""
    event_fields = {name: spec for event in EVENTS for name, spec in KINDS[event].fields.items()}
    names = Scope(True, True, True, event_fields).names(None)
    either = "|".join(escape(name) for name in names)
    placed = (
        rf"^(?:[^{{}}]|\{{(?:{either})\}})*$",
        "a placeholder that no rule knows, or a brace that opens none",
    )
    return text(placed, *also, (r"\S", "expected a text, was nothing"))


_OPT_OUT: Final = (OPT_OUT.pattern, "no way to opt out in this text: add 退订回R")
_SIGNED: Final = (
    rf"^\s*{SIGNATURE.pattern}|{SIGNATURE.pattern}\s*$",
    "no signature of the sender in this text: start it with 【移动】 or the like",
)


def _limits() -> Schema:
    values = {
        "priority": integer(0, 100, (50,)),
        "only_one_of": refer(GROUPS),
        "at_most": cap("1 in 14d", "1 in 30d"),
        "quiet": one_or_more(interval("12:00 to 14:00")),
        "send_within": duration("1h", "12h", "48h", zero=True),
        "holdout": share("10%"),
    }
    keys: Keys = compile.LIMITS
    return section("limits", keys, values)


_SNIPPET: Final = {
    "label": "new rule",
    "description": "A new rule, as a draft",
    "body": {
        "rule": "${TM_FILENAME_BASE}",
        "title": "$1",
        "owner": "$2",
        "status": "draft",
        "valid": "${3:2026-01-01} to ${4:2026-12-31}",
        "when": {"stays_in": "$5", "for": "${6:30m}"},
        "who": {"$7": "$8"},
        "offer": {
            "product": "$9",
            "send": [{"channel": "sms", "text": "【移动】{product.name},回复{product.reply}办理。退订回R。"}],
        },
        "limits": {"priority": 50, "at_most": "1 in 30d", "send_within": "12h", "holdout": "10%"},
        "goal": {"converts_when": {"happens": "product.bought"}, "within": "7d"},
    },
}
