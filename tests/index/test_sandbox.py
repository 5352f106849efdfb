"""index.sandbox: what a document can do to whoever reads it ends with that document."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.documents import Document, DocumentRef, RawDocument
from index.errors import DocumentUnreadable
from index.formats import LARGEST_BYTES, MEDIA_TYPES
from index.parsing import DocumentParser
from index.sandbox import MEMORY, SECONDS, SandboxedParser
from tests.doubles.bombs import BOMBS
from tests.doubles.every_format import SAMPLES

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 0.5
"""Processor time in which a worker starts and ends, which is not the document's."""


def raw(content: bytes, suffix: str, location: str = "") -> RawDocument:
    return RawDocument(
        DocumentRef("files", location or f"leave{suffix}", "v1"),
        content,
        MEDIA_TYPES[suffix],
        "https://docs.example/leave",
        frozenset({"e1"}),
        None,
    )


@pytest.fixture(scope="module")
def parser() -> Iterator[SandboxedParser]:
    with SandboxedParser() as parser:
        yield parser


def alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


def gone_within(seconds: float, process_id: int) -> bool:
    ends = time.monotonic() + seconds
    while alive(process_id) and time.monotonic() < ends:
        time.sleep(0.02)
    return not alive(process_id)


@pytest.mark.parametrize("suffix", SAMPLES)
def test_a_document_is_the_same_as_if_it_had_been_read_here(
    parser: SandboxedParser, suffix: str
) -> None:
    document = raw(SAMPLES[suffix], suffix)
    assert parser.parse(document) == DocumentParser().parse(document)
    assert parser.name == DocumentParser().name


def test_a_refusal_arrives_in_its_own_words(parser: SandboxedParser) -> None:
    for content, suffix in (
        (b"PK\x03\x04", ".docx"),
        (b"\0", ".md"),
        (b"x" * (LARGEST_BYTES + 1), ".md"),
    ):
        with pytest.raises(DocumentUnreadable) as here:
            DocumentParser().parse(raw(content, suffix))
        with pytest.raises(DocumentUnreadable) as apart:
            parser.parse(raw(content, suffix))
        assert str(apart.value) == str(here.value)


@pytest.fixture(scope="module")
def exploded() -> dict[str, dict[str, object]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.doubles.bombs"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    results = map(json.loads, done.stdout.splitlines())
    return {result["name"]: result for result in results}


HARMLESS = {"broad JSON", "deep mail", "aliases", "rst of marks", "code of one line", "flat HTML"}
"""What may be read after all, since it costs little."""


REASONS = {
    "zip that expands": "would expand to more than",
    "zip with one part many times": "would expand to more than",
    "zip of many parts": "holds 20,000 parts",
    "entities": "defines XML entities",
    "one long entity": "defines XML entities",
    "entities in a book": "defines XML entities",
    "deep XML": "nested more than 500 levels deep",
    "deep HTML": "open inside each other",
    "page that draws without end": "more than 512 MB of memory",
}
"""What stops a bomb, where something else would stop it later, after more work."""


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", REASONS)
def test_a_bomb_is_stopped_by_what_is_there_for_it(
    exploded: dict[str, dict[str, object]], name: str
) -> None:
    assert REASONS[name] in str(exploded[name]["said"])


def test_the_limits_are_those_that_were_promised() -> None:
    assert SECONDS <= 2 and MEMORY <= 512_000_000


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_within_two_seconds_and_512_megabytes(
    exploded: dict[str, dict[str, object]], name: str
) -> None:
    result = exploded[name]
    said = str(result["said"])
    if name not in HARMLESS or not said.startswith("read: "):
        assert said.startswith("bomb.") and said.endswith(".") and ";" in said
    assert float(str(result["seconds"])) <= SECONDS + START_SECONDS
    assert int(str(result["peak"])) <= MEMORY


def test_a_worker_that_takes_too_long_is_replaced_and_only_its_document_refused() -> None:
    name, made = BOMBS["far cells"]
    with SandboxedParser(workers=1, seconds=0.5) as parser:
        parser.parse(raw(SAMPLES[".md"], ".md"))
        [first] = parser.processes()
        with pytest.raises(DocumentUnreadable, match=r"takes more than 0\.5 s of computing"):
            parser.parse(raw(made(), name))
        assert not alive(first)
        assert parser.parse(raw(SAMPLES[".md"], ".md")).title == "Leave"
        [second] = parser.processes()
        assert second != first


def test_a_worker_that_needs_too_much_memory_is_replaced() -> None:
    with SandboxedParser(workers=1, memory=100_000_000) as parser:
        with pytest.raises(DocumentUnreadable, match="more than 100 MB of memory"):
            parser.parse(raw(b"<p>word</p>" * 300_000, ".html"))
        assert parser.parse(raw(SAMPLES[".html"], ".html")).title == "Leave"


def test_a_worker_that_was_killed_while_idle_is_replaced_without_a_loss() -> None:
    with SandboxedParser(workers=1) as parser:
        parser.parse(raw(SAMPLES[".md"], ".md"))
        [process_id] = parser.processes()
        os.kill(process_id, signal.SIGKILL)
        time.sleep(0.2)
        assert parser.parse(raw(SAMPLES[".md"], ".md")).title == "Leave"


def test_many_threads_share_few_workers() -> None:
    documents = [raw(b"# Page %d\n\ntext" % n, ".md", f"p{n}.md") for n in range(60)]
    with SandboxedParser(workers=2) as parser, ThreadPoolExecutor(8) as threads:
        titles = [document.title for document in threads.map(parser.parse, documents)]
        assert titles == [f"Page {n}" for n in range(60)]
        assert 1 <= len(parser.processes()) <= 2


def test_a_worker_has_no_environment_no_descriptors_and_no_files_to_write() -> None:
    environment = {**os.environ, "SLACK_BOT_TOKEN": "planted"}
    script = (
        "import os, sys\n"
        "secret = os.open('/etc/hostname', os.O_RDONLY); os.set_inheritable(secret, True)\n"
        "from index.sandbox import SandboxedParser\n"
        "from tests.index.test_sandbox import raw\n"
        "with SandboxedParser(workers=1) as parser:\n"
        "    parser.parse(raw(b'# T', '.md'))\n"
        "    [child] = parser.processes()\n"
        "    print(open(f'/proc/{child}/environ').read().replace(chr(0), ' '))\n"
        "    print(len(os.listdir(f'/proc/{child}/fd')))\n"
        "    print(open(f'/proc/{child}/limits').read())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    given, descriptors, *limits = done.stdout.splitlines()
    assert "planted" not in given and "PATH" not in given
    # Its two pipes, the copy that it answers on, and nowhere to complain to.
    assert int(descriptors) == 4
    soft = {line[:25].strip(): line[25:].split()[0] for line in limits if line}
    assert soft["Max address space"] == str(MEMORY)
    assert soft["Max file size"] == soft["Max core file size"] == "0"


def test_whoever_asks_for_a_parser_loads_no_library_that_parses() -> None:
    script = "import sys, index.sandbox; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert "index.parsing" in loaded
    assert not loaded & {"pypdfium2", "docutils", "selectolax", "markdown_it", "csv", "zipfile"}


def test_workers_end_with_the_process_that_started_them_however_it_ends() -> None:
    script = (
        "import os, signal\n"
        "from index.sandbox import SandboxedParser\n"
        "from tests.index.test_sandbox import raw\n"
        "parser = SandboxedParser(workers=1)\n"
        "parser.parse(raw(b'# T', '.md'))\n"
        "print(parser.processes()[0], flush=True)\n"
        "{}\n"
    )
    for ending in ("os.kill(os.getpid(), signal.SIGKILL)", "raise SystemExit(0)"):
        done = subprocess.run(
            [sys.executable, "-c", script.format(ending)], cwd=ROOT, capture_output=True, text=True
        )
        assert gone_within(5, int(done.stdout)), ending


def test_closing_ends_workers_also_those_that_are_busy_and_parses_no_more() -> None:
    name, made = BOMBS["far cells"]
    content = made()
    parser = SandboxedParser(workers=2, seconds=60)
    refused: list[str] = []

    def parse() -> None:
        try:
            parser.parse(raw(content, name))
        except DocumentUnreadable as error:
            refused.append(str(error))

    thread = threading.Thread(target=parse)
    thread.start()
    while not parser.processes():
        time.sleep(0.01)
    time.sleep(0.3)
    [busy] = parser.processes()
    began = time.monotonic()
    parser.close()
    thread.join(10)
    assert not thread.is_alive() and refused
    assert time.monotonic() - began < 10
    assert not alive(busy)
    parser.close()
    with pytest.raises(RuntimeError):
        parser.parse(raw(b"# T", ".md"))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(set(MEDIA_TYPES.values()))),
    st.sampled_from(sorted(SAMPLES)),
    st.binary(max_size=300),
    st.integers(0, 10_000),
)
def test_any_bytes_give_a_document_or_a_refusal(
    parser: SandboxedParser, media_type: str, suffix: str, noise: bytes, place: int
) -> None:
    whole = SAMPLES[suffix]
    place %= len(whole)
    for content in (noise, whole[:place] + noise + whole[place + len(noise) :], whole[:place]):
        broken = RawDocument(
            DocumentRef("f", f"x{suffix}", "v"), content, media_type, "", frozenset(), None
        )
        try:
            document = parser.parse(broken)
        except DocumentUnreadable as error:
            assert str(error).startswith(f"x{suffix} ") and str(error).endswith(".")
        else:
            assert isinstance(document, Document)
