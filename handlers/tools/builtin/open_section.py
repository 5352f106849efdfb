"""Open the section of a document that a passage stands in."""

import asyncio
from collections.abc import Mapping, Sequence

from handlers.tools.builtin.index_errors import asking_the_index
from handlers.tools.builtin.passages import handles
from handlers.tools.errors import ToolRefused
from handlers.tools.ports import Effect, ToolContext, ToolResult
from index.documents import Passage
from index.ports import Embedder, VectorIndex
from index.ranking import Best, scored

REACH = 8
"""Parts before and after the one that is asked for, at most."""

MOST_CHARACTERS = 8_000


class OpenSection:
    """Shows what stands around a passage, as far as everybody in the room may read it."""

    name = "open_section"
    description = (
        "Read the whole section around a passage that search_documents found, when the passage"
        " alone is not enough. Cite what it returns by its numbers."
    )
    parameters: Mapping[str, object] = {
        "type": "object",
        "properties": {
            "document": {
                "type": "string",
                "pattern": "^[0-9a-f]{32}$",
                "maxLength": 32,
                "description": "The document, as named with the passage.",
            },
            "part": {
                "type": "integer",
                "minimum": 0,
                "maximum": 1_000_000,
                "description": "The part, as numbered with the passage.",
            },
        },
        "required": ["document", "part"],
        "additionalProperties": False,
    }
    effect = Effect.READ

    def __init__(self, index: VectorIndex, embedder: Embedder) -> None:
        """Read from ``index``; ``embedder`` is the one that it was built with."""
        self._index = index
        self._embedder = embedder

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Return the section. Raises ToolRefused, ToolUnavailable."""
        document, part = str(arguments["document"]), int(str(arguments["part"]))
        places = [(document, at) for at in range(max(0, part - REACH), part + REACH + 1)]
        async with asking_the_index(context):
            # Its distances are not looked at, but the index gives none without a vector.
            vector = await asyncio.to_thread(self._embedder.embed_query, "")
            found = await self._index.at(places, vector, context.audience)
        best = Best.of(found)
        parts = {one.chunk.ordinal: scored(one, best) for one in found}
        if part not in parts:
            raise ToolRefused(
                "There is no such part, or not everybody here may read it. Take document and part"
                " from a passage that search_documents returned."
            )
        section = _section(parts, part)
        text = handles(section)
        after = section[-1].chunk.ordinal + 1
        if after in parts:
            text += f"\nThe document goes on with part {after}."
        return ToolResult(text, passages=tuple(section))


def _section(parts: Mapping[int, Passage], part: int) -> Sequence[Passage]:
    """Return the parts around one under the same headings, in reading order, within the budget."""
    headings = parts[part].chunk.heading_path
    taken, room = [parts[part]], MOST_CHARACTERS - len(parts[part].chunk.text)
    for step in (1, -1):
        at = part + step
        while (one := parts.get(at)) is not None and one.chunk.heading_path == headings:
            room -= len(one.chunk.text)
            if room < 0:
                break
            taken.append(one)
            at += step
    return sorted(taken, key=lambda one: one.chunk.ordinal)
