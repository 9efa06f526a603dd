"""Raw lines of a file, plain or gzip, in bounded memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from engine.errors import InputError
from engine.intake import SIZE_AT_MOST, Intake

_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CHUNK = 1 << 16


def read_lines(path: Path, intake: Intake, *, source: str, name: str) -> Iterator[tuple[int, bytes]]:
    """Yield (line number from 1, line without its end) of all lines that are not blank.

    Gzip is told by its first bytes, not by the name. A line of more than 1 MB is refused (`size`) without
    being read into memory; the last line may lack its end. Raises InputError if the file can't be read, and,
    after the lines before it, where a gzip file is damaged or cut off.
    """
    number = 0
    try:
        with path.open("rb") as plain, _unpacked(plain) as stream:
            while line := stream.readline(SIZE_AT_MOST + 1):
                number += 1
                if number == 1:
                    line = line.removeprefix(_BYTE_ORDER_MARK)
                if len(line) > SIZE_AT_MOST and not line.endswith(b"\n"):
                    size = len(line) + _skip_rest(stream)
                    detail = f"expected at most {SIZE_AT_MOST} bytes, was {size}"
                    intake.refuse("size", detail, source, f"{name}:{number}", line[:_CHUNK])
                    continue
                line = line.rstrip(b"\r\n")
                if line and not line.isspace():
                    yield number, line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        # A piece of a line before the damage is not handed out: it would be taken for a whole one.
        raise InputError(f"{path}:{number + 1}", "gzip data to its end", str(error)) from None
    except OSError as error:
        raise InputError(str(path), "a file that can be read", error.strerror or str(error)) from None


def _unpacked(plain: IO[bytes]) -> IO[bytes]:
    magic = plain.read(len(_GZIP))
    plain.seek(0)
    return cast(IO[bytes], gzip.GzipFile(fileobj=plain)) if magic == _GZIP else plain


def _skip_rest(stream: IO[bytes]) -> int:
    """Read up to the end of the line in pieces; return how many bytes that were."""
    skipped = 0
    while piece := stream.readline(_CHUNK):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped
