"""The load generator makes the same each time, and goes on from where it was stopped."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from index.chunking import chunk
from index.parsing import DocumentParser
from tests.benchmarks.remixed import Pool, RemixedSource, read_pool
from tests.benchmarks.remixed_vectors import sentence_vectors

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "tests.benchmarks.load")


@pytest.fixture(scope="module")
def pool() -> Pool:
    return read_pool()


def load(*arguments: str) -> dict[str, Any]:
    done = subprocess.run([*COMMAND, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_document_is_the_same_wherever_it_is_made_and_another_in_each_revision(
    pool: Pool,
) -> None:
    one, other = RemixedSource(pool, 10), RemixedSource(read_pool(), 1_000)
    edited = RemixedSource(pool, 10, revisions={4: 1})
    assert one.raw(4) == other.raw(4)
    assert one.raw(5) == edited.raw(5)
    assert one.ref(4).id == edited.ref(4).id
    assert one.ref(4).version != edited.ref(4).version
    assert one.raw(4).content != edited.raw(4).content


def test_documents_have_about_ten_chunks_of_real_sentences(pool: Pool) -> None:
    source, parser = RemixedSource(pool, 50), DocumentParser()
    documents = [parser.parse(source.raw(number)) for number in range(50)]
    chunks = [one for document in documents for one in chunk(document)]
    words = sum(len(one.text.split()) for one in chunks) / len(chunks)
    assert 9 <= len(chunks) / len(documents) <= 12
    assert 80 <= words <= 120
    assert len({one.text for one in chunks}) == len(chunks)


def test_texts_of_the_same_sentences_are_near_each_other(pool: Pool) -> None:
    embedder = sentence_vectors(pool, "hashing")
    a, b, c, d, e, f = pool.sentences[:600:100]
    vectors = embedder.embed_documents([f"{a} {b} {c}", f"A heading\n{b} {a} {c}", f"{d} {e} {f}"])
    assert vectors[0] @ vectors[1] > 0.999
    assert vectors[0] @ vectors[2] < 0.9


@pytest.mark.timeout(300)
@pytest.mark.parametrize("arguments", [[], ["--s3"]], ids=["folder", "s3"])
def test_it_tells_what_was_synced_and_what_is_stored(arguments: list[str]) -> None:
    told = load("--documents", "300", *arguments)
    assert told["documents"] == 300
    assert told["skipped"] == 0
    assert told["no_change"]["changes"] == 0
    assert told["bytes_stored"] > 1_000 * told["chunks"]
    assert {"keywords"} <= set(told["maintenance"]["indexes"])


@pytest.mark.timeout(300)
def test_ctrl_c_ends_it_cleanly_and_the_same_command_goes_on(tmp_path: Path) -> None:
    arguments = ["--documents", "1500", "--at", str(tmp_path / "index"), "--no-maintenance"]
    with subprocess.Popen(
        [*COMMAND, *arguments], cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        while not list((tmp_path / "index").rglob("data/*.lance")):
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
    assert process.returncode == 130, said
    assert "Traceback" not in said
    told = load(*arguments)
    assert told["documents"] == 1_500
    assert told["unchanged_before"] > 0
