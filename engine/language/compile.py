"""A rule file to a `Rule`: the sections in the order they are written, then the checks across them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, get_args

from engine.language import words
from engine.language.catalog import Names, check_name
from engine.language.checks import channels, placeholders, shape
from engine.language.checks.approval import check_approval
from engine.language.checks.caps import check_cap
from engine.language.checks.contradiction import check_contradictions
from engine.language.checks.everybody import check_share
from engine.language.checks.file_name import check_file_name
from engine.language.checks.groups import group
from engine.language.checks.impossible import check_possible
from engine.language.checks.opt_out import check_opt_out, check_reply
from engine.language.checks.products import is_product
from engine.language.checks.quiet import check_quiet
from engine.language.checks.reachable import check_conditions, check_reachable
from engine.language.checks.residents import check_residents
from engine.language.checks.schedule_days import check_days
from engine.language.checks.schedule_quiet import check_schedule
from engine.language.checks.signature import check_signature
from engine.language.checks.sms_length import check_length
from engine.language.conditions import subscriber_tests
from engine.language.cost import values_of
from engine.language.longest import Values
from engine.language.model import (
    HOME,
    HOUR,
    WORK,
    Cap,
    Faq,
    Goal,
    Limits,
    Message,
    Offer,
    Pattern,
    Policy,
    Product,
    Rule,
    Status,
)
from engine.language.patterns import BROKEN, PatternReader
from engine.language.policy import MEMORY, intervals
from engine.language.report import Report
from engine.language.schedule import read_schedule
from engine.language.source import Mapping, Node, Scalar
from engine.language.walk import find

REQUIRED: Final = ("rule", "title", "owner", "status", "valid", "when", "who", "offer", "limits", "goal")
OPTIONAL: Final = ("approved_by", "schedule", "except")
OFFER: Final = (("product", "send"), ("faq",))
FAQ: Final = (("ask", "answer"), ())
LIMITS: Final = (("priority", "at_most", "send_within", "holdout"), ("only_one_of", "quiet"))
GOAL: Final = (("converts_when", "within"), ())
"""The sections: keys that must be there, keys that may."""
LATEST_SEND: Final = 48 * HOUR
"""`send_within` is at most this."""

_NO_DAYS: Final = (date.min, date.min)
_NO_CAP: Final = Cap(1, words.LONGEST)


def read_rule(report: Report, names: Names, policy: Policy | None) -> Rule | None:
    """Read one rule file; None if it has an error. `policy` None: unreadable, its limits are not asked."""
    root = report.source.root
    if root is None:
        report.empty()
        return None
    body = shape.mapping(report, root, "a rule: `rule`, `title`, `owner` and so on")
    if body is None:
        return None
    rule = _RuleReader(report, names, policy, body).read()
    if report.failed:
        return None
    check_contradictions(report, rule, names.catalog.fields)
    check_possible(report, rule)
    check_days(report, rule)
    check_conditions(report, rule)
    return rule


@dataclass(frozen=True, slots=True)
class _RuleReader:
    """Reads one rule. Readers give a harmless value after a report, so all sections are always read."""

    report: Report
    names: Names
    policy: Policy | None
    body: Mapping

    def read(self) -> Rule:
        report, body = self.report, self.body
        shape.keys(report, body, body, "the rule", REQUIRED, OPTIONAL)
        name = self._name()
        status = self._status()
        owner = self._text("owner", "who answers for the rule")
        approver = self._text("approved_by", "who approved the rule")
        if "approved_by" not in report.source.broken:
            check_approval(report, (status, body.get("status")), (approver, body.get("approved_by")), owner)
        patterns = PatternReader(report, self.names, self.policy.window if self.policy else MEMORY)
        when = patterns.read(body.get("when"), self._key("when"))
        offer = self._offer(when)
        rule = Rule(
            name=name,
            title=shape.prose(report, body.get("title"), "one line that says what the rule is for"),
            owner=owner,
            status=status or "draft",
            valid=shape.value(
                report,
                body.get("valid"),
                "a span of days such as `2026-09-01 to 2026-09-30`",
                words.days,
                _NO_DAYS,
            ),
            when=when,
            who=subscriber_tests(report, body.get("who"), self.names),
            excepts=subscriber_tests(report, body.get("except"), self.names),
            offer=offer,
            limits=self._limits(),
            goal=self._goal(patterns),
            approved_by=approver,
            path=report.source.path,
            schedule=read_schedule(report, body.get("schedule"), self._key("schedule")),
        )
        if self.policy is not None:
            tier = self.names.catalog.fields.get("tier")
            check_cap(report, rule, self.policy, tier.values if tier is not None else ())
        if self.policy is not None:
            check_quiet(report, find(body, "limits", "quiet"), rule, self.policy)
        if self.policy is not None and not report.failed:
            known = not {HOME, WORK}.isdisjoint(self.names.catalog.fields)
            check_residents(report, body.get("when"), rule, self.policy, known)
            check_schedule(report, body.get("schedule"), rule, self.policy.quiet)
        return rule

    def _key(self, name: str) -> Node | None:
        entry = self.body.entries.get(name)
        return None if entry is None else entry[0]

    def _text(self, key: str, what: str) -> str:
        return shape.text(self.report, self.body.get(key), what)

    def _name(self) -> str:
        node = self.body.get("rule")
        name = self._text("rule", "the name of the rule")
        if name and isinstance(node, Scalar):
            check_name(self.report, node)
        check_file_name(self.report, node, name, (".yaml", ".yml"), "this rule is")
        return name

    def _status(self) -> Status | None:
        word = shape.choice(self.report, self.body.get("status"), get_args(Status))
        for status in get_args(Status):
            if status == word:
                known: Status = status
                return known
        return None

    def _section(self, name: str, required: tuple[str, ...], optional: tuple[str, ...]) -> Mapping | None:
        entry = self.body.entries.get(name)
        if entry is None:
            return None
        section = shape.mapping(self.report, entry[1], f"the keys of `{name}`")
        if section is not None:
            shape.keys(self.report, section, entry[0], f"`{name}`", required, optional)
        return section

    # -- offer -------------------------------------------------------------------------------------

    def _offer(self, when: Pattern) -> Offer:
        section = self._section("offer", *OFFER)
        if section is None:
            return Offer("", ())
        product = self._product(section.get("product"))
        values = values_of(when, self.body, product, self.names.catalog)
        nodes = shape.sequence(self.report, section.get("send"), "messages")
        send: list[Message] = []
        for node in nodes:
            message = self._message(node, values)
            if message is not None:
                send.append(message)
        if len(send) == len(nodes):
            check_reachable(self.report, nodes, send)
        faq = tuple(self._faq(node, values) for node in shape.sequence(
            self.report, section.get("faq"), "questions with answers"
        ))  # fmt: skip
        return Offer(product.key if product else "", tuple(send), faq)

    def _product(self, node: Node | None) -> Product | None:
        key = shape.text(self.report, node, "a product of the catalogue")
        if not key:
            return None
        assert node is not None
        is_product(self.report, node, key, self.names)
        product = self.names.catalog.products.get(key)
        if product is not None and self.policy is not None:
            check_reply(self.report, node, product, self.policy)
        return product

    def _message(self, node: Node, values: Values) -> Message | None:
        report = self.report
        body = shape.mapping(report, node, "a message: `channel` and its text")
        if body is None:
            return None
        given = body.get("channel")
        if given is None:
            every = {key for keys in channels.CHANNELS.values() for key in keys}
            shape.keys(report, body, body, "the message", ("channel",), ("if", *sorted(every)))
            return None
        channel = channels.channel(report, given)
        if channel is None:
            return None
        wanted = channels.CHANNELS[channel]
        shape.keys(report, body, body, f"the `{channel}` message", ("channel", *wanted), ("if",))
        texts = {key: shape.prose(report, body.get(key), "a text") for key in wanted}
        for key in wanted:
            placeholders.check_placeholders(report, body.get(key), values.scope, values.product)
        message = Message(
            channel,
            subscriber_tests(report, body.get("if"), self.names),
            texts.get("text") or texts.get("task", ""),
            texts.get("subject", ""),
        )
        text = body.get("text")
        if text is not None and message.text and channel != "manual":
            check_opt_out(report, text, message.text, values.product, self.policy)
            if channel == "sms":
                check_signature(report, text, message.text)
                check_length(report, text, message.text, values, self.policy)
        return message

    def _faq(self, node: Node, values: Values) -> Faq:
        body = shape.mapping(self.report, node, "`ask` and `answer`")
        if body is None:
            return Faq("", "")
        shape.keys(self.report, body, body, "the question", *FAQ)
        for key in ("ask", "answer"):
            placeholders.check_placeholders(self.report, body.get(key), values.scope, values.product)
        ask = shape.prose(self.report, body.get("ask"), "a question")
        return Faq(ask, shape.prose(self.report, body.get("answer"), "an answer"))

    # -- limits and goal ---------------------------------------------------------------------------

    def _limits(self) -> Limits:
        report = self.report
        section = self._section("limits", *LIMITS)
        if section is None:
            return Limits(0, _NO_CAP, 0, 0.0)
        cap = shape.value(report, section.get("at_most"), "a limit such as `1 in 30d`", words.cap, _NO_CAP)
        within = shape.duration(report, section.get("send_within"), zero=True, most=LATEST_SEND)
        if within > LATEST_SEND:
            report.error(
                "R108", section.entries["send_within"][1], "expected at most 48h: no offer waits longer"
            )
        quiet = intervals(report, section.get("quiet"))
        given = section.get("holdout")
        holdout = shape.value(report, given, "a share such as `10%`", words.share, 0.0, "R209")
        check_share(report, given, holdout)
        return Limits(
            priority=shape.integer(report, section.get("priority"), 0, 100),
            at_most=cap,
            send_within=within,
            holdout=holdout,
            only_one_of=group(report, section.get("only_one_of"), self.policy),
            quiet=quiet,
        )

    def _goal(self, patterns: PatternReader) -> Goal:
        section = self._section("goal", *GOAL)
        if section is None:
            return Goal(BROKEN, 0)
        entry = section.entries.get("converts_when")
        pattern = patterns.read(entry[1], entry[0]) if entry else BROKEN
        return Goal(pattern, shape.duration(self.report, section.get("within")))
