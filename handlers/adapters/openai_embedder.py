"""Any OpenAI-compatible embeddings endpoint as an Embedder.

    texts ─ batches ─▶ try 1 ─▶ 429, 5xx, no connection ─▶ wait with jitter ─▶ ... at most 4 tries

A batch of documents that timed out is tried again; a question is not, because whoever asked is
waiting. What comes back is not believed but looked at: as many vectors as texts, each of the length
of the first, finite and not zero. Nothing of an error of the endpoint is repeated but its status:
it may quote the key or the text.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from index.errors import EmbedderUnavailable, EmbedderUnreachable, KnowledgeError
from index.ports import Vector, Vectors

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI, OpenAIError

MOST_TRIES = 4
LONGEST_WAIT = 20.0
"""Seconds between two tries; an endpoint that asks for more is left alone."""

BATCH_TEXTS = 64
LONGEST_TEXT = 8_000
"""Characters of a text that are sent, 2,000 tokens of English: small models read no more."""

BLANK = "."
"""Sent for a text without a letter: OpenAI refuses an empty one."""

NO_KEY = "no-key-needed"
"""Sent where no key is set: local servers ignore it, and the client insists on one."""

_RETRIED = frozenset({408, 409, 425, 429})


class OpenAIEmbedder:
    """The Embedder port over HTTP: OpenAI, Azure (v1 address), Ollama, vLLM, llama.cpp and others.

    Safe to share between threads. Connects at the first text.
    """

    def __init__(
        self,
        *,
        model: str,
        api_key: str,
        base_url: str,
        query_timeout: float = 10.0,
        documents_timeout: float = 60.0,
        retry_wait: float = 0.5,
        jitter: Callable[[], float] = random.random,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Keep the settings. All times are in seconds; ``retry_wait`` is the first pause.

        ``api_key`` may be empty for servers that need none; ``base_url`` empty means
        api.openai.com.
        """
        self._model = model
        self._api_key = api_key
        self._base_url = base_url or "https://api.openai.com/v1"
        self._query_timeout = query_timeout
        self._documents_timeout = documents_timeout
        self._retry_wait = retry_wait
        self._jitter = jitter
        self._sleep = sleep
        self._dimensions = 0
        self._lock = threading.Lock()
        self._client: OpenAI | None = None

    @property
    def name(self) -> str:
        """Names the vector space: that of the model, wherever it is served."""
        return f"openai:{self._model}"

    @property
    def dimensions(self) -> int:
        """Length of a vector, learnt from the endpoint. Raises as ``embed_query`` does."""
        if not self._dimensions:
            self.embed_query("dimensions")
        return self._dimensions

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Return one row of length 1 a text, in order; shape (len(texts), dimensions).

        Only the first ``LONGEST_TEXT`` characters of a text count. Raises EmbedderUnavailable,
        EmbedderUnreachable.
        """
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for first in range(0, len(texts), BATCH_TEXTS):
            batch = texts[first : first + BATCH_TEXTS]
            vectors[first : first + len(batch)] = self._embedded(batch, self._documents_timeout)
        return vectors

    def embed_query(self, text: str) -> Vector:
        """Return the vector of a question; shape (dimensions,), length 1.

        Raises EmbedderUnavailable, EmbedderUnreachable.
        """
        vector: Vector = self._embedded([text], self._query_timeout, waiting=True)[0]
        return vector

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _embedded(self, texts: Sequence[str], timeout: float, *, waiting: bool = False) -> Vectors:
        sent = [_sendable(text) for text in texts]
        failure = _NONSENSE
        for attempt in range(1, MOST_TRIES + 1):
            outcome = self._attempt(sent, timeout)
            if not isinstance(outcome, _Failure):
                return outcome
            failure = outcome
            wait = self._retry_wait * 2 ** (attempt - 1)
            wait = max(wait, failure.after) + wait * self._jitter()
            hopeless = not failure.again or (waiting and failure.late)
            if hopeless or attempt == MOST_TRIES or wait > (timeout if waiting else LONGEST_WAIT):
                break
            self._sleep(wait)
        raise failure.error

    def _attempt(self, sent: list[str], timeout: float) -> "Vectors | _Failure":
        import openai

        try:
            reply = self._connected().embeddings.create(
                model=self._model, input=sent, encoding_format="float", timeout=timeout
            )
        except openai.OpenAIError as error:
            return _judged(error, self._model)
        except (ValueError, TypeError, AttributeError):
            return _NONSENSE
        return self._checked(reply, len(sent))

    def _checked(self, reply: object, count: int) -> "Vectors | _Failure":
        try:
            data = list(reply.data)  # type: ignore[attr-defined]
            rows = sorted(data, key=lambda one: int(one.index))
            vectors = np.array([one.embedding for one in rows], dtype=np.float32)
            complete = [one.index for one in rows] == list(range(count))
        except (TypeError, ValueError, AttributeError):
            return _NONSENSE
        if not complete or vectors.ndim != 2 or not np.isfinite(vectors).all():
            return _NONSENSE
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not lengths.all():
            return _NONSENSE
        with self._lock:
            self._dimensions = self._dimensions or vectors.shape[1]
        if vectors.shape[1] != self._dimensions:
            return _Failure(
                EmbedderUnavailable(
                    f"The embeddings endpoint answers with {vectors.shape[1]} numbers a vector, and"
                    f" did so with {self._dimensions} before; check what serves {self._model}."
                )
            )
        return np.asarray(vectors / lengths, dtype=np.float32)

    def _connected(self) -> "OpenAI":
        with self._lock:
            if self._client is None:
                from openai import OpenAI

                self._client = OpenAI(
                    api_key=self._api_key or NO_KEY,
                    base_url=self._base_url,
                    max_retries=0,  # counted here, where it is known who waits
                )
            return self._client


@dataclass(frozen=True, slots=True)
class _Failure:
    """What a try ended with. ``again``: another may help, not before ``after`` seconds."""

    error: KnowledgeError
    again: bool = False
    after: float = 0.0
    late: bool = False


_NONSENSE = _Failure(
    EmbedderUnreachable(
        "The embeddings endpoint answered with something that is no list of vectors; check"
        " FOOTNOTE_EMBEDDER and OPENAI_BASE_URL."
    ),
    again=True,
)


def _sendable(text: str) -> str:
    text = text[:LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8").replace("\0", " ")
    return text if any(map(str.isprintable, text.split())) else BLANK


def _judged(error: "OpenAIError", model: str) -> _Failure:
    """Say what an error means for the operator; quote nothing of it but its status."""
    import openai

    if isinstance(error, openai.APITimeoutError):
        late = EmbedderUnreachable("The embeddings endpoint did not answer in time.")
        return _Failure(late, again=True, late=True)
    if isinstance(error, openai.APIConnectionError):
        return _Failure(EmbedderUnreachable("The embeddings endpoint cannot be reached."), True)
    if not isinstance(error, openai.APIStatusError):
        return _NONSENSE
    status = error.status_code
    said = f"(HTTP {status})"
    if status == 429 and error.code == "insufficient_quota":
        return _Failure(EmbedderUnavailable(f"The account for embeddings has no quota {said}."))
    if status in _RETRIED or status >= 500:
        what = "is busy" if status == 429 else "failed"
        busy = EmbedderUnreachable(f"The embeddings endpoint {what} {said}.")
        return _Failure(busy, again=True, after=_after(error))
    if status in (401, 403):
        reason = f"refused the key {said}: check OPENAI_API_KEY."
    elif status == 404:
        reason = f"has no model {model!r} {said}: check FOOTNOTE_EMBEDDER and OPENAI_BASE_URL."
    else:
        reason = f"rejected the request {said}: check that {model!r} makes embeddings."
    return _Failure(EmbedderUnavailable(f"The embeddings endpoint {reason}"))


def _after(error: "APIStatusError") -> float:
    """Return the seconds of Retry-After, 0.0 without one; a date there is not waited for."""
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "0")))
    except ValueError:
        return 0.0
