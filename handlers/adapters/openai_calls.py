"""Calls of an OpenAI-compatible endpoint: one client, its tries, and what its errors mean.

Shared by the adapters that answer and that call tools. The client is made at the first call: it
refuses to be made without a key, and importing it costs half a second. It belongs to the event loop
of that first call, so one instance serves one long-lived loop.

    try 1 ─▶ 429, 5xx, no connection ─▶ wait with jitter ─▶ try 2 ─▶ ... at most 3 tries

Time-outs are not tried again: whoever asked is waiting.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from handlers.adapters.breaker import Breaker
from handlers.answering.errors import ModelError, ModelRefused, ModelUnavailable

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI, OpenAIError

MOST_TRIES = 3
LONGEST_WAIT = 8.0
"""Seconds between two tries; asked to wait longer, it is better to fall back at once."""

NO_KEY = "no-key-needed"
"""Sent where no key is set: local servers ignore it, and the client insists on one."""

_RETRIED = frozenset({408, 409, 425, 429})
NOT_A_COMPLETION = "The model endpoint answered with something that is not a completion."
NOT_IN_TIME = "The model endpoint did not answer in time."


@dataclass(frozen=True, slots=True)
class Failure:
    """What an attempt ended with. ``again``: another try may help, not before ``after`` seconds.

    ``rejects`` names optional arguments to leave out in the next try.
    """

    error: ModelError
    again: bool = False
    after: float = 0.0
    rejects: frozenset[str] = frozenset()


class Failed(Exception):
    """An attempt did not work. It is never chained to the original, which may quote the key."""

    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure = failure


class Endpoint:
    """One address with one model behind it. ``read_timeout`` is the longest silence, in seconds."""

    def __init__(
        self,
        *,
        model: str,
        api_key: str,
        base_url: str,
        read_timeout: float,
        connect_timeout: float = 5.0,
        retry_wait: float = 0.5,
        breaker: Breaker | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """Keep the settings; connects at the first call.

        ``api_key`` may be empty for servers that need none; ``base_url`` empty means
        api.openai.com. ``retry_wait`` is the first pause between tries.
        """
        self.model = model
        self.rejected: frozenset[str] = frozenset()
        self._api_key = api_key
        self._base_url = base_url or "https://api.openai.com/v1"
        self._read_timeout = read_timeout
        self._connect_timeout = connect_timeout
        self._retry_wait = retry_wait
        self._breaker = breaker or Breaker()
        self._jitter = jitter
        self._client: AsyncOpenAI | None = None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def ready(self) -> None:
        """Let a call begin. Raises ModelUnavailable while the endpoint is left alone."""
        self._breaker.admit(_now())
        if self._client is None:
            # Half a second of importing, which would stop everything else on this loop.
            await asyncio.to_thread(import_module, "openai")

    def client(self) -> "AsyncOpenAI":
        """Return the client, after ``ready``."""
        if self._client is None:
            from openai import AsyncOpenAI, Timeout

            self._client = AsyncOpenAI(
                api_key=self._api_key or NO_KEY,
                base_url=self._base_url,
                timeout=Timeout(self._read_timeout + 1, connect=self._connect_timeout),
                max_retries=0,  # counted here, where the deadline and the first character are known
            )
        return self._client

    def worked(self, left_out: frozenset[str]) -> None:
        """Note that a call worked without these optional arguments."""
        self.rejected = left_out
        self._breaker.record(worked=True, now=_now())

    async def mended(
        self,
        failure: Failure,
        attempt: int,
        deadline: float,
        left_out: frozenset[str],
        *,
        last: bool,
    ) -> frozenset[str]:
        """Wait before the next try and return what to leave out of it.

        Raises the error of ``failure`` when there is no next try, or no time for it.
        """
        last = last or attempt == MOST_TRIES
        if not last and failure.rejects - left_out:
            return left_out | failure.rejects
        if last or not await self._paused(failure, attempt, deadline):
            # A refusal is an answer: the endpoint is well, its operator has to act.
            self._breaker.record(worked=not failure.error.retryable, now=_now())
            raise failure.error
        return left_out

    async def _paused(self, failure: Failure, attempt: int, deadline: float) -> bool:
        """Wait before the next try; False when there is none, or no time for it."""
        if not failure.again:
            return False
        wait = self._retry_wait * 2 ** (attempt - 1)
        wait = max(wait, failure.after) + wait * self._jitter()
        if wait > LONGEST_WAIT or _now() + wait >= deadline:
            return False
        await asyncio.sleep(wait)
        return True


def until(deadline: float, seconds: float) -> float:
    """Return the event-loop time in ``seconds``, or ``deadline`` if that comes first."""
    return min(deadline, _now() + seconds)


def _now() -> float:
    return asyncio.get_running_loop().time()


def judged(error: "OpenAIError", model: str, optional: frozenset[str]) -> Failure:
    """Say what an error means for the operator; quote nothing of it but its status."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        return Failure(ModelUnavailable(NOT_IN_TIME))
    if isinstance(error, openai.APIConnectionError):
        return Failure(ModelUnavailable("The model endpoint cannot be reached."), again=True)
    if not isinstance(error, openai.APIStatusError):
        return Failure(ModelUnavailable("The model endpoint reported a failure."), again=True)
    status = error.status_code
    said = f"(HTTP {status})"
    if status == 429 and error.code == "insufficient_quota":
        return Failure(ModelRefused(f"The model account has no quota left {said}."))
    if status in _RETRIED or status >= 500:
        what = "is busy" if status == 429 else "failed"
        return Failure(ModelUnavailable(f"The model endpoint {what} {said}."), True, _after(error))
    if status in (401, 403):
        return Failure(
            ModelRefused(f"The model endpoint refused the key {said}: check OPENAI_API_KEY.")
        )
    if status == 404:
        return Failure(
            ModelRefused(
                f"The model endpoint has no model {model!r} {said}: check OPENAI_MODEL and"
                " OPENAI_BASE_URL."
            )
        )
    refused = ModelRefused(f"The model endpoint rejected the request {said}.")
    if status in (400, 422):
        named = frozenset(o for o in optional if o in f"{error.message} {error.param} {error.body}")
        return Failure(refused, rejects=named or optional)
    return Failure(refused)


def _after(error: "APIStatusError") -> float:
    """Return the seconds of Retry-After, 0.0 without one; a date there is not waited for."""
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "0")))
    except ValueError:
        return 0.0
