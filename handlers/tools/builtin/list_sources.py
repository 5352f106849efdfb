"""Tell which sources of documents there are."""

from collections.abc import Mapping

from handlers.tools.builtin.index_errors import asking_the_index
from handlers.tools.ports import Effect, ToolContext, ToolResult
from index.ports import VectorIndex

MOST_SOURCES = 200


class ListSources:
    """Names the sources of which everybody in the room may read something."""

    name = "list_sources"
    description = "List the names of the document sources that search_documents searches."
    parameters: Mapping[str, object] = {
        "type": "object",
        "properties": {},
        "additionalProperties": False,
    }
    effect = Effect.READ

    def __init__(self, index: VectorIndex) -> None:
        """Ask ``index``."""
        self._index = index

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Return the names, a line each. Raises ToolUnavailable, ToolRefused."""
        async with asking_the_index(context):
            names = sorted(await self._index.sources(context.audience))
        if not names:
            return ToolResult("There is no source that everybody here may read.")
        lines = names[:MOST_SOURCES]
        if len(names) > MOST_SOURCES:
            lines.append(f"and {len(names) - MOST_SOURCES} more")
        return ToolResult("\n".join(lines))
