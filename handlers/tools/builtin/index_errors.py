"""What the index cannot do, as errors of tools, and no longer than the run may wait."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from handlers.tools.errors import ToolRefused, ToolUnavailable
from handlers.tools.ports import ToolContext
from index.errors import IndexMissing, KnowledgeError


@asynccontextmanager
async def asking_the_index(context: ToolContext) -> AsyncIterator[None]:
    """Run the block within the deadline. Raises ToolUnavailable, ToolRefused.

    The sentences of the index are for the operator, so the model gets others.
    """
    try:
        async with asyncio.timeout_at(context.deadline):
            yield
    except TimeoutError as error:
        raise ToolUnavailable("The documents could not be searched in time.") from error
    except IndexMissing as error:
        raise ToolRefused("There are no documents yet.") from error
    except KnowledgeError as error:
        if error.retryable:
            raise ToolUnavailable("The documents cannot be searched at the moment.") from error
        raise ToolRefused(
            "The documents cannot be searched; an operator must see to that."
        ) from error
