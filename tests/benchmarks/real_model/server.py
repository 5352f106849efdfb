"""Runs the fetched llama.cpp server with the fetched model, on loopback."""

import contextlib
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from tests.benchmarks.real_model.fetch import FOLDER, MODEL, SERVER

START_SECONDS = 120.0
CONTEXT_TOKENS = 4096


class ServerFailed(Exception):
    """The server ended, or was not ready in time."""


@contextlib.contextmanager
def running_server(threads: int, context_tokens: int = CONTEXT_TOKENS) -> Iterator[str]:
    """Yield the address of its OpenAI-compatible API. Raises ServerFailed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(SERVER), "--model", str(MODEL), "--host", "127.0.0.1", "--port", str(port)]
    # One slot: the questions come one after the other, and share the beginning of their prompts.
    command += ["--threads", str(threads), "--ctx-size", str(context_tokens), "--parallel", "1"]
    command += ["--no-ui", "--device", "none"]
    log = FOLDER / "server.log"
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        try:
            _await_health(process, f"http://127.0.0.1:{port}/health")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_health(process: subprocess.Popen[bytes], address: str) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise ServerFailed(f"llama-server ended with {process.returncode}; see server.log.")
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            # Anything but 200 is raised.
            urllib.request.urlopen(address, timeout=2).close()
            return
        time.sleep(0.5)
    raise ServerFailed(f"llama-server was not ready within {START_SECONDS:.0f} seconds.")
