"""Filter strings for LanceDB, built from hex ids, numbers and moments, and from nothing else.

Filters are SQL text without parameters, so a group called ``zzz']) OR true --`` would
rewrite the question. Whatever else a person or a document calls itself never gets near a filter.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC

from index.audience import Audience
from index.documents import stable_id
from index.within import Within

CLAUSES = 256
"""Most members that are put into a filter; the search checks all of them again afterwards."""

_HEX = re.compile(r"[0-9a-f]{32}")


def is_hex_id(text: str) -> bool:
    """Tell whether ``text`` is an id as ``stable_id`` makes them."""
    return _HEX.fullmatch(text) is not None


def any_of(column: str, ids: Iterable[str]) -> str:
    """Return ``column IN (...)``, or what is never true for no ids.

    Raises ValueError if something is not a hex id.
    """
    quoted = _quoted(ids)
    return f"{column} IN ({quoted})" if quoted else "false"


def readable_by(audience: Audience) -> str | None:
    """Return the filter for rows that every member may read, or None when there can be no such row.

    A member who holds all principals of another member adds nothing and is left out. Ids
    that are not hex are dropped: no stored row has one, so they open nothing. For a room of more
    than ``CLAUSES`` different members the filter lets through too much, never too little.
    """
    members = {frozenset(filter(is_hex_id, member)) for member in audience.members}
    if not members or frozenset() in members:
        return None
    smallest = sorted(members, key=lambda member: (len(member), sorted(member)))
    strictest: list[frozenset[str]] = []
    for member in smallest:
        if not any(kept <= member for kept in strictest):
            strictest.append(member)
        if len(strictest) == CLAUSES:
            break
    return _conjunction([f"array_has_any(readers, [{_quoted(member)}])" for member in strictest])


def source_id(name: str) -> str:
    """Return the hex id of a source, safe in a filter whatever the source is called."""
    return stable_id("source", name)


def inside(within: Within) -> list[str]:
    """Return the filters for rows that ``within`` admits; none if it admits all.

    A row without a date is admitted by no limit of age, as comparisons with NULL are not true.
    """
    filters: list[str] = []
    if within.sources is not None:
        filters.append(any_of("source_id", map(source_id, within.sources)))
    for comparison, moment in ((">=", within.since), ("<", within.before)):
        if moment is not None:
            filters.append(
                f"updated_at {comparison} timestamp '{moment.astimezone(UTC).isoformat()}'"
            )
    return filters


def standing_at(places: Iterable[tuple[str, int]]) -> str:
    """Return the filter for rows at places, each a document id and an ordinal, and a few more.

    Raises ValueError if something is not a hex id.
    """
    documents, ordinals = zip(*places, strict=True)
    numbers = ", ".join(str(int(one)) for one in sorted(set(ordinals)))
    return f"{any_of('doc_id', set(documents))} AND ordinal IN ({numbers})"


def _conjunction(clauses: Sequence[str]) -> str:
    # Halved instead of chained: the engine walks the expression recursively.
    if len(clauses) == 1:
        return clauses[0]
    half = len(clauses) // 2
    return f"({_conjunction(clauses[:half])} AND {_conjunction(clauses[half:])})"


def _quoted(ids: Iterable[str]) -> str:
    ordered = sorted(ids)
    for one in ordered:
        if not is_hex_id(one):
            raise ValueError("only 32 hex digits may stand in a filter")
    return ", ".join(f"'{one}'" for one in ordered)
