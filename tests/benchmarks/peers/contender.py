"""What is measured: one way to search, behind the same three methods."""

from typing import Protocol

from tests.benchmarks.peers.corpus import Asked, Corpus


class Contender(Protocol):
    """A search over one corpus, as its makers set it up by default.

    ``filters`` says whether it can restrict a search to what some readers may read. Everything
    else is asked without a filter, and its time is no equal of a filtered one.
    """

    name: str
    filters: bool

    def build(self, corpus: Corpus) -> None:
        """Index the corpus in memory or in the folder that the contender was given."""
        ...

    def search(self, asked: Asked, limit: int, readers: list[str] | None) -> list[int]:
        """Return the numbers of chunks, best first.

        At most ``limit`` for each way to rank that the contender combines. ``readers`` are the ids
        that the one who asks holds; None asks without a filter.
        """
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...
