"""Zip containers, as Office files and e-books are, with limits on what they may expand to."""

import io
import zipfile
from typing import Final, Self

from index.formats import Refused

MOST_EXPANDED: Final = 200_000_000
"""Bytes that all parts together may expand to."""

LARGEST_RATIO: Final = 100
"""How many times its own size a container may expand to; text rarely exceeds 20."""

SMALL: Final = 2_000_000
"""Bytes expanded up to which the ratio does not matter: such a container can harm nobody."""

MOST_PARTS: Final = 10_000

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_STEP = 65_536


class Archive:
    """A container, held against its limits by its directory and again while it is read.

    A directory may lie, and several parts may share their bytes: what counts is what comes out.
    """

    def __init__(self, content: bytes) -> None:
        """Raises Refused if it is no container, is encrypted, or would expand beyond the limits."""
        if content.startswith(_OLE):
            if _ENCRYPTED in content:
                raise Refused("is protected by a password; save a copy without one")
            raise Refused("is in the old Office format; save it in the new one")
        self._room = min(MOST_EXPANDED, max(SMALL, LARGEST_RATIO * len(content)))
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise Refused("is no complete zip container; save it anew") from error
        parts = self._zip.infolist()
        if len(parts) > MOST_PARTS:
            raise Refused(f"holds {len(parts):,} parts; split it")
        if sum(part.file_size for part in parts) > self._room:
            raise self._too_much()
        if any(part.flag_bits & 1 for part in parts):
            raise Refused("is protected by a password; save a copy without one")
        self._names = {part.filename: part for part in parts}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def read(self, name: str) -> bytes:
        """Return a part. Raises Refused if it is missing, broken or expands too far."""
        part = self._names.get(name)
        if part is None:
            raise Refused(f"lacks its part {name!r}; save it anew")
        collected = io.BytesIO()
        try:
            with self._zip.open(part) as stream:
                while step := stream.read(_STEP):
                    self._room -= len(step)
                    if self._room < 0:
                        raise self._too_much()
                    collected.write(step)
        except Refused:
            raise
        except Exception as error:
            raise Refused(f"is broken in its part {name!r}; save it anew") from error
        return collected.getvalue()

    def read_if_there(self, name: str) -> bytes:
        """Return a part, or nothing if there is none. Raises as ``read`` does."""
        return self.read(name) if name in self._names else b""

    def _too_much(self) -> Refused:
        return Refused(
            f"would expand to more than {MOST_EXPANDED // 1_000_000} MB, or to more than"
            f" {LARGEST_RATIO} times its size; split it"
        )
