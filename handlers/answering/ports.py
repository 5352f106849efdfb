"""What the answering room needs from a language model, and what it tells while it answers."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from bot.conversation import Answer, Question, Sentence
from index.documents import Passage


@dataclass(frozen=True, slots=True)
class Message:
    """One message to the model."""

    role: Literal["system", "user", "assistant"]
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that one call used, as the endpoint reported them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next few characters from the model."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Completed:
    """The model has said all. ``truncated`` when it ran into its output limit."""

    usage: Usage
    truncated: bool = False


ModelEvent = TextDelta | Completed


class LanguageModel(Protocol):
    """Any OpenAI-compatible endpoint."""

    @property
    def name(self) -> str:
        """Name of the model, as recorded in answers."""
        ...

    def stream(self, messages: Sequence[Message], *, deadline: float) -> AsyncIterator[ModelEvent]:
        """Yield text as it comes and Completed last. ``deadline`` is an event-loop time.

        Raises ModelError; text that was yielded before stays valid.
        """
        ...


@dataclass(frozen=True, slots=True)
class SentenceReady:
    """A sentence whose citations were checked. It may be shown."""

    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Finished:
    """The whole answer; always the last event."""

    answer: Answer


AnswerEvent = SentenceReady | Finished


class Answerer(Protocol):
    """Turns a question and what was found into a cited answer.

    ``passages`` come best first; an answer may cite only these, as ``[1]`` … ``[n]`` in this order.
    ``related`` holds further passages that were found but are not offered, for "nearest pages".
    """

    def answer(
        self, question: Question, passages: Sequence[Passage], *, related: Sequence[Passage] = ()
    ) -> AsyncGenerator[AnswerEvent]:
        """Yield checked sentences as they are ready, and Finished last."""
        ...


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A question as it would be asked alone, "" for none, and what it took.

    ``cost`` is in US dollars, None if unknown.
    """

    text: str = field(default="", repr=False)
    usage: Usage = Usage()
    cost: float | None = None


class Rewriter(Protocol):
    """Makes a follow-up understandable without the conversation before it, for the search."""

    async def standalone(self, question: Question) -> Rewrite:
        """Return the rewrite to search for; without text the question is searched as it is."""
        ...


class NoRewriter:
    """Leaves every question as it is: what goes without a model."""

    async def standalone(self, question: Question) -> Rewrite:
        """Return no rewrite."""
        return Rewrite()
