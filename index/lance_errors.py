"""What the storage engine raises, told in the errors of this package."""

import contextlib
from collections.abc import Iterator

from index.errors import EmbedderMismatch, IndexMissing, IndexUnavailable, WriterConflict
from index.lance_fence import fenced_off

PATIENCE = {
    "client_max_retries": "3",
    "client_retry_timeout": "20",
    "connect_timeout": "5s",
    "timeout": "30s",
}
"""Storage options unless others are given. Left alone, a dead bucket is retried for minutes."""


class Vanished(IndexUnavailable):
    """A file that the held version needs is gone; a newer version may do without it."""


def missing(uri: str) -> IndexMissing:
    """Return the error for a place that nothing was synced into."""
    return IndexMissing(
        f"There is no index at {uri} yet. Sync a source into it first: footnote sync."
    )


def mismatch(uri: str, theirs: str, size: int, ours: str, dimensions: int) -> EmbedderMismatch:
    """Return the error for vectors of ``ours`` where an index holds those of ``theirs``."""
    return EmbedderMismatch(
        f"The index at {uri} was built with {theirs or 'an unknown embedder'} ({size} numbers a "
        f"vector), not with {ours} ({dimensions}). Use that embedder, or sync into another place."
    )


def is_missing(error: Exception) -> bool:
    """Tell whether the engine says so that there is no such table."""
    return isinstance(error, ValueError) and str(error).lower().startswith("table '")


@contextlib.contextmanager
def explained(uri: str) -> Iterator[None]:
    """Turn an error of the engine into IndexMissing, WriterConflict or IndexUnavailable.

    The engine raises built-in errors and tells them apart by their text alone.
    """
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        said = str(error).lower()
        if is_missing(error):
            raise missing(uri) from error
        if "commit conflict" in said or "concurrent writers" in said or fenced_off(said):
            raise WriterConflict(
                f"Another writer changed the index at {uri} at the same time. Try again."
            ) from error
        if "not found" in said:
            raise Vanished(
                f"Something that the index at {uri} needs was not found there. Check that the "
                "place exists and that this process may read it, then try again. If it stays so, "
                "delete the index and sync anew."
            ) from error
        raise IndexUnavailable(
            f"The storage of the index at {uri} did not answer as it should. Check that the place "
            "exists and that this process may read and write it, then try again."
        ) from error
