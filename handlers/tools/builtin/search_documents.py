"""Search the documents, for those who will see the answer."""

from collections.abc import Mapping

from handlers.tools.builtin.index_errors import asking_the_index
from handlers.tools.builtin.passages import handles
from handlers.tools.ports import Effect, ToolContext, ToolResult
from index.retrieval import Retriever

LONGEST_QUERY = 500


class SearchDocuments:
    """Finds passages that everybody in the room may read; they can be cited."""

    name = "search_documents"
    description = (
        "Search the company's documents. Returns the passages that fit best; cite them by their"
        " numbers. Search again with other words if they do not answer."
    )
    parameters: Mapping[str, object] = {
        "type": "object",
        "properties": {
            "query": {
                "type": "string",
                "minLength": 1,
                "maxLength": LONGEST_QUERY,
                "description": "A question or key words, complete in itself.",
            }
        },
        "required": ["query"],
        "additionalProperties": False,
    }
    effect = Effect.READ

    def __init__(self, retriever: Retriever) -> None:
        """Search with the one that answers rest on."""
        self._retriever = retriever

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Return what was found. Raises ToolUnavailable, ToolRefused."""
        async with asking_the_index(context):
            found = await self._retriever.retrieve(str(arguments["query"]), context.audience)
        if not found.passages:
            return ToolResult("Nothing was found that everybody here may read.")
        return ToolResult(handles(found.passages), passages=found.passages)
