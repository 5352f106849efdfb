"""Passages as text for the model: one block each, in their order, without numbers. Pure.

Whoever shows them to a model numbers them, for only the run knows which numbers are taken:
``f"[{number}] {block}"`` for each of ``blocks(result.passages)``.
"""

from collections.abc import Sequence

from handlers.answering.cleaning import one_line
from index.documents import Passage

LONGEST_PASSAGE = 4000
"""Characters. A passage of the index is far shorter; this bounds what somebody else may offer."""

_LONGEST_LABEL = 300


def blocks(passages: Sequence[Passage]) -> list[str]:
    """Return a block for each passage: where it stands, what opens it, then its words."""
    return [_block(one) for one in passages]


def as_text(passages: Sequence[Passage]) -> str:
    """Return all blocks, parted by empty lines."""
    return "\n\n".join(blocks(passages))


def _block(passage: Passage) -> str:
    chunk = passage.chunk
    where = [one_line(part) for part in (passage.title, *chunk.heading_path)]
    label = " - ".join(dict.fromkeys(part for part in where if part))[:_LONGEST_LABEL]
    dated = f", updated {passage.updated_at:%Y-%m-%d}" if passage.updated_at else ""
    opens = f"(source {passage.source}, document {chunk.document_id}, part {chunk.ordinal}{dated})"
    return f"{label} {opens}\n{chunk.text[:LONGEST_PASSAGE]}"
