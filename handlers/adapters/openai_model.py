"""Any OpenAI-compatible endpoint as a LanguageModel.

Built on chat.completions, which every compatible server has. All tries come before the first
character; after it nothing is tried again, because it would be said twice. Time-outs are not tried
again: whoever asked is waiting, and the fallback answers at once.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from handlers.adapters.breaker import Breaker
from handlers.adapters.openai_calls import (
    MOST_TRIES,
    NOT_A_COMPLETION,
    NOT_IN_TIME,
    Endpoint,
    Failed,
    Failure,
    judged,
    until,
)
from handlers.answering.errors import ModelUnavailable
from handlers.answering.ports import Completed, Message, ModelEvent, TextDelta, Usage

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletionMessageParam

_DONE = frozenset({"stop", "tool_calls", "function_call"})

TEMPERATURE = 0.0
"""The likeliest word each time: the same prompt is to give the same answer."""

_OPTIONAL: dict[str, object] = {
    "stream_options": {"include_usage": True},
    "temperature": TEMPERATURE,
}
"""Asked for, and left out from then on where a server rejects it."""


class OpenAIModel:
    """Streams chat completions: OpenAI, Azure (v1 address), Ollama, vLLM, llama.cpp and others."""

    def __init__(
        self,
        *,
        model: str,
        api_key: str,
        base_url: str,
        first_token_timeout: float = 20.0,
        gap_timeout: float = 15.0,
        connect_timeout: float = 5.0,
        retry_wait: float = 0.5,
        breaker: Breaker | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Keep the settings; connects at the first call. All times are in seconds.

        ``first_token_timeout`` bounds the wait for the first sign of life, ``gap_timeout`` the
        silence between two pieces, ``retry_wait`` the first pause between tries. ``api_key`` may be
        empty for servers that need none; ``base_url`` empty means api.openai.com.
        """
        self._first_token_timeout = first_token_timeout
        self._gap_timeout = gap_timeout
        self._endpoint = Endpoint(
            model=model,
            api_key=api_key,
            base_url=base_url,
            read_timeout=max(first_token_timeout, gap_timeout),
            connect_timeout=connect_timeout,
            retry_wait=retry_wait,
            breaker=breaker,
            jitter=jitter,
        )

    @property
    def name(self) -> str:
        """The name of the model."""
        return self._endpoint.model

    async def aclose(self) -> None:
        """Close the connections."""
        await self._endpoint.aclose()

    async def stream(
        self, messages: Sequence[Message], *, deadline: float
    ) -> AsyncGenerator[ModelEvent]:
        """Yield text as it comes and Completed last. Raises ModelUnavailable, ModelRefused."""
        await self._endpoint.ready()
        left_out = self._endpoint.rejected
        said = False
        for attempt in range(1, MOST_TRIES + 1):
            failure: Failure | None = None
            try:
                async with aclosing(self._attempt(messages, deadline, left_out)) as events:
                    async for event in events:
                        said = True
                        self._endpoint.rejected = left_out
                        yield event
            except Failed as failed:
                failure = failed.failure
            if failure is None:
                self._endpoint.worked(left_out)
                return
            left_out = await self._endpoint.mended(failure, attempt, deadline, left_out, last=said)

    async def _attempt(
        self, messages: Sequence[Message], deadline: float, left_out: frozenset[str]
    ) -> AsyncGenerator[ModelEvent]:
        """Ask once. Raises Failed, whatever went wrong, without a trace of the original error.

        The original may quote the key or the conversation, so it is not chained.
        """
        import openai

        failure: Failure | None = None
        reply = _Reply()
        asked = cast(
            "list[ChatCompletionMessageParam]",
            [{"role": m.role, "content": m.content} for m in messages],
        )
        try:
            async with asyncio.timeout_at(until(deadline, self._first_token_timeout)):
                chunks = await self._endpoint.client().chat.completions.create(
                    model=self.name,
                    messages=asked,
                    stream=True,
                    extra_body={k: v for k, v in _OPTIONAL.items() if k not in left_out},
                )
            async with aclosing(chunks):
                wait = self._first_token_timeout
                while not reply.ended:
                    async with asyncio.timeout_at(until(deadline, wait)):
                        chunk = await anext(chunks, None)
                    wait = self._gap_timeout
                    for text in reply.read(chunk):
                        yield TextDelta(text)
        except TimeoutError:
            if not reply.finish_reason:
                failure = Failure(ModelUnavailable(NOT_IN_TIME))
        except openai.OpenAIError as error:
            failure = judged(error, self.name, frozenset(_OPTIONAL) - left_out)
        except (ValueError, TypeError, AttributeError):
            failure = Failure(ModelUnavailable(NOT_A_COMPLETION), again=True)
        if failure is None and not reply.spoke:
            failure = Failure(ModelUnavailable(NOT_A_COMPLETION), again=True)
        if failure is not None:
            raise Failed(failure)
        yield Completed(reply.usage, truncated=reply.finish_reason not in _DONE)


@dataclass(slots=True)
class _Reply:
    """What came so far. Reads any shape of chunk: compatible servers differ."""

    usage: Usage = field(default_factory=Usage)
    finish_reason: str = ""
    spoke: bool = False
    ended: bool = False

    def read(self, chunk: object) -> list[str]:
        """Take a chunk, None at the end; return its pieces of text."""
        if chunk is None:
            self.ended = True
            return []
        usage = getattr(chunk, "usage", None)
        prompt, completion = (
            getattr(usage, name, None) for name in ("prompt_tokens", "completion_tokens")
        )
        if isinstance(prompt, int) and isinstance(completion, int):
            self.usage = Usage(prompt, completion)
        texts: list[str] = []
        for choice in (getattr(chunk, "choices", None) or [])[:1]:
            text = getattr(getattr(choice, "delta", None), "content", None)
            if isinstance(text, str) and text:
                texts.append(text)
                self.spoke = True
            self.finish_reason = str(getattr(choice, "finish_reason", None) or self.finish_reason)
        return texts
