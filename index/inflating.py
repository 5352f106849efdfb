"""Inflate gzip bytes a piece at a time, so that nobody can make us hold more than we asked for."""

import zlib
from collections.abc import Iterator
from typing import Final

PIECE: Final = 65_536
"""Bytes that come out at most before the caller may say stop."""

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


class Garbled(ValueError):
    """The bytes cannot be inflated; says why in half a sentence."""


class Inflater:
    """Takes compressed bytes as they arrive. ``feed`` and ``close`` raise Garbled."""

    def __init__(self) -> None:
        """Begin."""
        self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` holds, in pieces of at most ``PIECE`` bytes."""
        piece = b""
        while data or len(piece) == PIECE:
            if self._stream.eof:
                # A file may hold several streams, one after the other, and zeros after the last.
                if not data.strip(b"\0"):
                    return
                self._stream = zlib.decompressobj(_GZIP_OR_ZLIB)
            try:
                piece = self._stream.decompress(data, PIECE)
            except zlib.error as error:
                raise Garbled("is broken gzip data") from error
            data = self._stream.unconsumed_tail or self._stream.unused_data
            if piece:
                yield piece

    def close(self) -> None:
        """Say that nothing more comes."""
        if not self._stream.eof:
            raise Garbled("is gzip data that ends too early")


def inflated(data: bytes, largest: int) -> bytes:
    """Return what gzip data holds. Raises Garbled if it is broken or holds more."""
    inflater = Inflater()
    pieces: list[bytes] = []
    size = 0
    for piece in inflater.feed(data):
        size += len(piece)
        if size > largest:
            raise Garbled(f"holds more than {largest:,} bytes")
        pieces.append(piece)
    inflater.close()
    return b"".join(pieces)
