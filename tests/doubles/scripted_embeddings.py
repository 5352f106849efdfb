"""A scripted OpenAI-compatible embeddings endpoint: real HTTP, as strict as OpenAI's own.

It embeds by words, as HashingEmbedder does. Steps come first, one a request; a request that is
malformed, or that no step expects once ``steps_only`` is set, fails the test.
"""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.doubles.hashing_embedder import HashingEmbedder

KEYS = {"model", "input", "encoding_format"}
MOST_INPUTS = 2_048
KEY = "sk-a-secret"


@dataclass(frozen=True)
class Embeds:
    """Answer as asked."""


@dataclass(frozen=True)
class Fails:
    """Answer with an HTTP error that quotes the key and the text, as some servers do."""

    status: int
    retry_after: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class Hangs:
    """Say nothing until the double is stopped."""


@dataclass(frozen=True)
class Dies:
    """Close the connection without an answer."""


@dataclass(frozen=True)
class Says:
    """Answer 200 with this body."""

    body: str


@dataclass(frozen=True)
class Reversed:
    """Answer with the vectors in another order than asked, each with its index."""


@dataclass(frozen=True)
class Shrinks:
    """Answer with vectors of another length than before."""


Step = Embeds | Fails | Hangs | Dies | Says | Reversed | Shrinks


@dataclass
class ScriptedEmbeddings:
    """``with ScriptedEmbeddings(step, ...) as server``: give clients ``server.base_url``."""

    steps: list[Step] = field(default_factory=list)
    steps_only: bool = False
    dimensions: int = 64
    base_url: str = ""
    inputs: list[list[str]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._released = threading.Event()
        self._lock = threading.Lock()
        self._words = HashingEmbedder(self.dimensions)

    def __enter__(self) -> Self:
        double = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                double._handle(self)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        if error is None:
            assert not self.complaints, self.complaints
            assert not self.steps, f"unused steps: {self.steps}"

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        with self._lock:
            wrong = self._wrong(request, body)
            if not wrong and not self.steps and self.steps_only:
                wrong = "no step expects this request"
            step = Embeds() if wrong or not self.steps else self.steps.pop(0)
        if wrong:
            self.complaints.append(wrong)
            _answer(request, 400, json.dumps({"error": {"message": wrong}}))
            return
        texts = json.loads(body)["input"]
        self.inputs.append(texts)
        match step:
            case Hangs():
                self._released.wait()
                request.close_connection = True
            case Dies():
                request.close_connection = True
            case Fails():
                error = {"message": f"{KEY} {texts}", "type": "scripted", "code": step.code}
                headers = {"Retry-After": step.retry_after} if step.retry_after else {}
                _answer(request, step.status, json.dumps({"error": error}), headers)
            case Says():
                _answer(request, 200, step.body)
            case _:
                _answer(request, 200, json.dumps(self._reply(texts, step)))

    def _wrong(self, request: BaseHTTPRequestHandler, body: bytes) -> str:
        """Return what OpenAI would refuse about a request, or nothing."""
        if request.path != "/v1/embeddings":
            return f"there is no {request.path}"
        if not request.headers.get("Authorization", "").startswith("Bearer "):
            return "no key"
        asked = json.loads(body)
        if set(asked) != KEYS or asked["encoding_format"] != "float":
            return f"unexpected arguments {sorted(asked)}"
        texts = asked["input"]
        if not isinstance(texts, list) or not 1 <= len(texts) <= MOST_INPUTS:
            return "input must be a list of 1 to 2048 texts"
        if not all(isinstance(text, str) and text.strip() and "\0" not in text for text in texts):
            return "an input is empty or no text"
        return ""

    def _reply(self, texts: list[str], step: Step) -> dict[str, Any]:
        vectors = self._words.embed_documents(texts)
        if isinstance(step, Shrinks):
            vectors = vectors[:, :-1]
        # Not of length 1, as those of some servers are not.
        data = [
            {"object": "embedding", "index": index, "embedding": [3.0 * float(x) for x in vector]}
            for index, vector in enumerate(vectors)
        ]
        if isinstance(step, Reversed):
            data.reverse()
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return {"object": "list", "data": data, "model": "scripted", "usage": usage}


def _answer(
    request: BaseHTTPRequestHandler, status: int, body: str, headers: dict[str, str] | None = None
) -> None:
    content = body.encode()
    request.send_response(status)
    for name, value in (headers or {}).items():
        request.send_header(name, value)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content)
