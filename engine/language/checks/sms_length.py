"""R303: what an SMS may come to, with the longest value that each placeholder can take."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check
from engine.language.cost import cost_of
from engine.language.longest import Values, longest
from engine.language.model import Policy
from engine.language.report import Report
from engine.language.source import Node
from engine.text import plain

CHECKS: Final = (
    Check(
        code="R303",
        meaning="an SMS that may take many parts",
        bad="""
            offer:
              product: data-10g
              send:
                - channel: sms
                  text: >-
                    【移动】亲爱的同学,欢迎来到校园。新学期我们为您准备了流量礼包:{product.name}每月只需{product.price},
                    可在全校区的教室、宿舍、食堂、图书馆、体育馆和校车上使用,当月有效,次月自动续订,可随时取消,不限速度,
                    不限应用,不限时段,视频、音乐、游戏、学习都能用。同时赠送云盘会员一个月,以及校园咖啡优惠券一张,
                    可在任一门店使用。本次活动面向全体在校学生,
                    数量有限,先到先得,办理后立即生效,未用完的流量可结转至次月,如有疑问欢迎随时联系我们。回复{product.reply}立即开通,详情请咨询营业厅或拨打10086。退订回R。
            """,
        good="""
            offer:
              product: data-10g
              send:
                - channel: sms
                  text: 【移动】{product.name}每月{product.price},回复{product.reply}开通。退订回R。
            """,
        advice="""
            Shorten the text. A Chinese SMS holds 70 characters, each part of a longer one 67, and every part
            is paid for. The count takes the longest value of each placeholder. With
            `cost: {sms: 0.05 yuan}` in `policy.yaml` the price is said, too; `touchpoint check --cost` lists
            it for every message.
            """,
        level="warning",
    ),
)

PARTS: Final = 3
"""An SMS that may take more parts than this is warned about."""


def check_length(report: Report, node: Node, text: str, values: Values, policy: Policy | None) -> None:
    """R303: the parts of an SMS, and what they cost if policy.yaml says it."""
    found = longest(text, values)
    if found.parts > PARTS:
        price = cost_of("sms", found.parts, policy) if policy is not None else None
        cost = "" if price is None else f", {plain(price)} yuan each time"
        said = f"this may take {found.parts} SMS parts ({len(found.text)} characters{cost})"
        report.warn("R303", node, said)
