"""The wire format of messages whose schema is in a registry: a 0, its id, and for Protobuf which message.

    byte 0      0, the magic byte
    bytes 1-4   id of the schema, big endian
    then        Protobuf only: the way to the message type in its file, as counts in zigzag varints: how many
                steps, then each (the second message of the file: 1 1); a single 0 is the first message
    then        the payload

Source: Confluent, "Formats, Serializers, and Deserializers", wire format.
"""

from __future__ import annotations

from engine.refusals import Bad

MAGIC = 0
PREFIX = 5
STEPS_AT_MOST = 32
"""Of the way to a message type: messages nest a few levels deep."""


def schema_id(raw: bytes) -> int:
    """Return the id of a message's schema; raise `Bad` with reason `schema` if the message names none."""
    if len(raw) < PREFIX or raw[0] != MAGIC:
        was = f"{len(raw)} bytes" if len(raw) < PREFIX else f"{raw[0]} at its beginning"
        raise Bad("a 0 and the id of a schema at its beginning", was, "schema", "message")
    return int.from_bytes(raw[1:PREFIX], "big")


def message_type(raw: bytes) -> tuple[tuple[int, ...], int]:
    """Return the way to the message type of a Protobuf message, and where its payload begins."""
    count, at = _count(raw, PREFIX)
    if count == 0:
        return (0,), at
    if count > STEPS_AT_MOST:
        raise _bad(count)
    steps = []
    for _ in range(count):
        step, at = _count(raw, at)
        steps.append(step)
    return tuple(steps), at


def _count(raw: bytes, at: int) -> tuple[int, int]:
    """Read a zigzag varint that is not negative; return it, and where the next thing begins."""
    value = shift = 0
    while True:
        if at >= len(raw) or shift > 28:
            raise _bad("cut off" if at >= len(raw) else "too long")
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
        shift += 7
    if value & 1:
        raise _bad("negative")
    return value >> 1, at


def _bad(was: object) -> Bad:
    return Bad("the place of its type in the schema", str(was), "decode", "message")
