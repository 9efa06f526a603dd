"""Raw lines of a file, plain or gzip, in bounded memory."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, cast

from engine.errors import InputError
from engine.intake import SIZE_AT_MOST, Intake

GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CHUNK = 1 << 16


class Lines:
    """The lines of one file, read from any place on that a reading had reached before."""

    def __init__(
        self,
        path: Path,
        intake: Intake,
        *,
        source: str,
        name: str,
        offset: int = 0,
        number: int = 0,
        opener: Callable[[str, int], int] | None = None,
        is_whole: Callable[[int], bool] = lambda _: True,
        passed: Counter[str] | None = None,
    ) -> None:
        self.path = path
        self.offset = offset
        """Bytes read so far, unpacked: after the last line given. With `number` the place to go on from."""
        self.number = number
        """Number of the last line given, from 1."""
        self.last_began: int | None = None
        """Where the last line begins, if it was given without its end."""
        self.blank = 0
        """Lines passed over since the start of this reading: nothing in them but spaces."""
        self._intake = intake
        self._source = source
        self._name = name
        self._opener = opener
        self._passed = Counter() if passed is None else passed
        """Where blank lines are counted, too."""
        self._is_whole = is_whole
        """Asked, of the open file, before the last line is given that lacks its end: may be half of one."""

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Yield (line number from 1, line without its end) of all lines that are not blank.

        Gzip is told by its first bytes, not by the name; to go on in it, it is unpacked from its start. A
        line of more than 1 MB is refused (`size`) without being read into memory; the last line may lack its
        end, if the file is whole. What a file that has grown since has of such a line is refused (`file`).
        Raises InputError if the file can't be read, and, after the lines before it, where a gzip file is
        damaged or cut off.
        """
        try:
            with open(self.path, "rb", opener=self._opener) as plain, _unpacked(plain) as stream:
                torn = self._begins_torn(stream)
                while line := stream.readline(SIZE_AT_MOST + 1):
                    ended = line.endswith(b"\n")
                    too_long = len(line) > SIZE_AT_MOST and not ended
                    if not (ended or too_long or self._is_whole(plain.fileno())):
                        return
                    self.last_began = None if ended or too_long else self.offset
                    size = len(line) + (_skip_rest(stream) if too_long else 0)
                    self.offset += size
                    if torn:
                        torn = False
                        if not line.isspace():
                            self._refuse("file", "the rest of the file, was half a line", line)
                        continue
                    self.number += 1
                    if self.number == 1:
                        line = line.removeprefix(_BYTE_ORDER_MARK)
                    if too_long:
                        self._refuse("size", f"at most {SIZE_AT_MOST} bytes, was {size}", line[:_CHUNK])
                        continue
                    line = line.rstrip(b"\r\n")
                    if line and not line.isspace():
                        yield self.number, line
                    else:
                        self.blank += 1
                        self._passed["blank"] += 1
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            # A piece of a line before the damage is not handed out: it would be taken for a whole one.
            raise InputError(f"{self.path}:{self.number + 1}", "gzip data to its end", str(error)) from None
        except OSError as error:
            was = error.strerror or str(error)
            raise InputError(str(self.path), "a file that can be read", was) from None

    def _begins_torn(self, stream: IO[bytes]) -> bool:
        """Go to where reading goes on; say whether that is within a line, whose beginning was taken."""
        if not self.offset:
            return False
        stream.seek(self.offset - 1)
        return stream.read(1) != b"\n"

    def _refuse(self, reason: str, expected: str, line: bytes) -> None:
        self._intake.refuse(reason, f"expected {expected}", self._source, f"{self._name}:{self.number}", line)


def read_lines(path: Path, intake: Intake, *, source: str, name: str) -> Iterator[tuple[int, bytes]]:
    """Yield (line number, line) of a whole file, as `Lines` does."""
    return iter(Lines(path, intake, source=source, name=name))


def _unpacked(plain: IO[bytes]) -> IO[bytes]:
    magic = plain.read(len(GZIP))
    plain.seek(0)
    return cast(IO[bytes], gzip.GzipFile(fileobj=plain)) if magic == GZIP else plain


def _skip_rest(stream: IO[bytes]) -> int:
    """Read up to the end of the line in pieces; return how many bytes that were."""
    skipped = 0
    while piece := stream.readline(_CHUNK):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped
