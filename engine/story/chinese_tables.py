"""Chinese words for kinds of records, their fields, reasons and days."""

from __future__ import annotations

from typing import Final

EVENTS: Final[dict[str, tuple[str, str]]] = {
    "loc.update": ("发生位置更新", "位置更新"),
    "loc.handover": ("切换小区", "小区切换"),
    "loc.sight": ("在小区出现", "出现"),
    "power.on": ("开机", "开机"),
    "power.off": ("关机或失联", "关机或失联"),
    "call.out": ("拨打电话", "主叫通话"),
    "call.in": ("接到来电", "被叫通话"),
    "sms.out": ("发送短信", "发送的短信"),
    "sms.in": ("收到短信", "收到的短信"),
    "mms.out": ("发送彩信", "发送的彩信"),
    "mms.in": ("收到彩信", "收到的彩信"),
    "data.session": ("使用数据上网", "上网会话"),
    "data.http": ("访问网页", "网页访问"),
    "handset.change": ("更换手机", "换机"),
    "sim.change": ("更换SIM卡", "换卡"),
    "roam.out": ("漫游出访", "漫游出访"),
    "roam.in": ("作为访客漫游到本网", "漫游来访"),
    "roam.home": ("漫游归来", "漫游归来"),
    "roam.country": ("漫游中更换国家", "漫游国家变更"),
    "product.bought": ("购买产品", "购买"),
    "sms.reply": ("回复我们的短信", "短信回复"),
    "complaint": ("投诉", "投诉"),
    "recharge": ("充值", "充值"),
    "bill": ("出账单", "账单"),
}
"""Kind -> (what the subscriber does, several of them as a noun)."""

FIELDS: Final[dict[str, str]] = {
    "number": "对方号码", "number_class": "号码类别", "duration": "时长", "length": "长度",
    "apn": "接入点", "up": "上行流量",
    "down": "下行流量", "bytes": "流量", "host": "主机名", "app": "应用", "from.tac": "旧手机型号码",
    "to.tac": "新手机型号码", "to.model": "新手机型号", "to.network": "新手机网络制式", "country": "国家",
    "amount": "金额", "product": "产品", "text": "内容", "about": "事由", "cell": "小区",
    "cell_prev": "原小区", "cell_end": "结束小区", "rat": "无线制式", "plmn": "服务网络",
    "home_plmn": "归属网络", "lac": "位置区", "tac": "跟踪区",
    "result": "结果", "cause": "原因", "phase": "阶段", "quality": "质量标记", "place": "地点",
    "switch_off": "主动关机", "implicit": "由网络推断",
}  # fmt: skip
"""Field of a record -> its name."""

REASONS: Final[dict[str, str]] = {
    "when": "行为条件从未满足",
    "schedule": "不在规则的时段内",
    "valid": "不在规则有效期内",
    "suppressed": "用户已投诉或退订",
    "channel": "没有适合该用户的消息",
    "limits.at_most": "已达到本规则的次数上限",
    "policy.contact": "已达到全局接触上限",
    "only_one_of": "同组营销仍在冷却期内",
    "send_within": "等待时间过长",
    "arbitration": "同一时刻另有优先的营销",
    "holdout": "对照组，用于效果比较",
    "feed": "不应发生的行为的数据源中断",
    "held": "仍在等待免打扰时段结束",
}
PURPOSES: Final[dict[str, str]] = {"marketing": "营销", "profiling": "画像", "location": "使用位置"}
DAYS: Final = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
UNITS: Final[dict[str, str]] = {"d": "天", "h": "小时", "m": "分", "s": "秒"}
CHANNELS: Final[dict[str, str]] = {"sms": "短信", "mms": "彩信", "manual": "人工任务"}
STATUS: Final[dict[str, str]] = {
    "draft": "草稿：不评估，不发送",
    "shadow": "影子运行：评估并计数，但从不发送",
    "live": "已上线",
    "paused": "已暂停：不发送",
}
