"""Reads `*.test.yaml` into the values of `testing`, and reports what is wrong in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from engine.event_kinds import FieldDef
from engine.language import words
from engine.language.catalog import Names
from engine.language.checks import shape
from engine.language.checks.duplicates import check_members
from engine.language.checks.events import event, event_fields
from engine.language.checks.fields import unknown_field
from engine.language.checks.file_name import check_file_name
from engine.language.checks.no_rule import check_rule_there
from engine.language.checks.places import place_members
from engine.language.checks.reasons import check_reason
from engine.language.checks.values import never
from engine.language.conditions import Field, may_have_others
from engine.language.model import Policy, Rule
from engine.language.report import Report
from engine.language.source import Mapping as MappingNode
from engine.language.source import Node, Scalar
from engine.language.source import Sequence as SequenceNode
from engine.language.suggest import one_of
from engine.language.testing import PURPOSES, SUFFIXES, Case, Expected, FieldValue, Step, TestFile, Verb

TIMES_AT_MOST: Final = 10_000
FILE: Final = (("tests", "starts", "cases"), ("given",))
CASE: Final = (("case", "events", "expect"), ("starts", "given", "arm", "because", "then"))
EXPECTED: Final = (("at", "offer"), ("channel", "text"))
"""The file and its parts: keys that must be there, keys that may."""
STEPS: Final[dict[Verb, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "enters": (("at",), ()),
    "sees": (("at",), ("times", "every")),
    "leaves": (("at",), ()),
    "happens": (("at",), ("times", "every")),
    "feeds_down": (("at",), ("for",)),
    "restart": (("at",), ()),
}
"""What can happen in a case -> keys that must stand beside it, keys that may; `happens`: fields as well."""
ARMS: Final = ("treatment", "control")
RESTARTED: Final = ("engine",)
NOTHING: Final = "nothing"
UNKNOWN: Final = "unknown"
_COMMON_KEYS: Final = ("at", "times", "every")


def read_tests_file(
    report: Report, names: Names, policy: Policy | None, rules: Mapping[str, Rule | None]
) -> TestFile | None:
    """Read one test file; None if it has an error. `rules`: by name, None for one with errors."""
    root = report.source.root
    if root is None:
        report.empty()
        return None
    body = shape.mapping(report, root, "a test file: `tests`, `starts`, `cases`")
    if body is None:
        return None
    shape.keys(report, body, body, "the test file", *FILE)
    name_node = body.get("tests")
    name = shape.text(report, name_node, "the name of the rule that is tested")
    if name in rules:
        check_file_name(report, name_node, name, SUFFIXES, "this tests a rule")
    check_rule_there(report, name_node, name, rules)
    zone = ZoneInfo((policy or Policy()).timezone)
    reader = _CaseReader(report, names, zone, rules.get(name))
    shared = reader.given(body.get("given"))
    starts = reader.starts(body.get("starts"), 0)
    nodes = shape.sequence(report, body.get("cases"), "cases")
    cases = [reader.case(node, shared, starts) for node in nodes]
    seen: dict[str, int] = {}
    for node, case in zip(nodes, cases, strict=True):
        if case is not None and case.name and seen.setdefault(case.name, case.line) != case.line:
            report.error("R002", node, f"this case is given twice; first at line {seen[case.name]}")
    if report.failed:
        return None
    return TestFile(name, tuple(case for case in cases if case is not None), report.source.path)


@dataclass(frozen=True, slots=True)
class _CaseReader:
    report: Report
    names: Names
    zone: ZoneInfo
    rule: Rule | None

    def starts(self, node: Node | None, default: int) -> int:
        """Read a local day and time as µs UTC, by the policy's timezone."""
        moment = shape.value(
            self.report, node, "a day and time such as `2026-09-05 10:00`", words.moment, None
        )
        if moment is None:
            return default
        return _micros(moment.replace(tzinfo=self.zone))

    def given(self, node: Node | None) -> dict[str, FieldValue]:
        """Read profile values; keys `consent.PURPOSE` and `timezone` beside the fields of the catalogue."""
        body = (
            shape.mapping(self.report, node, "a field on each line, with its value")
            if node is not None
            else None
        )
        found: dict[str, FieldValue] = {}
        if "fields" in self.names.unreadable:
            return found
        fields: dict[str, Field] = {f"consent.{purpose}": _CONSENT for purpose in PURPOSES}
        fields["timezone"] = _TIMEZONE
        fields.update(self.names.catalog.fields)
        for key, value in body or ():
            spec = fields.get(key.text)
            if spec is None:
                unknown_field(self.report, key, "subscribers have", fields)
            else:
                found[key.text] = self._value(spec, value)
        return found

    def case(self, node: Node, shared: Mapping[str, FieldValue], starts: int) -> Case | None:
        report = self.report
        body = shape.mapping(report, node, "a case: `case`, `events`, `expect`")
        if body is None:
            return None
        shape.keys(report, body, body, "the case", *CASE)
        given = {**shared, **self.given(body.get("given"))}
        consent: dict[str, bool | None] = {}
        for purpose in PURPOSES:
            value = given.pop(f"consent.{purpose}", True)
            consent[purpose] = value if isinstance(value, bool) else None
        expect = self._expect(body)
        arm = shape.choice(report, body.get("arm"), ARMS)
        events = shape.sequence(report, body.get("events"), "events", least=0)
        steps = [self._step(item) for item in events]
        asked = None if "fields" in self.names.unreadable else self.rule
        because = check_reason(report, body.get("because"), asked)
        self._check_then(body, because)
        return Case(
            name=shape.text(report, body.get("case"), "a sentence that says what happens"),
            starts=self.starts(body.get("starts"), starts),
            given=given,
            consent=consent,
            arm="control" if arm == "control" else "treatment",
            events=tuple(step for step in steps if step is not None),
            expect=expect,
            because=because,
            then=check_reason(report, body.get("then"), asked),
            line=node.start.line + 1,
        )

    # -- expect ------------------------------------------------------------------------------------

    def _expect(self, body: MappingNode) -> tuple[Expected, ...]:
        report, node = self.report, body.get("expect")
        because = body.entries.get("because")
        if node is None:
            return ()
        if isinstance(node, Scalar):
            if node.text != NOTHING:
                message = f"expected a list of offers, or `nothing`, was {shape.describe(node)}"
                report.error("R108", node, message)
            elif because is None:
                hint = "say what stopped it, such as `because: when` or `because: limits.at_most`"
                report.error("R601", node, "`nothing` alone proves nothing: `because` is missing", hint)
            return ()
        if because is not None:
            hint = "`then` says why the next match sent nothing"
            report.error("R601", because[0], "`because` goes with `expect: nothing`", hint)
        found = [self._expected(item) for item in shape.sequence(report, node, "offers")]
        return tuple(each for each in found if each is not None)

    def _check_then(self, body: MappingNode, because: str | None) -> None:
        """R601: the next match is that after an offer, or after what would have been one."""
        expect, then = body.get("expect"), body.entries.get("then")
        if then is None or not isinstance(expect, Scalar) or expect.text != NOTHING:
            return
        if because is not None and because != "holdout":
            hint = "say in `because` what stopped the last match"
            self.report.error("R601", then[0], "`then` goes with offers, or with `because: holdout`", hint)

    def _expected(self, node: Node) -> Expected | None:
        report = self.report
        body = shape.mapping(report, node, "`{at: …, offer: …}`")
        if body is None:
            return None
        shape.keys(report, body, body, "what is expected", *EXPECTED)
        offer_node = body.get("offer")
        offer = shape.text(report, offer_node, "a product")
        products = self.names.catalog.products
        if (
            offer
            and offer_node is not None
            and "products" not in self.names.unreadable
            and offer not in products
        ):
            report.unknown("R301", offer_node, f"no product `{offer}` in the catalogue", offer, products)
        text = body.get("text")
        return Expected(
            at=self._offset(body.get("at")),
            offer=offer,
            channel=shape.choice(report, body.get("channel"), ("sms", "mms", "manual"), "R105"),
            text=shape.text(report, text, "the text that is sent") if text is not None else None,
            line=node.start.line + 1,
        )

    def _offset(self, node: Node | None) -> int:
        return shape.value(self.report, node, "a time after the start such as `+30m`", words.offset, 0)

    # -- events ------------------------------------------------------------------------------------

    def _step(self, node: Node) -> Step | None:
        report = self.report
        body = shape.mapping(report, node, "an event: `{at: +0m, enters: PLACE}`")
        if body is None:
            return None
        verbs = [verb for verb in STEPS if verb in body.entries]
        if len(verbs) != 1:
            self._refuse_verbs(body, list(verbs))
            return None
        verb = verbs[0]
        every, times = body.get("every"), body.get("times")
        step_every = shape.duration(report, every) if every is not None else 0
        step_times = shape.integer(report, times, 1, TIMES_AT_MOST) if times is not None else 1
        if step_times > 1 and every is None and verb in ("sees", "happens"):
            report.error(
                "R102", body.entries["times"][0], "`every` is missing: how far apart do these happen?"
            )
        if every is not None and times is None and verb in ("sees", "happens"):
            report.error("R102", body.entries["every"][0], "`times` is missing: how often does this happen?")
        at = self._offset(body.get("at"))
        line = node.start.line + 1
        value = body.get(verb)
        if verb == "happens":
            kind, place, fields = self._happens(body, value)
            return Step(at, verb, place, kind, fields, step_times, step_every, line)
        required, optional = STEPS[verb]
        shape.keys(report, body, body, "the event", (*required, verb), optional)
        if verb == "feeds_down":
            lasts = shape.duration(report, body.get("for")) if "for" in body.entries else 0
            return Step(at, verb, line=line, feeds=self._feeds(value), lasts=lasts)
        if verb == "restart":
            shape.choice(report, value, RESTARTED)
            return Step(at, verb, line=line)
        return Step(at, verb, self._place(value), "", {}, step_times, step_every, line)

    def _refuse_verbs(self, body: MappingNode, verbs: list[str]) -> None:
        if verbs:
            listed = " and ".join(f"`{verb}`" for verb in verbs)
            self.report.error("R104", body, f"an event is one thing, but this is {listed}")
            return
        for key, _ in body:
            if key.text not in (*_COMMON_KEYS, "for"):
                self.report.unknown(
                    "R103",
                    key,
                    f"`{key.text}` is not something that can happen here",
                    key.text,
                    STEPS,
                )
                return
        self.report.error("R103", body, "this event does not say what happens", one_of(STEPS))

    def _feeds(self, node: Node | None) -> tuple[str, ...]:
        """Read one kind of record, or a list of them."""
        if isinstance(node, SequenceNode):
            items = shape.sequence(self.report, node, "kinds of record")
        else:
            items = shape.one_or_more(node)
        check_members(self.report, items)
        kinds = [event(self.report, item) for item in items]
        return tuple(kind for kind in kinds if kind is not None)

    def _place(self, node: Node | None) -> str:
        """Read one place; of a group the first member, where a test needs a cell."""
        text = shape.text(self.report, node, "the name of a place")
        if not text or not isinstance(node, Scalar):
            return ""
        members = place_members(self.report, node, text, self.names)
        return members[0] if members else ""

    def _happens(self, body: MappingNode, node: Node | None) -> tuple[str, str, dict[str, FieldValue]]:
        report = self.report
        kind = event(report, node)
        if "at" not in body.entries:
            report.error("R102", body, "`at` is missing from the event")
        if kind is None:
            return "", "", {}
        known = event_fields(kind)
        fields: dict[str, FieldValue] = {}
        place = ""
        for key, value in body:
            if key.text == "happens" or key.text in _COMMON_KEYS:
                continue
            if key.text not in known:
                options = [*known, *_COMMON_KEYS]
                report.unknown("R206", key, f"`{kind}` has no field `{key.text}`", key.text, options)
            elif key.text == "place":
                place = self._place(value)
            elif key.text == "bytes":  # semantics.md 7 (k): with only one of up and down, that one
                fields["down"] = self._value(known["bytes"], value)
            else:
                fields[key.text] = self._value(known[key.text], value)
        return kind, place, fields

    # -- values ------------------------------------------------------------------------------------

    def _value(self, spec: Field, node: Node) -> FieldValue:
        """Read one value as a profile or record carries it."""
        if spec.type == "set":
            items = node.items if isinstance(node, SequenceNode) else [node]
            if _is_unknown(spec, node):
                return None
            return [text for item in items if (text := shape.text(self.report, item, "a value"))]
        text = shape.text(self.report, node, f"a value of `{spec.name}`", any_word=spec.type == "yes/no")
        if not text or _is_unknown(spec, node):
            return None
        try:
            if spec.type == "yes/no":
                return words.yes_no(text)
            if spec.type in ("number", "money", "bytes", "percent", "duration"):
                return words.amount(text, spec.type)
        except words.Unreadable as wrong:
            self.report.error("R209", node, wrong.message, wrong.hint)
            return None
        if spec.values and text not in spec.values:
            never(self.report, node, spec.name, text, spec.values, known=may_have_others(spec))
        return text


def _is_unknown(spec: Field, node: Node) -> bool:
    return isinstance(node, Scalar) and node.text == UNKNOWN and UNKNOWN not in spec.values


def _micros(moment: datetime) -> int:
    return round(moment.timestamp()) * 1_000_000


_CONSENT: Final = FieldDef("consent", "yes/no", "")
_TIMEZONE: Final = FieldDef("timezone", "text", "")
