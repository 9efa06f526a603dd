"""CloudEvents in binary mode over Kafka: what `ce_*` headers say of records that do not say it themselves.

    ce_id        id; of the k-th record of an array ID#k
    ce_time      t, a time of RFC 3339
    ce_type      kind
    ce_source    source

Source: CloudEvents 1.0, Kafka Protocol Binding, 3.2 Binary Content Mode: names of attributes behind `ce_`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.xdr_time import ISO, time_reader
from engine.refusals import Bad

_FIELDS = {"ce_id": "id", "ce_time": "t", "ce_type": "kind", "ce_source": "source"}
_time = time_reader(ISO, 0)

Headers = Sequence[tuple[str, bytes | None]]


class Attributes:
    """The attributes of one message that serve its records."""

    __slots__ = ("_given",)

    def __init__(self, given: Mapping[str, bytes]) -> None:
        self._given = given

    def fill(self, record: dict[str, Any], number: int = 0) -> None:
        """Give a record what it lacks; `number`: its place in an array, from 1.

        Raises `Bad` for a time that is none, if it is needed.
        """
        for field, raw in self._given.items():
            if record.get(field) is not None:
                continue
            if field == "t":
                record[field] = _read_time(raw)
            elif field == "id" and number:
                record[field] = f"{raw.decode('utf-8', 'replace')}#{number}"
            else:
                record[field] = raw.decode("utf-8", "replace")


def attributes(headers: Headers) -> Attributes | None:
    """Return the attributes that headers hold; None: there are none of use."""
    given = {_FIELDS[name]: value for name, value in headers if name in _FIELDS and value}
    return Attributes(given) if given else None


def _read_time(raw: bytes) -> int:
    try:
        return _time(raw.strip())
    except Bad as bad:
        bad.field = "ce_time"
        raise
