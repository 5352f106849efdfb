"""When a table needs maintenance, and which vector index its size deserves. Pure."""

from dataclasses import dataclass
from datetime import timedelta

KEEP = timedelta(hours=1)
"""How long old versions stay: a reader that began on one of them must be able to end."""

FRAGMENTS = 25
"""Compact when commits have left this many fragments; each costs every query a request or two."""

UNINDEXED_ROWS = 2_000
"""Rows that are searched by scanning; above this it pays to bring the indexes up to date."""

FEW_UNINDEXED_ROWS = 500
UNINDEXED_SHARE = 4
"""A small table is due earlier: with 500 rows, if they are a quarter of it.

There indexing costs one version and a tenth of a second, and halves what a question takes: 35 ms
became 19 at 1,093 rows of which none was indexed, 24 became 18 at 546. A large table would be
written anew for little.
"""

INDEX_ROWS = 5_000
"""Below this a scan of the whole table is as fast as an index."""

ONE_PARTITION_ROWS = 50_000

AT_ONCE_ROWS = 50_000
"""Up to this many rows a process fetches them before its first search, and the indexes except that
of words: 1.6 kB a row, 80 MB in all. The rest follows when the first search is done, not before."""

KEPT_ROWS = 250_000
"""Up to this many rows a warm process keeps them all in memory."""

REFINED_TIMES = 1.5
"""How many times as many hits of 4-bit codes are compared again as are wanted.

Each costs a cold process a request. Of the exact 100 nearest this finds .945 among 200,000, as 3
times as many do, and once as many .925; of the 10 nearest all find the same.
"""

FINE_ROWS = 400_000
FINE_PARTITIONS, FINE_PROBES = 128, 20
COARSE_PROBES = 50


@dataclass(frozen=True, slots=True)
class TableState:
    """What a table looks like: rows, rows no keyword index covers, small fragments, index names."""

    rows: int
    unindexed: int
    fragments: int
    indexes: frozenset[str]


@dataclass(frozen=True, slots=True)
class VectorDesign:
    """A vector index: 8-bit or 4-bit codes in ``partitions``, as many as the engine likes for None.

    A search reads ``probes`` of the partitions. Distances from 4-bit codes are rough, so there
    ``REFINED_TIMES`` as many hits are compared again as are wanted. The name stands for the design,
    so a table that has outgrown it is recognised by the name.
    """

    name: str
    bits: int
    partitions: int | None
    probes: int


def is_due(state: TableState, *, scattered_only: bool) -> bool:
    """Tell whether maintenance pays. Between two commits of one sync only scatter counts."""
    if state.fragments >= FRAGMENTS:
        return True
    few = max(FEW_UNINDEXED_ROWS, state.rows // UNINDEXED_SHARE)
    return not scattered_only and state.unindexed >= min(UNINDEXED_ROWS, few)


def vector_design(rows: int) -> VectorDesign | None:
    """Return the design for a table of this many rows, or None when a scan does as well.

    The borders follow measured recall@10: one partition of 8-bit codes keeps .99 up to 50,000 rows.
    Above, 4-bit codes: 20 of 128 partitions keep .98 at 200,000 rows and are 6 MB to read, where 20
    of the engine's own 49 keep .987 and are 18 MB; of a million rows 50 of its 244 keep .97.
    """
    if rows < INDEX_ROWS:
        return None
    if rows <= ONE_PARTITION_ROWS:
        return VectorDesign("vector_sq_1", 8, 1, 1)
    if rows <= FINE_ROWS:
        return VectorDesign("vector_rq_128", 4, FINE_PARTITIONS, FINE_PROBES)
    return VectorDesign("vector_rq_4", 4, None, COARSE_PROBES)


def outgrown_designs(state: TableState, design: VectorDesign) -> frozenset[str]:
    """Return the names of vector indexes that ``design`` replaces."""
    return frozenset(
        name for name in state.indexes if name.startswith("vector_") and name != design.name
    )
