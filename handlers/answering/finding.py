"""From a question in its thread to what was found for those who will see the answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bot.conversation import Question
from handlers.answering.ports import Rewriter
from handlers.answering.timing import Timing
from index.audience import Audience
from index.errors import IndexMissing, IndexUnavailable
from index.retrieval import Retrieval, Retriever


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for: the question, or its rewrite, and the user's turns, oldest first."""

    query: str = field(repr=False)
    earlier: tuple[str, ...] = field(default=(), repr=False)


class Finder:
    """Searches for questions. ``was_synced`` tells whether there must be an index."""

    def __init__(
        self, retriever: Retriever, rewriter: Rewriter, was_synced: Callable[[], Awaitable[bool]]
    ) -> None:
        """Keep the parts; nothing is opened here."""
        self._retriever = retriever
        self._rewriter = rewriter
        self._was_synced = was_synced

    async def search_for(self, question: Question, timing: Timing) -> Search:
        """Return what to search for; a rewrite takes its question's place, which becomes a turn."""
        earlier = tuple(turn.text for turn in question.history if not turn.by_bot)
        if earlier:
            with timing.rewriting():
                timing.rewrite = await self._rewriter.standalone(question)
        if timing.rewrite.text:
            return Search(timing.rewrite.text, (*earlier, question.text))
        return Search(question.text, earlier)

    async def found(self, search: Search, audience: Audience) -> Retrieval:
        """Return what the whole audience may read.

        Raises what ``Retriever.retrieve`` does, and IndexUnavailable where an index has vanished.
        """
        try:
            return await self._retriever.retrieve(search.query, audience, earlier=search.earlier)
        except IndexMissing as error:
            if await self._was_synced():
                raise IndexUnavailable(f"It was there before: {error}") from error
            raise

    async def keeps_best_for(self, search: Search, alone: Audience, room: Audience) -> bool:
        """Tell whether the best that ``alone`` may read is something that the room may not read.

        Raises what ``Retriever.retrieve`` does.
        """
        ranking = (await self.found(search, alone)).ranking
        return bool(ranking) and not room.may_read(ranking[0].readers)
