"""Any OpenAI-compatible endpoint as a LanguageModel: the only place that imports openai.

Built on chat.completions, which every compatible server has. The client is made at the first call:
it refuses to be made without a key, and importing it costs half a second. It belongs to the event
loop of that first call, so one instance serves one long-lived loop.

    try 1 ─▶ 429, 5xx, no connection ─▶ wait with jitter ─▶ try 2 ─▶ ... at most 3 tries

All tries come before the first character; after it nothing is tried again, because it would be said
twice. Time-outs are not tried again: whoever asked is waiting, and the fallback answers at once.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, cast

from handlers.adapters.breaker import Breaker
from handlers.answering.errors import ModelError, ModelRefused, ModelUnavailable
from handlers.answering.ports import Completed, Message, ModelEvent, TextDelta, Usage

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI, OpenAIError
    from openai.types.chat import ChatCompletionMessageParam

MOST_TRIES = 3
LONGEST_WAIT = 8.0
"""Seconds between two tries; asked to wait longer, it is better to fall back at once."""

NO_KEY = "no-key-needed"
"""Sent where no key is set: local servers ignore it, and the client insists on one."""

_RETRIED = frozenset({408, 409, 425, 429})
_DONE = frozenset({"stop", "tool_calls", "function_call"})
_NOT_A_COMPLETION = "The model endpoint answered with something that is not a completion."
_OPTIONAL: dict[str, object] = {"stream_options": {"include_usage": True}, "temperature": 0.0}
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
        self._model = model
        self._api_key = api_key
        self._base_url = base_url or "https://api.openai.com/v1"
        self._first_token_timeout = first_token_timeout
        self._gap_timeout = gap_timeout
        self._connect_timeout = connect_timeout
        self._retry_wait = retry_wait
        self._breaker = breaker or Breaker()
        self._jitter = jitter
        self._rejected: frozenset[str] = frozenset()
        self._client: AsyncOpenAI | None = None

    @property
    def name(self) -> str:
        """The name of the model."""
        return self._model

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def stream(
        self, messages: Sequence[Message], *, deadline: float
    ) -> AsyncGenerator[ModelEvent]:
        """Yield text as it comes and Completed last. Raises ModelUnavailable, ModelRefused."""
        now = asyncio.get_running_loop().time
        self._breaker.admit(now())
        if self._client is None:
            # Half a second of importing, which would stop everything else on this loop.
            await asyncio.to_thread(import_module, "openai")
        left_out = self._rejected
        said = False
        for attempt in range(1, MOST_TRIES + 1):
            failure: _Failure | None = None
            try:
                async with aclosing(self._attempt(messages, deadline, left_out)) as events:
                    async for event in events:
                        said = True
                        self._rejected = left_out
                        yield event
            except _Failed as failed:
                failure = failed.failure
            if failure is None:
                self._breaker.record(worked=True, now=now())
                return
            last = said or attempt == MOST_TRIES
            if not last and failure.rejects - left_out:
                left_out |= failure.rejects
            elif last or not await self._paused(failure, attempt, deadline):
                # A refusal is an answer: the endpoint is well, its operator has to act.
                self._breaker.record(worked=not failure.error.retryable, now=now())
                raise failure.error

    async def _attempt(
        self, messages: Sequence[Message], deadline: float, left_out: frozenset[str]
    ) -> AsyncGenerator[ModelEvent]:
        """Ask once. Raises _Failed, whatever went wrong, without a trace of the original error.

        The original may quote the key or the conversation, so it is not chained.
        """
        import openai

        failure: _Failure | None = None
        reply = _Reply()
        asked = cast(
            "list[ChatCompletionMessageParam]",
            [{"role": m.role, "content": m.content} for m in messages],
        )
        try:
            async with asyncio.timeout_at(self._until(deadline, self._first_token_timeout)):
                chunks = await self._connected().chat.completions.create(
                    model=self._model,
                    messages=asked,
                    stream=True,
                    extra_body={k: v for k, v in _OPTIONAL.items() if k not in left_out},
                )
            async with aclosing(chunks):
                wait = self._first_token_timeout
                while not reply.ended:
                    async with asyncio.timeout_at(self._until(deadline, wait)):
                        chunk = await anext(chunks, None)
                    wait = self._gap_timeout
                    for text in reply.read(chunk):
                        yield TextDelta(text)
        except TimeoutError:
            if not reply.finish_reason:
                failure = _Failure(ModelUnavailable("The model endpoint did not answer in time."))
        except openai.OpenAIError as error:
            failure = _judged(error, self._model, frozenset(_OPTIONAL) - left_out)
        except (ValueError, TypeError, AttributeError):
            failure = _Failure(ModelUnavailable(_NOT_A_COMPLETION), again=True)
        if failure is None and not reply.spoke:
            failure = _Failure(ModelUnavailable(_NOT_A_COMPLETION), again=True)
        if failure is not None:
            raise _Failed(failure)
        yield Completed(reply.usage, truncated=reply.finish_reason not in _DONE)

    def _connected(self) -> "AsyncOpenAI":
        if self._client is None:
            from openai import AsyncOpenAI, Timeout

            self._client = AsyncOpenAI(
                api_key=self._api_key or NO_KEY,
                base_url=self._base_url,
                timeout=Timeout(
                    max(self._first_token_timeout, self._gap_timeout) + 1,
                    connect=self._connect_timeout,
                ),
                max_retries=0,  # counted here, where the deadline and the first character are known
            )
        return self._client

    def _until(self, deadline: float, seconds: float) -> float:
        return min(deadline, asyncio.get_running_loop().time() + seconds)

    async def _paused(self, failure: "_Failure", attempt: int, deadline: float) -> bool:
        """Wait before the next try; False when there is none, or no time for it."""
        if not failure.again:
            return False
        wait = self._retry_wait * 2 ** (attempt - 1)
        wait = max(wait, failure.after) + wait * self._jitter()
        if wait > LONGEST_WAIT or asyncio.get_running_loop().time() + wait >= deadline:
            return False
        await asyncio.sleep(wait)
        return True


@dataclass(frozen=True, slots=True)
class _Failure:
    """What an attempt ended with. ``again``: another try may help, not before ``after`` seconds.

    ``rejects`` names optional arguments to leave out in the next try.
    """

    error: ModelError
    again: bool = False
    after: float = 0.0
    rejects: frozenset[str] = frozenset()


class _Failed(Exception):
    def __init__(self, failure: _Failure) -> None:
        super().__init__()
        self.failure = failure


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


def _judged(error: "OpenAIError", model: str, optional: frozenset[str]) -> _Failure:
    """Say what an error means for the operator; quote nothing of it but its status."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return _Failure(ModelUnavailable("The model endpoint did not answer in time."))
    if isinstance(error, openai.APIConnectionError):
        return _Failure(ModelUnavailable("The model endpoint cannot be reached."), again=True)
    if not isinstance(error, openai.APIStatusError):
        return _Failure(ModelUnavailable("The model endpoint reported a failure."), again=True)
    status = error.status_code
    said = f"(HTTP {status})"
    if status == 429 and error.code == "insufficient_quota":
        return _Failure(ModelRefused(f"The model account has no quota left {said}."))
    if status in _RETRIED or status >= 500:
        what = "is busy" if status == 429 else "failed"
        return _Failure(ModelUnavailable(f"The model endpoint {what} {said}."), True, _after(error))
    if status in (401, 403):
        return _Failure(
            ModelRefused(f"The model endpoint refused the key {said}: check OPENAI_API_KEY.")
        )
    if status == 404:
        return _Failure(
            ModelRefused(
                f"The model endpoint has no model {model!r} {said}: check OPENAI_MODEL and"
                " OPENAI_BASE_URL."
            )
        )
    refused = ModelRefused(f"The model endpoint rejected the request {said}.")
    if status in (400, 422):
        named = frozenset(o for o in optional if o in f"{error.message} {error.param} {error.body}")
        return _Failure(refused, rejects=named or optional)
    return _Failure(refused)


def _after(error: "APIStatusError") -> float:
    """Return the seconds of Retry-After, 0.0 without one; a date there is not waited for."""
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "0")))
    except ValueError:
        return 0.0
