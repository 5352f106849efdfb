"""Two exchanges that show a small model what is wanted, in the very form of a real question.

A model of this size reads the rules of the prompt and then refuses nearly everything: 13 of the
first 15 questions of ClapNQ that can be answered. After one answer and one refusal to look at it
answers, and there is something to check. Larger models need no examples, so the prompt has none.
"""

from bot.conversation import Question
from handlers.answering.ports import Message
from handlers.answering.prompts import messages
from index.documents import Chunk, Passage

_TRIPS = (
    "The bus to the summer camp leaves at 8:15 from the north gate. Each guest may bring one bag of"
    " up to 12 kg.",
    "Lunch is served in the barn between noon and two o'clock. The kitchen caters for vegetarians.",
    "Tents sleep four. Blankets are provided, but pillows are not.",
)


def shown(nonce: str) -> list[Message]:
    """Return the exchanges, with fences that carry ``nonce``."""
    asked = (
        ("When does the bus leave, and how much luggage is allowed?", _ANSWER),
        ("Who founded the summer camp?", "NOT_FOUND"),
    )
    return [
        message
        for question, answer in asked
        for message in (
            *messages(Question(question), [_passage(text) for text in _TRIPS], nonce=nonce)[1:],
            Message("assistant", answer),
        )
    ]


_ANSWER = (
    "The bus leaves at 8:15 from the north gate. [1] Each guest may bring one bag of up to 12 kg."
    " [1]"
)


def _passage(text: str) -> Passage:
    return Passage(
        chunk=Chunk("0" * 32, "0" * 32, 0, (), text, 0, len(text)),
        source="examples",
        title="Summer camp",
        url="",
        score=1.0,
        similarity=1.0,
        readers=frozenset(),
    )
