"""The decision record and the text: semantics 5."""

from __future__ import annotations

from hashlib import blake2b

from engine.pipeline import Fold
from engine.rulebook import Rulebook
from tests.unit.pipeline.stage import CAFE, KEY, Stage, rule, when

FIELDS = {
    "id", "rule", "rules_hash", "subscriber_key", "at", "outcome", "reason", "arm", "channel", "product",
    "place", "text", "parts", "due", "trigger", "values",
}  # fmt: skip


def text_of(on: Stage, made: list[dict[str, object]]) -> object:
    return made[0]["text"]


def sms(text: str) -> dict[str, object]:
    return {"product": "x", "send": [{"channel": "sms", "text": text}]}


def test_a_record_has_these_fields() -> None:
    on = Stage(rule("r", {"happens": "sms.out"}))
    (decision,) = on.record("sms.out", 7, id="e1")
    assert decision == {
        "id": blake2b(f"r\0{KEY}\0{when(7)}".encode(), digest_size=16, key=b"salt").hexdigest(),
        "rule": "r",
        "rules_hash": on.rules.hash,
        "subscriber_key": KEY,
        "at": when(7),
        "outcome": "offer",
        "reason": None,
        "arm": "treatment",
        "channel": "sms",
        "product": "x",
        "place": None,
        "text": "【移动】包一。退订回R",
        "parts": 1,
        "due": None,
        "trigger": {"source": "feed", "id": "e1", "position": "0:2"},
        "values": {"consent.marketing": True, "consent.profiling": True},
    }
    assert set(decision) == FIELDS


def test_a_refusal_says_what_it_saw_as_far_as_the_gates_went() -> None:
    on = Stage(rule("r", {"happens": "sms.out"}, who={"tier": "gold", "age": "at least 18"}))
    on.record("profile.update", 0, profile={"tier": "gold", "age": 17})
    (decision,) = on.record("sms.out", 1)
    assert (decision["outcome"], decision["reason"], decision["arm"]) == ("refused", "who.age", None)
    assert decision["values"] == {"who.tier": "gold", "who.age": 17}
    assert decision["text"] is None


def test_placeholders_of_product_and_place() -> None:
    on = Stage(
        rule(
            "r",
            {"enters": "cafe"},
            offer=sms("【移动】{place.name} {product.name}{product.price}{product.reply}退订回R"),
        )
    )
    assert text_of(on, on.see(CAFE, 0)) == "【移动】Cafe 包一20元KT1退订回R"


def test_placeholders_of_the_match() -> None:
    on = Stage(
        rule(
            "r",
            {"count": "sms.out", "at_least": "2", "within": "1h"},
            offer=sms("【移动】{match.count}条。退订回R"),
        )
    )
    on.record("sms.out", 0)
    assert text_of(on, on.record("sms.out", 1)) == "【移动】2条。退订回R"


def test_placeholders_are_those_of_the_match_also_at_a_holds_end() -> None:
    on = Stage(
        rule(
            "r",
            {"count": "sms.out", "at_least": "2", "within": "1h"},
            offer=sms("【移动】{match.count}条。退订回R"),
            quiet="10:00 to 11:00",
        )
    )
    on.record("sms.out", 0)
    (held,) = on.record("sms.out", 1)
    for at in (2, 3, 4):
        on.record("sms.out", at)
    (sent,) = on.tick(90)
    assert sent["text"] == held["text"] == "【移动】2条。退订回R"
    assert sent["trigger"] == held["trigger"]


def test_long_texts_are_counted_in_parts() -> None:
    on = Stage(rule("r", {"happens": "sms.out"}, offer=sms("【移动】" + "字" * 70 + "退订回R")))
    assert on.record("sms.out", 0)[0]["parts"] == 2


def test_sampled_refusals_are_counted_all_the_same() -> None:
    on = Stage(rule("r", {"happens": "sms.out"}, who={"tier": "gold"}), rule("s", {"happens": "call.out"}))
    on.fold = Fold(Rulebook(on.rules, b"key"), b"salt", keep_refusal=lambda id: False)
    assert on.record("sms.out", 0) == []
    assert on.fold.counts["r", "refused:who.tier"] == 1
    assert on.record("call.out", 1)[0]["reason"] == "consent.marketing"
