"""What every Embedder promises, whatever computes the vectors."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

import numpy as np
import pytest

from handlers.adapters.openai_embedder import OpenAIEmbedder
from index.audience import Audience
from index.embedding import OnnxEmbedder, SentenceTransformerEmbedder, export_onnx
from index.errors import EmbedderMismatch
from index.lance import LanceIndex
from index.ports import Embedder
from index.retrieval import Retriever
from tests.doubles.entries import entry
from tests.doubles.hashing_embedder import HashingEmbedder
from tests.doubles.scripted_embeddings import KEY, ScriptedEmbeddings


@contextmanager
def over_http(folder: Path) -> Iterator[Embedder]:
    """Yield the adapter on a strict endpoint that embeds by words."""
    with ScriptedEmbeddings() as server:
        ours = OpenAIEmbedder(model="words", api_key=KEY, base_url=server.base_url)
        yield ours
        ours.close()


KINDS: dict[str, Callable[[Path], AbstractContextManager[Embedder]]] = {
    "sentence-transformers": lambda folder: nullcontext(SentenceTransformerEmbedder()),
    "onnx": lambda folder: nullcontext(OnnxEmbedder(export_onnx(folder))),
    "openai": over_http,
    "hashing double": lambda folder: nullcontext(HashingEmbedder()),
}

TEXTS = [
    "Employees may take twenty days of leave.",
    "",
    " \n\t",
    "a \x00 b",
    "lone \ud800 surrogate",
    "😀👩‍👩‍👧 zażółć 東京",
    "leave " * 20_000,
    "x" * 100_000,
    "Employees may take twenty days of leave.",
]


@pytest.fixture(scope="module", params=KINDS)
def embedder(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Embedder]:
    with KINDS[request.param](tmp_path_factory.mktemp("model")) as embedder:
        yield embedder


def test_every_text_however_odd_has_a_vector_of_length_one_in_its_row(embedder: Embedder) -> None:
    vectors = embedder.embed_documents(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dimensions)
    assert vectors.dtype == np.float32
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-5
    assert vectors[0] @ vectors[-1] > 0.9999
    assert vectors[0] @ vectors[5] < 0.9


def test_no_texts_have_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed_documents([]).shape == (0, embedder.dimensions)


def test_a_vector_does_not_depend_on_what_else_is_embedded(embedder: Embedder) -> None:
    together = embedder.embed_documents([f"Text number {n} " * (n % 7) for n in range(70)])
    for row in (0, 1, 34, 69):
        alone = embedder.embed_documents([f"Text number {row} " * (row % 7)])[0]
        assert together[row] @ alone > 0.9995


def test_a_question_is_near_the_text_that_answers_it(embedder: Embedder) -> None:
    query = embedder.embed_query("How many days of leave may employees take?")
    assert query.shape == (embedder.dimensions,) and query.dtype == np.float32
    answers = embedder.embed_documents(
        ["The printer is on the second floor.", "Employees may take twenty days of leave."]
    )
    assert answers[1] @ query > answers[0] @ query + 0.1


def test_threads_may_share_it(embedder: Embedder) -> None:
    texts = [f"Rule {n} of the house " * (1 + n % 5) for n in range(24)]
    expected = embedder.embed_documents(texts)
    with ThreadPoolExecutor(6) as pool:
        alone = list(pool.map(embedder.embed_query, texts))
        batches = list(pool.map(embedder.embed_documents, [texts] * 4))
    assert all((batch * expected).sum(axis=1).min() > 0.9995 for batch in batches)
    assert (np.stack(alone) * expected).sum(axis=1).min() > 0.9995


def test_its_name_and_size_do_not_change(embedder: Embedder) -> None:
    before = (embedder.name, embedder.dimensions)
    embedder.embed_query("anything")
    assert (embedder.name, embedder.dimensions) == before
    assert embedder.name and embedder.dimensions > 0


async def test_an_index_of_another_embedder_refuses_it_and_names_both(
    embedder: Embedder, tmp_path: Path
) -> None:
    other = HashingEmbedder(embedder.dimensions, name="somebody-elses")
    place = str(tmp_path / "index")
    theirs = LanceIndex(place, embedder=other.name, dimensions=other.dimensions)
    ours = LanceIndex(place, embedder=embedder.name, dimensions=embedder.dimensions)
    await theirs.stage([entry(other, "a", "text")])
    await theirs.commit()
    with pytest.raises(EmbedderMismatch) as refused:
        await Retriever(ours, embedder).retrieve("text", Audience.everyone())
    assert other.name in str(refused.value) and embedder.name in str(refused.value)
    assert "Use that embedder, or sync into another place." in str(refused.value)
    await ours.stage([entry(embedder, "b", "text")])
    with pytest.raises(EmbedderMismatch):
        await ours.commit()
    await theirs.close()
    await ours.close()
