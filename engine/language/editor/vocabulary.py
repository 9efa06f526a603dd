"""The names a rule may use: those of a folder's catalogue and policy, as far as they can be read.

What can't be read is not closed: an editor then takes any name, as `touchpoint check` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.language.catalog import Names
from engine.language.conditions import Field
from engine.language.editor.scalars import Schema, text, words
from engine.language.model import Policy
from engine.text import format_value

PLACES: Final = "place"
PRODUCTS: Final = "product"
GROUPS: Final = "group"
NUMBERS: Final = "numbers"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Names by what they name, each with a line on it. A list that is None is not closed."""

    fields: Mapping[str, Field] | None = None
    tiers: tuple[str, ...] | None = None
    rules: tuple[str, ...] = ()
    lists: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """`PLACES`, `PRODUCTS`, `GROUPS`, `NUMBERS` -> name -> what it is; one that is missing is not closed."""

    def definitions(self) -> dict[str, Schema]:
        """Describe each list once, to be referred to."""
        return {of: self._definition(of) for of in (PLACES, PRODUCTS, GROUPS, NUMBERS)}

    def _definition(self, of: str) -> Schema:
        known = self.lists.get(of)
        if known is None:
            return text()
        if not known:
            return {"not": {}}
        return {"title": _TITLES[of], **words(known, known, _SAID[of])}


_TITLES: Final = {
    PLACES: "place or group", PRODUCTS: "product", GROUPS: "group of rules", NUMBERS: "list of numbers"
}  # fmt: skip
_SAID: Final = {
    PLACES: "no such place or group of places in the catalogue",
    PRODUCTS: "no such product in the catalogue",
    GROUPS: "no such group in policy.yaml",
    NUMBERS: "no such list of numbers in the catalogue",
}


def vocabulary(names: Names, policy: Policy | None, rules: tuple[str, ...] = ()) -> Vocabulary:
    """Collect the names. `policy` None: unreadable."""
    catalog = names.catalog
    fields = None if "fields" in names.unreadable else catalog.fields
    tier = catalog.fields.get("tier")
    lists: dict[str, Mapping[str, str]] = {}
    if "places" not in names.unreadable:
        places = {key: f"{place.name}: {len(place.cells)} cells" for key, place in catalog.places.items()}
        lists[PLACES] = places | {key: ", ".join(members) for key, members in catalog.groups.items()}
    if "products" not in names.unreadable:
        lists[PRODUCTS] = {
            key: f"{product.name}, {format_value(product.price, 'money')}"
            for key, product in catalog.products.items()
        }
    if "numbers" not in names.unreadable:
        lists[NUMBERS] = {
            key: ", ".join((*numbers, *(f"{begin}*" for begin in catalog.prefixes.get(key, ()))))
            for key, numbers in catalog.numbers.items()
        }
    if policy is not None:
        lists[GROUPS] = dict.fromkeys(policy.groups, "")
    return Vocabulary(fields, tier.values or None if tier else None, rules, lists)


def refer(of: str) -> Schema:
    """Refer to a definition."""
    return {"$ref": f"#/definitions/{of}"}


def mapping(of: str) -> Schema:
    """Refer to a definition that is a mapping: an editor then opens a new line for it."""
    return {"type": "object", "anyOf": [refer(of)]}
