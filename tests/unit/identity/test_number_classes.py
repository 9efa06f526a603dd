"""Classes of numbers: in the catalogue, in rules, in records."""

from __future__ import annotations

import pytest

from engine.identity import Identity
from engine.intake import Intake
from engine.number_classes import NumberClasses, asked_for
from tests.unit.identity.support import IMSI, KEY, row
from tests.unit.language.texts import CATALOG, load

LISTS = "hotline: [10086]\nbanks: [955*, +86 96*, 4008895558]\nbritain: [+44*]\nrivals: [10010*, 10000]\n"


def loaded(when: str, numbers: str = LISTS):  # type: ignore[no-untyped-def]
    return load(when=when, files={**CATALOG, "catalog/numbers.yaml": numbers})
