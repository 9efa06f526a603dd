"""The story of a rule as plain data, for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from engine.story.tell import Clock, Story, came, not_staged, sentence, tell
from engine.story.verify import Told
from engine.story.wording import Names, Words


def to_json(told: Story, languages: Mapping[str, Words]) -> dict[str, Any]:
    """Write a story as plain data; times are µs UTC."""
    return {
        "rule": told.rule.name,
        "problem": told.made.problem or None,
        "cases": len(told.told),
        "offers": told.offers,
        "not_as_foreseen": told.surprises,
        "not_staged": {
            lang: [asdict(left) for left in not_staged(told, words)] for lang, words in languages.items()
        },
        "text": {lang: tell(told, words) for lang, words in languages.items()},
        "boundaries": [_case(told, each, languages) for each in told.told],
    }


def _case(told: Story, each: Told, languages: Mapping[str, Words]) -> dict[str, Any]:
    names, zone = Names(told.rules.catalog), ZoneInfo(told.rules.policy.timezone)
    said = {}
    for lang, words in languages.items():
        clock = Clock(each, words, zone)
        said[lang] = {"case": sentence(each, clock, names), "came": came(each, clock, names)}
    return {
        "topic": each.boundary.topic,
        "kind": each.boundary.note.kind,
        "said": said,
        "offers": [{"at": sent.at, "channel": sent.channel, "text": sent.text} for sent in each.sent],
        "because": each.because or None,
        "as_foreseen": each.as_foreseen,
    }
