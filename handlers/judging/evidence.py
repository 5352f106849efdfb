"""How sure the answerer that quotes is of an answer: what its decision to refuse rests on."""

from collections.abc import Sequence

from bot.conversation import Question
from handlers.answering.extractive import ExtractiveAnswerer
from index.documents import Passage


class Witness(ExtractiveAnswerer):
    """Answers like the one that quotes, only to see by how much evidence it would do so."""

    async def of(self, question: Question, passages: Sequence[Passage]) -> float:
        """Return the evidence for the best answer; 0.0 without a sentence to quote.

        Raises EmbedderUnavailable.
        """
        return await self.certainty(question, passages)
