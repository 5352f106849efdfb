"""The Runtime API of AWS Lambda, for a function's command that runs as it does in a container.

``awslambdaric`` imports the door, asks ``/runtime/invocation/next`` for an event, and posts what
the handler returned or raised. When it asks for the first time, the init phase is over.
"""

import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

VERSION = "2018-06-01"
TIMEOUT_SECONDS = 120.0


class FunctionFailed(Exception):
    """The handler raised, the door could not be imported, or the process ended."""


@dataclass(frozen=True, slots=True)
class Result:
    """What the handler returned, and the seconds from handing over the event to its answer."""

    value: Any
    seconds: float


@dataclass
class Function:
    """One container of a function. ``init_seconds`` is from process start to the first "next"."""

    process: "subprocess.Popen[bytes]"
    output: Path
    init_seconds: float = 0.0
    _events: "queue.Queue[tuple[str, bytes, float]]" = field(default_factory=queue.Queue)
    _answers: "queue.Queue[tuple[str, bytes]]" = field(default_factory=queue.Queue)
    _idle: threading.Event = field(default_factory=threading.Event)

    def invoke(self, event: Any, *, timeout: float = TIMEOUT_SECONDS) -> Result:
        """Hand over one event as Lambda does; returns when the handler has answered.

        ``timeout`` is what the context tells the handler; here nobody kills it. Raises
        FunctionFailed.
        """
        deadline = time.time() + timeout
        began = time.perf_counter()
        self._events.put((str(uuid.uuid4()), json.dumps(event).encode(), deadline))
        kind, body = self._answer(timeout + 30)
        seconds = time.perf_counter() - began
        if kind != "response":
            raise FunctionFailed(f"{kind}: {body.decode()}\n{self.log()}")
        return Result(json.loads(body), seconds)

    def peak_bytes(self) -> int:
        """Return the most resident memory that the process has held so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        line = next(one for one in status.splitlines() if one.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def cpu_seconds(self) -> float:
        """Return the processor time that the process has used so far, in all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text("utf-8").rpartition(")")[2]
        user, system = fields.split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def log(self) -> str:
        """Return what the function has written to stdout and stderr."""
        return self.output.read_text("utf-8", "replace")

    def _wait_for_init(self, seconds: float) -> None:
        began = time.monotonic()
        while not self._idle.wait(0.005):
            failed = self.process.poll() is not None or not self._answers.empty()
            if failed or time.monotonic() - began > seconds:
                raise FunctionFailed(f"the init phase did not end well\n{self.log()}")

    def _answer(self, seconds: float) -> tuple[str, bytes]:
        until = time.monotonic() + seconds
        while True:
            with contextlib.suppress(queue.Empty):
                return self._answers.get(timeout=0.5)
            if self.process.poll() is not None:
                raise FunctionFailed(f"it ended with {self.process.returncode}\n{self.log()}")
            if time.monotonic() > until:
                raise FunctionFailed(f"it did not answer within {seconds:.0f} s\n{self.log()}")


@contextlib.contextmanager
def running_function(
    handler: str,
    environment: Mapping[str, str],
    *,
    folder: Path,
    search: Sequence[Path] | None = None,
    memory: int = 3008,
    init_seconds: float = TIMEOUT_SECONDS,
) -> Iterator[Function]:
    """Start ``handler`` ("handlers.slack.handler") in ``folder``; yields it once init is over.

    With ``search`` its packages are found in these folders alone, else in this environment too.
    ``environment`` is all that it sees besides what Lambda sets and where Python is.
    """
    with tempfile.NamedTemporaryFile(prefix="footnote-lambda-", suffix=".log") as log:
        server = _Server(("127.0.0.1", 0), _Handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, *(["-S"] if search else []), "-m", "awslambdaric", handler],
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "LANG": "C.UTF-8",
                "LAMBDA_TASK_ROOT": str(folder),
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_address[1]}",
                "AWS_LAMBDA_FUNCTION_NAME": handler.split(".")[-2],
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
                "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
                "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
                "PYTHONPATH": os.pathsep.join(map(str, search or [folder])),
                **environment,
            },
            stdout=log,
            stderr=log,
        )
        server.function = function = Function(process, Path(log.name))
        try:
            function._wait_for_init(init_seconds)
            function.init_seconds = server.first_asked - began
            yield function
        finally:
            process.kill()
            process.wait()
            server.closing.set()
            server.shutdown()
            server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    function: Function
    first_asked = 0.0

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.closing = threading.Event()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a connection that ended with its process."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body leave in one packet; else each answer waits for the acknowledgement of the head.
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        function = self.server.function
        if not function._idle.is_set():
            self.server.first_asked = time.perf_counter()
            function._idle.set()
        while not self.server.closing.is_set():
            try:
                identity, body, deadline = function._events.get(timeout=0.2)
            except queue.Empty:
                continue
            headers = {
                "Content-Type": "application/json",
                "Lambda-Runtime-Aws-Request-Id": identity,
                "Lambda-Runtime-Deadline-Ms": str(int(deadline * 1000)),
                "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:local:0:function:door",
                "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000",
            }
            self._send(200, headers, body)
            return

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.function._answers.put((self.path.rsplit("/", 1)[-1], body))
        self._send(202, {"Content-Type": "application/json"}, b'{"status":"OK"}')

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the caller sees what comes of a request."""
