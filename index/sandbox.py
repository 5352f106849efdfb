"""Parsing in child processes with limits, since a document may be made to harm whoever reads it.

A worker lives for many documents, so that a page costs no start. It has no environment, no open
file but its two pipes, and a limit on memory and on processor time for each document. One that
exceeds a limit or crashes is gone, with the one document it was reading; the next gets a new one.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import index
from index.documents import Document, Heading, Opens, Page, RawDocument
from index.errors import DocumentUnreadable
from index.formats import LARGEST_BYTES
from index.parsing import DocumentParser
from index.sandbox_worker import header_of, receive, send

MEMORY: Final = 512_000_000
"""Bytes of address space of a worker; one that reads pages uses about 60 MB."""

SECONDS: Final = 2.0
"""Processor time for a document, of which a page of a manual needs a hundredth."""

SMALL: Final = 500_000
SECONDS_A_MEGABYTE: Final = 3.0
"""What a longer one gets on top for each megabyte beyond ``SMALL``: a PDF of dense text needs two.

A zip container gets nothing on top, for its bytes tell nothing of what is in it."""

PATIENCE: Final = 30.0
"""Seconds on the clock for each second of processor time, before a worker counts as stuck."""

MOST_DOCUMENTS: Final = 2_000
"""Documents after which a worker is replaced, whatever its libraries have piled up by then."""

_ZIP = b"PK"
_LONGEST_ANSWER = 300_000_000
_LONGEST_REFUSAL = 2_000
_SWITCHES = ("-I", "-S", "-B", "-X", "utf8", "-c")
"""Nothing of the user or the site is looked up: the path comes whole, and nothing is written."""

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    " from index.sandbox_worker import serve; serve(int(sys.argv[2]))"
)


class SandboxedParser:
    """The Parser port around ``DocumentParser``, in up to ``workers`` child processes.

    May be called from many threads; more than ``workers`` at once wait for each other. Workers
    start when they are first needed. ``close`` ends them, and so does the end of this process.
    """

    def __init__(self, *, workers: int = 2, memory: int = MEMORY, seconds: float = SECONDS) -> None:
        """Describe the parser; no process is started before the first document."""
        self._memory = memory
        self._seconds = seconds
        self._free = threading.Semaphore(workers)
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._closed = False
        self._finalizer = weakref.finalize(self, _kill_all, self._all)

    @property
    def name(self) -> str:
        """Name and version of the parser inside: where it runs does not change what it reads."""
        return DocumentParser().name

    def parse(self, raw: RawDocument) -> Document:
        """Return the document as text. Blocks.

        Raises DocumentUnreadable as ``DocumentParser`` does, and if a limit was exceeded or the
        parser crashed. Raises RuntimeError once closed.
        """
        if len(raw.content) > LARGEST_BYTES:
            # Refused by the same words, without the way through a pipe.
            return DocumentParser().parse(raw)
        with self._free:
            worker = self._taken()
            answer = None
            try:
                answer = worker.ask(raw, self._allowance(raw))
            finally:
                self._give_back(worker, fit=answer is not None and not answer.get("tired"))
        if answer is None:
            raise DocumentUnreadable(f"{raw.ref.location} {worker.reason}.")
        return _document(raw, answer)

    def processes(self) -> tuple[int, ...]:
        """Return the ids of the child processes that are there now."""
        with self._lock:
            return tuple(worker.process_id for worker in self._all)

    def close(self) -> None:
        """End all workers; a document that is being read is refused. May be called twice."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            self._all.difference_update(idle)
        for worker in idle:
            worker.end()
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _allowance(self, raw: RawDocument) -> float:
        if raw.content.startswith(_ZIP):
            return self._seconds
        beyond = max(0, len(raw.content) - SMALL) / 1_000_000
        return self._seconds + SECONDS_A_MEGABYTE * beyond

    def _taken(self) -> "_Worker":
        with self._lock:
            if self._closed:
                raise RuntimeError("the parser is closed")
            while self._idle:
                worker = self._idle.pop()
                if worker.is_alive():
                    return worker
                self._all.discard(worker)
                worker.end()
            worker = _Worker(self._memory)
            self._all.add(worker)
            return worker

    def _give_back(self, worker: "_Worker", *, fit: bool) -> None:
        with self._lock:
            if fit and worker.documents < MOST_DOCUMENTS and not self._closed:
                self._idle.append(worker)
                return
            self._all.discard(worker)
        worker.end()


class _Worker:
    """One child process, and how to talk to it."""

    def __init__(self, memory: int) -> None:
        # Nothing of this environment: neither secrets nor switches that change how Python runs.
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, *_SWITCHES, _START, json.dumps(_import_path()), str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"MALLOC_ARENA_MAX": "1", "LC_ALL": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
        self._memory = memory
        self.documents = 0
        self.reason = ""

    @property
    def process_id(self) -> int:
        """Id of the child."""
        return self._process.pid

    def ask(self, raw: RawDocument, seconds: float) -> dict[str, Any] | None:
        """Return the answer to a document, or None with ``reason`` set when there is none."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self.documents += 1
        stuck = threading.Timer(PATIENCE * seconds, self._process.kill)
        stuck.daemon = True
        stuck.start()
        try:
            send(self._process.stdin, header_of(raw, seconds), raw.content)  # type: ignore[arg-type]
            answer = receive(self._process.stdout, _LONGEST_ANSWER)  # type: ignore[arg-type]
        except (OSError, ValueError):
            answer = None
        finally:
            stuck.cancel()
        if answer is not None and answer[0].get("refused", "") is not None:
            return answer[0]
        self.end()
        self.reason = self._reason(seconds, out_of_memory=answer is not None)
        return None

    def _reason(self, seconds: float, *, out_of_memory: bool) -> str:
        status = self._process.returncode
        if out_of_memory:
            return f"needs more than {self._memory // 1_000_000} MB of memory to be read; split it"
        if status in (-signal.SIGPROF, -signal.SIGXCPU):
            return f"takes more than {seconds:.3g} s of computing to be read; split or simplify it"
        return (
            f"makes the program that reads it fail, or needs more than {self._memory // 1_000_000}"
            " MB of memory; open it and save it anew"
        )

    def is_alive(self) -> bool:
        """Tell whether the child is still there."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End the child at once, whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Close the pipes, and make sure that the child is gone."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        try:
            self._process.wait(_GOODBYE)
        except subprocess.TimeoutExpired:
            self.kill()


_GOODBYE = 0.5
"""Seconds in which a worker may end by itself once its input is closed."""


def _kill_all(workers: set[_Worker]) -> None:
    """End workers that may be busy: their pipes belong to the threads that wait for them."""
    for worker in list(workers):
        worker.kill()
    workers.clear()


def _import_path() -> list[str]:
    """Return where a child finds what this process finds, this package first."""
    here = str(Path(index.__file__ or "").resolve().parents[1])
    return [here, *(os.path.abspath(path) for path in sys.path if path and path != here)]


def _document(raw: RawDocument, answer: dict[str, Any]) -> Document:
    """Return the document that a worker answered with, which may have been made to lie.

    Raises DocumentUnreadable if it refused, or answers what cannot be true.
    """
    refused = answer.get("refused")
    if refused is not None:
        raise DocumentUnreadable(str(refused)[:_LONGEST_REFUSAL])
    try:
        text = str(answer["text"])
        headings = tuple(
            Heading(str(words), int(level), _within(start, text), str(anchor))
            for words, level, start, anchor in answer["headings"]
        )
        pages = tuple(Page(int(number), _within(start, text)) for number, start in answer["pages"])
        return Document(
            ref=raw.ref,
            title=str(answer["title"]),
            url=raw.url,
            text=text,
            readers=raw.readers,
            headings=headings,
            pages=pages,
            updated_at=raw.updated_at,
            opens=Opens(answer["opens"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DocumentUnreadable(
            f"{raw.ref.location} makes the program that reads it fail; open it and save it anew."
        ) from error


def _within(start: object, text: Sequence[str]) -> int:
    if not isinstance(start, int) or not 0 <= start <= len(text):
        raise ValueError("an offset outside of the text")
    return start
