"""How long a text can get: the parts of an SMS with the longest value that each placeholder can take.

One character outside the GSM alphabet turns a whole SMS into UCS-2, where a part holds less than half as
many. So the longest text is not made of the longest values only: tried are all values that keep the alphabet,
and each value that leaves it together with the longest of the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from engine.language.checks.placeholders import Scope
from engine.language.checks.unreachable_count import HOT
from engine.language.model import FieldType, Product
from engine.sms import Segments, segments
from engine.text import VALUE_LIMIT, Template, format_value

_WIDE: Final = "\N{GRINNING FACE}"
"""A character of two UTF-16 code units, which is the most there is: emoji, rare Chinese characters."""
_LONGEST: Final[dict[FieldType, str]] = {
    "text": _WIDE * VALUE_LIMIT,
    "number": "140737488355327.98",
    "money": "-140737488355327.98元",
    "bytes": "8388607.9GB",
    "percent": "140737488355327.98%",
    "duration": "104249991373天23小时59分59秒",
    "yes/no": "是",
    "phone": "f" * 32,  # long numbers are kept as hashes only
    "place": _WIDE * VALUE_LIMIT,
}
"""Type of a value -> the longest that intake takes (amounts up to 2⁵³), as `engine.text` writes it."""
_LONGEST_TOTAL: Final[dict[FieldType, str]] = {
    "number": "18014398509481984000",
    "money": "18014398509481984000元",
    "bytes": "33554431999.9GB",  # of both ways
    "duration": "208499982748633天23小时59分59秒",
}
"""Type of a measure -> the longest sum of so many records as can count. It is over 0: so is its mark."""
_COUNT: Final = str(HOT)
"""A subscriber with more records of a kind is hot: nothing fires."""


@dataclass(frozen=True, slots=True)
class Values:
    """What a text can quote. `places`: the names that `{place.name}` can stand for."""

    scope: Scope
    product: Product | None
    places: tuple[str, ...]
    total: FieldType = "bytes"
    """Type of `{match.total}`: one that can be summed up."""
    products: tuple[str, ...] = ()
    """Keys of all products: what a record can name."""

    def of(self, name: str) -> Iterable[str]:
        """List the longest values of a placeholder: one is enough where all are of one alphabet.

        Of a field whose words are known these are all: what a feed may bring besides is not counted.
        """
        if name == "match.count":
            return (_COUNT,)
        if name == "match.total":
            return (_LONGEST_TOTAL[self.total],)
        if name == "place.name":
            return self.places
        if self.product is not None and name.startswith("product."):
            product = self.product
            shown = {"name": product.name, "price": format_value(product.price, "money"),
                     "reply": product.reply}  # fmt: skip
            return (shown.get(name.removeprefix("product."), ""),)
        spec = (self.scope.fields or {}).get(name.removeprefix("event."))
        if spec is None:
            return ()
        if name == "event.product":
            return self.products
        return spec.values or spec.known or (_LONGEST[spec.type],)


@dataclass(frozen=True, slots=True)
class Longest:
    """A text at its longest. `text`: with values put in; `parts`: as SMS."""

    text: str
    size: Segments

    @property
    def parts(self) -> int:
        """SMS parts."""
        return self.size.parts


def longest(text: str, values: Values) -> Longest:
    """Find the values with which a text takes most SMS parts, and of those the longest."""
    template = Template.parse(text)
    plain: dict[str, str] = {}
    wide: dict[str, str] = {}
    most: dict[str, str] = {}
    for name in template.names:
        options = list(values.of(name))
        inside = [value for value in options if segments(value).encoding == "GSM-7"]
        outside = [value for value in options if segments(value).encoding != "GSM-7"]
        plain[name] = max(inside, key=lambda value: segments(value).units, default="")
        wide[name] = max(outside, key=_units, default="")
        most[name] = max(options, key=_units, default="")
    tried = [plain, most, *({**most, name: value} for name, value in wide.items() if value)]
    return max((_fill(template, each) for each in tried), key=lambda found: (found.parts, found.size.units))


def _fill(template: Template, values: Mapping[str, str]) -> Longest:
    text = template.render(values)
    return Longest(text, segments(text))


def _units(value: str) -> int:
    """UTF-16 code units, which is what counts in UCS-2."""
    return len(value.encode("utf-16-le", "surrogatepass")) // 2
