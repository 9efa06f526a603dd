"""Cases as a `RULE.test.yaml`, as authors write it: what they share at the top, one line per event."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import orjson

from engine.event_kinds import KINDS
from engine.language.model import FieldType
from engine.language.testing import Case, FieldValue, Step
from engine.language.words import write_duration
from engine.story.boundaries import TOPICS
from engine.story.tell import Clock, Story, not_staged, sentence
from engine.story.wording import Names, Words, amount

_PLAIN: Final = re.compile(
    r"[0-9A-Za-z\u4e00-\u9fff](?:[-0-9A-Za-z_.%+/ \u4e00-\u9fff]*[-0-9A-Za-z_.%\u4e00-\u9fff])?"
)
"""Text that YAML takes for text everywhere, without quotes."""


def write_tests(told: Story, words: Words) -> str:
    """Write the cases of a story as a test file with sentences in one language; ends with a line end."""
    return "\n".join(_File(told, words).lines()) + "\n"


class _File:
    """One file under way."""

    def __init__(self, told: Story, words: Words) -> None:
        self._told = told
        self._words = words
        self._names = Names(told.rules.catalog)
        self._zone = ZoneInfo(told.rules.policy.timezone)
        self._starts = Counter(each.case.starts for each in told.told).most_common(1)[0][0]
        self._shared = {name: value for name, value in told.made.base.items() if value is not None}
        self._named: set[str] = set()
        self._texts: set[int] = set()

    def lines(self) -> Iterator[str]:
        told = self._told
        yield f"# The edges of {told.rule.name}, written by `touchpoint story {told.rule.name} --write`."
        yield "# Every case was run on the engine: change what is not meant, keep what is."
        for left in not_staged(told, self._words):
            yield f"# {self._words.left_out(left.what, left.why, left.by_hand)}"
        yield f"tests: {scalar(told.rule.name)}"
        yield f"starts: {self._moment(self._starts)}"
        if self._shared:
            yield f"given: {self._given(self._shared)}"
        yield "cases:"
        for topic in TOPICS:
            found = [each for each in told.told if each.boundary.topic == topic]
            if found:
                yield f"  # {self._words.topic(topic)}"
            for each in found:
                clock = Clock(each, self._words, self._zone)
                name = self._unique(sentence(each, clock, self._names))
                text = ""
                message = each.boundary.message
                if each.sent and message is not None and id(message) not in self._texts:
                    self._texts.add(id(message))
                    text = each.sent[0].text
                yield from self._case(name, each.case, text)
                yield ""

    def _unique(self, name: str) -> str:
        """Two cases may read alike though they are not: the second gets a number."""
        found, number = name, 1
        while found in self._named:
            number += 1
            found = f"{name} ({number})"
        self._named.add(found)
        return found

    def _case(self, name: str, case: Case, text: str) -> Iterator[str]:
        yield f"  - case: {scalar(name)}"
        if case.starts != self._starts:
            yield f"    starts: {self._moment(case.starts)}"
        changed = {key: value for key, value in case.given.items() if value != self._shared.get(key)}
        consent: dict[str, FieldValue] = {
            f"consent.{purpose}": given for purpose, given in case.consent.items() if given is not True
        }
        if changed or consent:
            yield f"    given: {self._given({**changed, **consent})}"
        if case.arm == "control":
            yield "    arm: control"
        yield "    events:"
        for step in case.events:
            yield f"      - {self._step(step)}"
        if not case.expect:
            yield "    expect: nothing"
            yield f"    because: {case.because}"
            return
        yield "    expect:"
        for number, each in enumerate(case.expect):
            said = each.text or (text if number == 0 else "")
            shown = f", text: {scalar(said)}" if said else ""
            channel = f", channel: {each.channel}" if each.channel else ""
            at = f"+{write_duration(each.at)}"
            yield f"      - {{at: {at}, offer: {scalar(each.offer)}{channel}{shown}}}"
        if case.then:
            yield f"    then: {case.then}"

    def _moment(self, micros: int) -> str:
        local = datetime.fromtimestamp(micros // 1_000_000, self._zone)
        return local.strftime("%Y-%m-%d %H:%M")

    def _given(self, given: Mapping[str, FieldValue]) -> str:
        fields = self._told.rules.catalog.fields
        pairs = []
        for name, value in given.items():
            spec = fields.get(name)
            pairs.append(f"{scalar(name)}: {written(value, spec.type if spec is not None else 'yes/no')}")
        return "{" + ", ".join(pairs) + "}"

    def _step(self, step: Step) -> str:
        pairs = [f"at: +{write_duration(step.at)}"]
        if step.verb == "happens":
            pairs.append(f"happens: {step.event}")
            if step.place:
                pairs.append(f"place: {scalar(step.place)}")
            pairs += [self._field(step, name, value) for name, value in step.fields.items()]
        else:
            pairs.append(f"{step.verb}: {'engine' if step.verb == 'restart' else scalar(step.place)}")
        if step.times > 1:
            pairs += [f"times: {step.times}", f"every: {write_duration(step.every)}"]
        return "{" + ", ".join(pairs) + "}"

    def _field(self, step: Step, name: str, value: FieldValue) -> str:
        spec = KINDS[step.event]
        if name == "down" and "up" not in step.fields and "bytes" in spec.derived:
            name = "bytes"  # what the loader makes of it is the same
        return f"{scalar(name)}: {written(value, {**spec.fields, **spec.derived}[name].type)}"


def written(value: FieldValue, kind: FieldType) -> str:
    """Write a value as a test file has it."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "[" + ", ".join(scalar(item) for item in value) + "]"
    if isinstance(value, int | float):
        return write_duration(round(value * 1_000_000)) if kind == "duration" else amount(value, kind)
    return scalar(value)


def scalar(text: str) -> str:
    """Write a text as YAML: as it is where it can't be taken for anything else, else in quotes."""
    return text if _PLAIN.fullmatch(text) else orjson.dumps(text).decode()
