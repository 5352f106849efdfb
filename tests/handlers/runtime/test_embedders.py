"""The embedder and the reranker that the settings name are the ones that are used."""

from pathlib import Path

import pytest

from handlers.runtime import embedders, wiring
from handlers.runtime.settings import Settings, SettingsError
from index.audience import Audience
from index.embedding import OnnxEmbedder, SentenceTransformerEmbedder, export_onnx
from index.errors import EmbedderMismatch, EmbedderUnavailable
from index.reranking import CrossEncoderReranker
from tests.doubles.entries import entry
from tests.doubles.scripted_embeddings import ScriptedEmbeddings
from tests.doubles.tiny_model import write_tiny_model


def settings(tmp_path: Path, **given: str) -> Settings:
    return Settings.load({"FOOTNOTE_HOME": str(tmp_path / "home"), **given})


def test_a_named_model_indexes_through_torch_and_answers_through_onnx(tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path / "tiny", prompts={"query": "query: "})
    given = settings(tmp_path, FOOTNOTE_EMBEDDER=str(folder))
    indexing, asking = embedders.indexing_embedder(given), embedders.query_embedder(given)
    assert isinstance(indexing, SentenceTransformerEmbedder) and isinstance(asking, OnnxEmbedder)
    assert (indexing.name, indexing.dimensions) == (asking.name, asking.dimensions)
    assert indexing.name.startswith("tiny-")
    assert indexing.embed_query("leave") @ asking.embed_query("leave") > 0.999
    exported = [path.name for path in (tmp_path / "home" / "models").iterdir()]
    assert exported == [asking.name]


def test_an_exported_folder_serves_where_there_is_no_torch(tmp_path: Path) -> None:
    folder = export_onnx(tmp_path / "exported", write_tiny_model(tmp_path / "tiny"))
    given = settings(tmp_path, FOOTNOTE_EMBEDDER=str(folder))
    assert isinstance(embedders.query_embedder(given), OnnxEmbedder)
    assert isinstance(embedders.indexing_embedder(given), OnnxEmbedder)


async def test_a_model_that_cannot_be_exported_answers_through_torch_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_tiny_model(
        tmp_path / "tiny",
        prompts={"query": "Represent this question for searching relevant passages: "},
        pooling={"include_prompt": False},
    )
    given = settings(tmp_path, FOOTNOTE_EMBEDDER=str(folder))
    async with wiring.warm_index(given) as (embedder, index):
        assert isinstance(embedder, SentenceTransformerEmbedder)
        await index.stage([entry(embedder, "a", "text")])
        assert await index.commit() > 0
    assert "cannot be exported to ONNX" in caplog.text


async def test_an_endpoint_is_used_for_documents_and_questions_alike(tmp_path: Path) -> None:
    with ScriptedEmbeddings() as server:
        given = settings(
            tmp_path, FOOTNOTE_EMBEDDER="openai:words", OPENAI_BASE_URL=server.base_url
        )
        indexing = embedders.indexing_embedder(given)
        assert (indexing.name, indexing.dimensions) == ("openai:words", 64)
        async with wiring.opened_index(given, indexing) as index:
            await index.stage([entry(indexing, "a", "The garage opens at six.")])
            await index.commit()
        async with wiring.warm_index(given) as (embedder, index):
            retriever = wiring.retriever(given, index, embedder)
            found = await retriever.retrieve("garage", Audience.everyone())
            assert [one.chunk.text for one in found.passages] == ["The garage opens at six."]
        assert ["garage"] in server.inputs
    # Without the setting it is the packaged model again, which the index knows to be another.
    usual = settings(tmp_path)
    async with wiring.warm_index(usual) as (embedder, index):
        with pytest.raises(EmbedderMismatch, match=r"openai:words .* all-MiniLM-L6-v2"):
            await wiring.retriever(usual, index, embedder).retrieve("x", Audience.everyone())


def test_a_name_that_cannot_be_used_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="names no model"):
        embedders.query_embedder(settings(tmp_path, FOOTNOTE_EMBEDDER="openai:"))
    with pytest.raises(EmbedderUnavailable, match="There is no folder"):
        embedders.query_embedder(settings(tmp_path, FOOTNOTE_EMBEDDER="/nowhere/at/all"))


def test_a_reranker_is_there_only_if_one_is_named(tmp_path: Path) -> None:
    assert embedders.reranker(settings(tmp_path)) is None
    named = embedders.reranker(settings(tmp_path, FOOTNOTE_RERANKER="someone/reranker"))
    assert isinstance(named, CrossEncoderReranker) and named.name == "someone/reranker"
