"""The table of kinds is whole and one with the rule language."""

from __future__ import annotations

from typing import get_args

from engine import event_kinds
from engine.event_kinds import KINDS
from engine.language import model

SIGNALING = """loc.update loc.handover loc.sight power.on power.off call.out call.in sms.out sms.in
mms.out mms.in data.session data.http handset.change sim.change roam.out roam.in roam.home roam.country"""
BUSINESS = "product.bought sms.reply complaint recharge bill"
CONTROL = "profile.update consent.change send.request offer.receipt subscriber.forget tick rules.switch"


def test_holds_every_kind_in_its_group() -> None:
    expected = dict.fromkeys(SIGNALING.split(), "signaling")
    expected |= dict.fromkeys(BUSINESS.split(), "business")
    expected |= dict.fromkeys(CONTROL.split(), "control")
    assert {name: spec.group for name, spec in KINDS.items()} == expected


def test_field_types_are_those_of_the_rule_language() -> None:
    assert get_args(event_kinds.FieldType) == get_args(model.FieldType)


def test_fields_bear_their_own_name() -> None:
    for spec in KINDS.values():
        for name, field in {**spec.fields, **spec.derived}.items():
            assert field.name == name
            assert field.say


def test_every_signaling_kind_has_the_common_fields() -> None:
    for spec in KINDS.values():
        if spec.group == "signaling":
            assert {"cell", "rat", "plmn", "lac", "tac", "result", "cause", "quality"} <= set(spec.fields)


def test_only_ticks_and_switches_are_about_nobody() -> None:
    assert {name for name, spec in KINDS.items() if not spec.about_subscriber} == {"tick", "rules.switch"}
