"""The child that parses: reads documents from its standard input, answers on its standard output.

It begins by giving up what it does not need, and ends when the other end of its input is closed.
Run by ``index.sandbox`` only. On the wire, in both directions: a header and a body, each after its
length as four and eight bytes. The header is JSON; the body is the document, or empty.
"""

import json
import os
import resource
import signal
import struct
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from index.documents import Document, DocumentRef, RawDocument
from index.errors import DocumentUnreadable
from index.parsing import DocumentParser

LENGTHS: Final = struct.Struct(">IQ")

MOST_DESCRIPTORS: Final = 64
TIRED_BYTES: Final = 200_000_000
"""Address space, still taken after a document, at which a worker is replaced: each finds room."""


def serve(memory: int) -> None:
    """Parse until there is no more to parse, within ``memory`` bytes of address space."""
    answers = _own_output()
    _give_up(memory)
    parser = DocumentParser()
    questions = sys.stdin.buffer
    while (asked := receive(questions)) is not None:
        header, content = asked
        _limit_processor(float(header["seconds"]))
        answer = _answer(parser.parse, raw_of(header, content))
        answer["tired"] = _address_space() > TIRED_BYTES
        send(answers, answer)
        # What it costs to wait for the next document is nobody's.
        signal.setitimer(signal.ITIMER_PROF, 0)


def send(stream: BinaryIO, header: Mapping[str, Any], body: bytes = b"") -> None:
    """Write one message. Raises OSError if nobody reads it."""
    encoded = json.dumps(header).encode()
    stream.write(LENGTHS.pack(len(encoded), len(body)))
    stream.write(encoded)
    stream.write(body)
    stream.flush()


def receive(stream: BinaryIO, most: int = 1 << 32) -> tuple[dict[str, Any], bytes] | None:
    """Read one message of at most ``most`` bytes, or None when the other end is closed.

    Raises ValueError if it is cut off, too long or no message.
    """
    lengths = stream.read(LENGTHS.size)
    if not lengths:
        return None
    if len(lengths) < LENGTHS.size:
        raise ValueError("a message was cut off")
    header_length, body_length = LENGTHS.unpack(lengths)
    if header_length + body_length > most:
        raise ValueError("a message is too long")
    header, body = stream.read(header_length), stream.read(body_length)
    if len(header) < header_length or len(body) < body_length:
        raise ValueError("a message was cut off")
    message = json.loads(header)
    if not isinstance(message, dict):
        raise ValueError("a message is no object")
    return message, body


def header_of(raw: RawDocument, seconds: float) -> dict[str, Any]:
    """Return what a worker needs to know of a document, besides its bytes."""
    return {"location": raw.ref.location, "media_type": raw.media_type, "seconds": seconds}


def raw_of(header: Mapping[str, Any], content: bytes) -> RawDocument:
    """Return a document that has nothing but what parsing needs."""
    return RawDocument(
        ref=DocumentRef("", str(header["location"]), ""),
        content=content,
        media_type=str(header["media_type"]),
        url="",
        readers=frozenset(),
        updated_at=None,
    )


def _answer(parse: Callable[[RawDocument], Document], raw: RawDocument) -> dict[str, Any]:
    try:
        document = parse(raw)
    except DocumentUnreadable as error:
        return {"refused": str(error)}
    except MemoryError:
        return {"refused": None}
    return {
        "title": document.title,
        "text": document.text,
        "headings": [[h.text, h.level, h.start, h.anchor] for h in document.headings],
        "pages": [[page.number, page.start] for page in document.pages],
        "opens": document.opens.value,
    }


def _own_output() -> BinaryIO:
    """Keep standard output for the answers alone: a library that prints must not disturb them."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
    return answers


def _give_up(memory: int) -> None:
    """Limit memory, and take away files to write, descriptors and core dumps."""
    for kind, limit in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, MOST_DESCRIPTORS),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        lowest = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        try:
            resource.setrlimit(kind, (lowest, lowest))
        except (ValueError, OSError):
            # macOS keeps no limit of address space; that of the processor holds there too.
            continue
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _limit_processor(seconds: float) -> None:
    """End this process after ``seconds`` of processor time from now, whatever it is doing."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 2
    if hard == resource.RLIM_INFINITY or soft < hard:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def _address_space() -> int:
    """Return the bytes of address space that this process takes now; 0 where nobody tells.

    The peak that the kernel keeps is no measure: a child inherits that of the process it is of.
    """
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    except OSError:
        return 0
    return pages * resource.getpagesize()
