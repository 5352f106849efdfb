"""Bring a table into shape: the steps; ``lance_upkeep`` decides whether and what.

lancedb is imported in ``lance.py`` alone, which hands in the table and the makers of its indexes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from index import lance_upkeep
from index.lance_upkeep import VectorDesign

KEYWORDS = "keywords"
"""Name of the keyword index and of its column, which holds tokens already: see keywords.py."""


@dataclass(frozen=True, slots=True)
class Indexes:
    """How the engine is asked for its indexes: of words, of the columns in filters, of vectors.

    A table of more than ``packed_above`` rows gets a packed column as well: see lance_packed.py.
    """

    words: object
    filters: Mapping[str, object]
    vectors: Callable[[VectorDesign], object]
    packed_above: int = lance_upkeep.AT_ONCE_ROWS


async def index_words(table: Any, indexes: Indexes, *, anew: bool = False) -> None:
    """Index the words of a table that has no such index, or of any table ``anew``."""
    for left in reversed(range(3)):
        if not anew and KEYWORDS in [index.name for index in await table.list_indices()]:
            return
        try:
            await table.create_index(KEYWORDS, name=KEYWORDS, config=indexes.words)
            return
        except RuntimeError:
            # Another writer may have created the index, or the table anew, in the same moment.
            if not left:
                raise
            await table.checkout_latest()


async def maintain(
    table: Any, indexes: Indexes, *, force: bool = False, scattered_only: bool = False
) -> None:
    """Compact, index what is not indexed yet, forget old versions; unless it is not due."""
    stats = await table.stats()
    keyword_stats = await table.index_stats(KEYWORDS)
    state = lance_upkeep.TableState(
        rows=stats["num_rows"],
        unindexed=(
            stats["num_rows"] if keyword_stats is None else keyword_stats.num_unindexed_rows
        ),
        fragments=stats["fragment_stats"]["num_small_fragments"],
        indexes=frozenset(index.name for index in await table.list_indices()),
    )
    if not (force or lance_upkeep.is_due(state, scattered_only=scattered_only)):
        return
    design = lance_upkeep.vector_design(state.rows)
    if design is not None:
        if design.name not in state.indexes:
            await table.create_index("vector", name=design.name, config=indexes.vectors(design))
            for outgrown in lance_upkeep.outgrown_designs(state, design):
                await table.drop_index(outgrown)
        for column in indexes.filters.keys() - state.indexes:
            await table.create_index(column, name=column, config=indexes.filters[column])
    await table.optimize(cleanup_older_than=lance_upkeep.KEEP)
