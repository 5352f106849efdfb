"""Bring a table into shape: the steps; ``lance_upkeep`` decides whether and what.

lancedb is imported in ``lance.py`` alone, which hands in the table and the makers of its indexes.
"""

from collections.abc import Callable, Mapping
from typing import Any

from index import lance_upkeep
from index.lance_upkeep import VectorDesign


async def maintain(
    table: Any,
    *,
    force: bool,
    scattered_only: bool,
    keywords: str,
    filters: Mapping[str, object],
    vector_config: Callable[[VectorDesign], object],
) -> None:
    """Compact, index what is not indexed yet, forget old versions; unless it is not due.

    ``keywords`` is the name of the keyword index, ``filters`` are the indexes by column, and
    ``vector_config`` makes that of a design.
    """
    stats = await table.stats()
    keyword_stats = await table.index_stats(keywords)
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
            await table.create_index("vector", name=design.name, config=vector_config(design))
            for outgrown in lance_upkeep.outgrown_designs(state, design):
                await table.drop_index(outgrown)
        for column in filters.keys() - state.indexes:
            await table.create_index(column, name=column, config=filters[column])
    await table.optimize(cleanup_older_than=lance_upkeep.KEEP)
