"""How sure the answerer that quotes is of an answer: what its decision to refuse rests on."""

from collections.abc import Sequence

from bot.conversation import Question
from handlers.answering.extractive import ExtractiveAnswerer, Weighed
from handlers.answering.refusal import FLOOR
from index.documents import Passage
from index.ports import Embedder

_Asked = tuple[Question, tuple[str, ...]]


class Witness(ExtractiveAnswerer):
    """Answers like the one that quotes, and tells by how much evidence it does so.

    What was weighed for an answer is not weighed again for the evidence.
    """

    def __init__(self, embedder: Embedder, *, floor: float = FLOOR) -> None:
        """Weigh with ``embedder``; refuse below ``floor``."""
        super().__init__(embedder, floor=floor)
        self._weighed: dict[_Asked, Weighed | None] = {}

    async def of(self, question: Question, passages: Sequence[Passage]) -> float:
        """Return the evidence for the best answer; 0.0 without a sentence to quote.

        Raises EmbedderUnavailable.
        """
        evidence = await self.certainty(question, passages)
        self._weighed.pop(_asked(question, passages), None)
        return evidence

    def weigh(self, question: Question, passages: Sequence[Passage]) -> Weighed | None:
        """Return what ``ExtractiveAnswerer.weigh`` returns, and keep it until ``of`` was asked."""
        asked = _asked(question, passages)
        if asked not in self._weighed:
            self._weighed[asked] = super().weigh(question, passages)
        return self._weighed[asked]


def _asked(question: Question, passages: Sequence[Passage]) -> _Asked:
    return question, tuple(passage.chunk.id for passage in passages)
