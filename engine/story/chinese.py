"""The story in Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from engine.language import model
from engine.language.model import FieldType, Pattern, Test
from engine.language.testing import FieldValue, Step
from engine.story.chinese_notes import NOTES, TROUBLES
from engine.story.chinese_tables import CHANNELS, DAYS, EVENTS, FIELDS, PURPOSES, REASONS, STATUS, UNITS
from engine.story.props import Trouble
from engine.story.scene import Note
from engine.story.wording import (
    AtPlace,
    Heading,
    Names,
    OfRecords,
    Share,
    amount,
    clock,
    field_type,
    length_parts,
    may_lack,
    parts_of,
    unless_of,
)

_HEADINGS: Final[dict[Heading, str]] = {
    "when": "触发条件", "who": "目标用户", "get": "营销内容", "times": "时间", "often": "频次",
    "goal": "转化目标", "cases": "用例",
}  # fmt: skip
_TOPICS: Final = {
    "when": "行为", "who": "用户", "consent": "授权", "send": "消息选择", "limits": "频次", "times": "时间",
    "engine": "对照组与重启",
}  # fmt: skip
_PROBLEMS: Final = {
    "nobody": "无法生成用例：没有用户能同时满足 who、except 以及某条消息的 if。",
    "never": "无法生成用例：在规则的日期和时段内，没有任何可以发送的时刻。",
    "quiet": "无法生成用例：在规则的时段内，消息总要等到免打扰时段结束，超过send_within或规则的有效期。",
    "unstaged": "无法为该条件自动生成用例。",
}


_RESIDENT: Final = {None: "", True: "（在此居住或工作）", False: "（不在此居住或工作）"}


class Chinese:
    """The phrases."""

    lang = "zh"

    # -- small words ---------------------------------------------------------------------------------

    def duration(self, micros: int) -> str:
        """Write `1小时30分`."""
        said = "".join(f"{count}{UNITS[unit]}" for count, unit in length_parts(micros))
        return f"{said}钟" if said.endswith("分") else said

    def value(self, value: FieldValue, kind: FieldType) -> str:
        """Write `49.99元`, `是`, `a、b`."""
        if value is None:
            return "未知"
        if isinstance(value, bool):
            return "是" if value else "否"
        if isinstance(value, list):
            return self.together(value) if value else "无"
        if isinstance(value, int | float):
            if kind == "duration":
                return self.duration(round(value * 1_000_000))
            return amount(value, kind).replace(" yuan", "元").replace(" ", "")
        return value

    def either(self, items: Sequence[str]) -> str:
        """Write `a、b或c`."""
        return _listed(items, "或")

    def together(self, items: Sequence[str]) -> str:
        """Write `a、b和c`."""
        return _listed(items, "和")

    def day(self, day: date) -> str:
        """Write `2026年9月5日`."""
        return f"{day.year}年{day.month}月{day.day}日"

    def stamp(self, local: datetime, before: date | None) -> str:
        """Write `15:00`, or `2026年9月5日15:00`."""
        if before == local.date():
            return clock(local)
        year = "" if before is not None and before.year == local.year else f"{local.year}年"
        return f"{year}{local.month}月{local.day}日{clock(local)}"

    # -- the rule ------------------------------------------------------------------------------------

    def heading(self, heading: Heading) -> str:
        """Return a title."""
        return _HEADINGS[heading]

    def state(self, rule: model.Rule) -> str:
        """Say whose it is and whether it runs."""
        approved = f"{rule.approved_by}已审批" if rule.approved_by else "未审批"
        first, last = rule.valid
        days = self.day(first) if first == last else f"{self.day(first)}至{self.day(last)}"
        return f"负责人{rule.owner}。{STATUS[rule.status]}。{approved}。有效期{days}。"

    def event(self, kind: str, number: str = "") -> str:
        """Say `拨打电话`, `拨打电话至少3次`."""
        return EVENTS[kind][0] + (f"{number}次" if number else "")

    def event_field(self, name: str) -> str:
        """Name a field of a record."""
        return FIELDS[name]

    def asked(self, test: Test, names: Names) -> str:
        """Say `不低于50元`, `包含student`."""
        values, written = names.values(test)
        shown = [self.value(value, test.type) for value in values]
        said = self.either(shown) + (f"（{written}）" if written else "")
        if test.type == "set":
            return f"{'不包含' if test.op == 'not' else '包含'}{said}"
        lead = {"not": "不是", "at_least": "不低于", "at_most": "不高于", "over": "高于", "under": "低于"}
        if test.op == "between":
            said = "至".join(shown)
        return f"{lead.get(test.op, '')}{said}"

    def test(self, label: str, test: Test, names: Names) -> str:
        """Say `月均消费:不低于50元`."""
        return f"{label}：{self.asked(test, names)}"

    def clause(self, pattern: Pattern, names: Names) -> str:
        """Say a pattern."""
        match pattern:
            case model.Happens():
                return self._lines(EVENTS[pattern.event][0], pattern, names)
            case model.Enters():
                still = f"，且{self.duration(pattern.confirm)}后仍在" if pattern.confirm else ""
                return f"进入{self._places(pattern, '{}中任一处', names)}{_RESIDENT[pattern.resident]}{still}"
            case model.Leaves():
                return f"离开{self._places(pattern, '{}的全部范围', names)}"
            case model.StaysIn():
                place = self._places(pattern, "{}中的同一处", names)
                return f"在{place}{_RESIDENT[pattern.resident]}停留满{self.duration(pattern.duration)}"
            case model.Count():
                said = self._lines(EVENTS[pattern.event][0], pattern, names)
                return f"{self.duration(pattern.within)}内{said}达到{pattern.at_least}次"
            case model.Total():
                said = self._lines(EVENTS[pattern.event][1], pattern, names)
                mark = self.value(pattern.at_least, pattern.type)
                return f"{self.duration(pattern.within)}内{said}的{FIELDS[pattern.field]}累计达到{mark}"
            case model.Sequence():
                parts = "，再".join(self._part(part, names) for part in pattern.steps)
                return f"{self.duration(pattern.within)}内依次先{parts}"
            case model.AnyOf():
                return "或".join(self._part(part, names) for part in pattern.parts)
            case model.AllOf():
                parts = _listed([self._part(part, names) for part in pattern.parts], "和")
                return f"{self.duration(pattern.within)}内{parts}都发生（不分先后）"
            case model.After():
                first, no = self._part(pattern.first, names), self._part(pattern.no, names)
                return f"{first}，之后{self.duration(pattern.wait)}内没有{no}"

    def _part(self, pattern: Pattern, names: Names) -> str:
        said = self.clause(pattern, names)
        in_two = isinstance(pattern, model.Enters) and pattern.confirm  # it has a comma of its own
        return f"（{said}）" if parts_of(pattern) or in_two else said

    def _places(self, pattern: AtPlace, several: str, names: Names) -> str:
        """Name a place, or the members of a group and the group: `several` says how they count."""
        members = names.places(pattern.members)
        group = names.group(pattern.place)
        said = f"{self.together(members)}（{group}）" if group else self.together(members)
        return several.format(said) if len(members) > 1 else said

    def _lines(self, event: str, pattern: OfRecords, names: Names) -> str:
        at = [self._at(test, names) for test in pattern.where if test.field == "place"]
        lines = [
            self.test(FIELDS[test.field], test, names) for test in pattern.where if test.field != "place"
        ]
        for test in unless_of(pattern):
            unknown = f"或{FIELDS[test.field]}未知" if may_lack(pattern.event, test.field) else ""
            lines.append(f"不计“{self.test(FIELDS[test.field], test, names)}”{unknown}的情况")
        said = "；".join(lines)
        return "".join(at) + event + (f"（{said}）" if said else "")

    def _at(self, test: Test, names: Names) -> str:
        """Say `在X`, `在X以外`."""
        if test.op == "not":
            return f"在{self.asked(replace(test, op='is'), names)}以外"
        return f"在{self.asked(test, names)}"

    def subject(self, clause: str) -> str:
        """Begin with `用户`."""
        return f"用户{clause}"

    def sentence(self, said: str) -> str:
        """End with a full stop."""
        return f"{said}。"

    def opening(self, pattern: Pattern) -> str:
        """Open a list."""
        match pattern:
            case model.Sequence():
                return f"在{self.duration(pattern.within)}内依次："
            case model.AllOf():
                return f"在{self.duration(pattern.within)}内完成以下全部（不分先后）："
            case model.AnyOf():
                return "有以下任一行为："
            case _:
                return "先有以下行为："

    def waiting(self, pattern: model.After) -> str:
        """Open what must not happen."""
        return f"此后{self.duration(pattern.wait)}内没有："

    def who(self, named: bool, several: bool) -> str:
        """Open `who`."""
        if not named:
            return "所有用户。"
        return f"已知满足以下{'全部' if several else ''}条件的用户："

    def excepts(self) -> str:
        """Open `except`."""
        return "但排除符合或不确定是否符合以下任一条件的用户："

    def consent(self, place: bool) -> str:
        """Name the purposes."""
        purposes = list(PURPOSES.values()) if place else list(PURPOSES.values())[:2]
        return f"用户须已同意{self.together(purposes)}。"

    def product(self, product: model.Product) -> str:
        """Say `校园包(20元,回复KT1)`."""
        reply = f"，回复{product.reply}" if product.reply else ""
        return f"{product.name}（{self.value(product.price, 'money')}{reply}）："

    def message(self, message: model.Message, condition: str, parts: int, first: bool) -> str:
        """Open a message."""
        size = f"（{parts}条短信）" if message.channel == "sms" and parts else ""
        whom = f"，适用于“{condition}”" if condition else ""
        if not first:
            whom = whom or "，其余用户"
        return f"{CHANNELS[message.channel]}{whom}{size}："

    def quiet(self, policy: Sequence[str], own: Sequence[str], within: int, tasks: Share) -> str:
        """Say what quiet time does."""
        if tasks == "all":
            return "任何时刻：人工任务不受免打扰时段限制。"
        spans = [f"{_span(span)}（全局）" for span in policy] + [f"{_span(span)}（本规则）" for span in own]
        if not spans:
            return "任何时刻：没有免打扰时段。"
        waits = f"若需等待超过{self.duration(within)}则不发送"
        what = "短信和彩信" if tasks == "some" else "消息"
        said = f"{self.together(spans)}为免打扰时段，期间的{what}等到时段结束再发；{waits}。"
        return f"{said}人工任务随时下达。" if tasks == "some" else said

    def hours(self, days: Sequence[int], spans: Sequence[str], parted: bool) -> str:
        """Say when the rule looks."""
        on = self.together([DAYS[day] for day in days]) if 0 < len(days) < 7 else "每天"
        on += "当天的" if parted else ""
        return f"仅在{on}{self.together([_span(span) for span in spans]) or '全天'}生效。"

    def at_most(self, cap: model.Cap) -> str:
        """Say the rule's cap."""
        return f"本规则：{self.duration(cap.window)}内最多{cap.count}次。"

    def house(self, caps: Sequence[model.Cap], by_tier: Sequence[tuple[str, model.Cap]], tasks: Share) -> str:
        """Say the policy's caps."""
        lines = [f"{self.duration(cap.window)}内最多{cap.count}次" for cap in caps]
        lines += [f"{tier}用户{self.duration(cap.window)}内最多{cap.count}次" for tier, cap in by_tier]
        alone = "，只计短信和彩信，人工任务不计入也不受限" if tasks == "some" else ""
        return f"所有规则合计（全局{alone}）：{'，'.join(lines)}。"

    def group(self, name: str, cooldown: int) -> str:
        """Say what a group does."""
        return f"同组（{name}）其他营销后{self.duration(cooldown)}内不再发送。"

    def rank(self, priority: int) -> str:
        """Say the priority."""
        return f"优先级{priority}（满分100）：多条规则同时满足时，高者优先。"

    def holdout(self, share: float, house: float) -> str:
        """Say the shares."""
        shares = [f"本规则{amount(round(share * 100, 6), 'percent')}"] if share else []
        shares += [f"全局{amount(round(house * 100, 6), 'percent')}"] if house else []
        if not shares:
            return "不设对照组。"
        return f"对照组不发送，用于效果比较：{self.together(shares)}。"

    def goal(self, clause: str, within: int) -> str:
        """Say the goal."""
        return f"接触后{self.duration(within)}内，用户{clause}。"

    # -- cases ---------------------------------------------------------------------------------------

    def topic(self, topic: str) -> str:
        """Return a title."""
        return _TOPICS[topic]

    def step(self, step: Step, times: tuple[str, str], names: Names) -> str:
        """Say `15:00进入X`."""
        first, last = times
        when = first if step.times == 1 else f"{first}至{last}每隔{self.duration(step.every)}"
        if step.verb == "restart":
            return f"{when}引擎重启"
        often = f"，共{step.times}次" if step.times > 1 else ""
        if step.verb != "happens":
            verb = {"enters": "进入", "sees": "仍在", "leaves": "离开"}[step.verb]
            return f"{when}{verb}{names.place(step.place)}{often}"
        fields = [
            f"{FIELDS[name]}{self.value(names.value(name, value), field_type(step.event, name))}"
            for name, value in step.fields.items()
        ]
        where = f"在{names.place(step.place)}" if step.place else ""
        said = self.event(step.event, str(step.times) if step.times > 1 else "")
        shown = "，".join(fields)
        return f"{when}{where}{said}" + (f"（{shown}）" if fields else "")

    def matched(self, times: Sequence[str]) -> str:
        """Say `15:00条件满足`."""
        return f"{self.together(times)}条件满足"

    def note(self, note: Note, names: Names) -> str:
        """Say what a case is about."""
        return NOTES[note.kind](self, note, names)

    def line(self, steps: Sequence[str], note: str) -> str:
        """Write `行为(说明)`."""
        said = "，".join(steps)
        return f"{said}（{note}）" if said and note else said or note

    def offered(self, times: Sequence[str], channel: str, held: bool) -> str:
        """Say `15:30发送短信`."""
        sent = f"下达{CHANNELS[channel]}" if channel == "manual" else f"发送{CHANNELS[channel]}"
        return f"{'免打扰时段后，' if held else ''}{self.together(times)}{sent}"

    def nothing(self, reason: str, names: Names) -> str:
        """Say `不发送,原因who.arpu`."""
        if reason in ("when", "schedule"):
            return f"不发送：{REASONS[reason]}"
        if reason.startswith(("who.", "except.", "consent.")):
            return f"不发送：被{reason}拒绝"
        return f"不发送：{REASONS[reason]}（{reason}）"

    def then(self, outcome: str, nothing: str) -> str:
        """Say what became of the next match."""
        return f"{outcome}；下一次满足时{nothing}"

    def counted(self, cases: int, offers: int, surprises: int) -> str:
        """Count."""
        said = f"共{cases}个用例，均已在引擎上运行：{offers}个发送，{cases - offers}个不发送。"
        return said + (f"其中{surprises}个与预期不符，请反馈该规则。" if surprises else "")

    def left_out(self, what: str, why: str, by_hand: bool) -> str:
        """Say that no case is about a part."""
        return f"未生成用例{'，请手写测试' if by_hand else ''}：{what}。原因：{why}。"

    def trouble(self, trouble: Trouble, names: Names) -> str:
        """Say why a case can't be made."""
        return TROUBLES[trouble.kind](self, trouble, names)

    def problem(self, problem: str, why: str) -> str:
        """Say why there are no cases."""
        return f"{_PROBLEMS[problem]}原因：{why}。请手写测试。" if why else _PROBLEMS[problem]

    def surprise(self) -> str:
        """Mark a case."""
        return "【与预期不符】"


def _listed(items: Sequence[str], word: str) -> str:
    if len(items) < 2:
        return "".join(items)
    return f"{'、'.join(items[:-1])}{word}{items[-1]}"


def _span(span: str) -> str:
    return span.replace(" to ", "至")
