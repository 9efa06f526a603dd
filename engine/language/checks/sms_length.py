"""R303: what an SMS may come to, with the longest value that each placeholder can take."""

from __future__ import annotations

from typing import Final

from engine.language.checks.code import Check
from engine.language.checks.placeholders import Scope
from engine.language.model import Product
from engine.language.report import Report
from engine.language.source import Node
from engine.sms import segments
from engine.text import VALUE_LIMIT, Template, format_value

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
            is paid for. The count takes the longest value of each placeholder.
            """,
        level="warning",
    ),
)

PARTS: Final = 3
"""An SMS that may take more parts than this is warned about."""


def check_length(
    report: Report, node: Node, text: str, scope: Scope, product: Product | None, places: tuple[str, ...]
) -> None:
    """R303: the parts of an SMS. `places`: the names `{place.name}` can stand for."""
    longest = fill_longest(text, scope, product, places)
    parts = segments(longest).parts
    if parts > PARTS:
        report.warn("R303", node, f"this may take {parts} SMS parts ({len(longest)} characters)")


def fill_longest(text: str, scope: Scope, product: Product | None, places: tuple[str, ...]) -> str:
    """Put the longest value that each placeholder can take into a text."""
    values = {
        "match.count": "9999",
        "match.total": "1023.9MB",
        "place.name": max(places, key=len, default=""),
    }
    if product is not None:
        values["product.name"] = product.name
        values["product.price"] = format_value(product.price, "money")
        values["product.reply"] = product.reply
    for name, spec in (scope.fields or {}).items():
        values[f"event.{name}"] = max(spec.values, key=len, default="8" * _longest(spec.type))
    return Template.parse(text).render(values)


def _longest(type: str) -> int:
    """Characters a value of a field type takes at most, about."""
    return VALUE_LIMIT if type == "text" else 12
