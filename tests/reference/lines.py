"""The lines of `where`, `unless`, `who`, `except`, `if`; unknown is never yes (4.7)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from .intake import normal_number
from .values import holds, number_of
from .world import Applied, House


def event_value(record: dict[str, Any], name: str, number: bool = False) -> Any:
    """Give a record's field, None if unknown; `bytes` is what goes up and down together (7(k))."""
    value = record.get(name)
    if name == "bytes":
        ways = [number_of(record.get(way)) for way in ("up", "down")]
        known = [way for way in ways if way is not None]
        if known:
            total = sum(known, Fraction(0))
            return total if number else int(total)
    if name == "tac8" and value is None and record.get("imei"):
        return str(record["imei"])[:8]
    return number_of(value) if number else value


def judge_event(
    house: House, record: Applied, where: dict[str, Any], unless: dict[str, Any]
) -> tuple[bool, str | None]:
    """Say whether a record passes every line of `where` and none of `unless`, and the place `where` found."""
    place: str | None = None
    for name, test in where.items():
        verdict, found = _line(house, record, name, test)
        if not verdict:  # unknown fails as well
            return False, None
        place = found or place
    for name, test in unless.items():
        if _line(house, record, name, test)[0] is not False:  # 4.7: unknown rejects the record
            return False, None
    return True, place


def _line(house: House, record: Applied, name: str, test: Any) -> tuple[bool | None, str | None]:
    """Judge one line: True, False or None for unknown; and the place that matched."""
    if name == "place":
        return _place_line(house, record.places, test)
    value = event_value(record.record, name)
    if value is None:
        return None, None
    if name == "number":
        own = normal_number(value, house.key)
        return holds(test, value, equal=lambda text: own in _numbers(house, text)), None
    return holds(test, value), None


def _place_line(house: House, places: frozenset[str] | None, test: Any) -> tuple[bool | None, str | None]:
    if places is None:
        return None, None
    matched: list[str] = []

    def same(text: str) -> bool:
        found = [member for member in house.members(text) if member in places]
        matched.extend(found[:1])
        return bool(found)

    verdict = holds(test, sorted(places), equal=same)
    return verdict, matched[0] if verdict and matched else None


def _numbers(house: House, text: str) -> set[str]:
    """Give the normalised numbers a rule names: a list of the catalogue or one number (7(t))."""
    listed = house.numbers.get(text, [text])
    return {normal_number(one, house.key) for one in (listed if isinstance(listed, list) else [listed])}


def judge_profile(house: House, profile: dict[str, Any], name: str, test: Any) -> bool | None:
    """Judge one line about the subscriber: True, False, None for unknown."""
    value = profile.get(name)
    if value is None:
        return None
    about = house.fields.get(name) or {}
    as_text = "values" in about or about.get("type") in ("text", "set")
    return holds(test, value, as_text=as_text)
