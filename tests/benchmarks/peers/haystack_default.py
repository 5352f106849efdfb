"""Haystack's hybrid retrieval: BM25 and embeddings of its document store, joined by rank fusion."""

from haystack import Document, Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.retrievers.in_memory import (
    InMemoryBM25Retriever,
    InMemoryEmbeddingRetriever,
)
from haystack.document_stores.in_memory import InMemoryDocumentStore

from tests.benchmarks.peers.corpus import Asked, Corpus


class Haystack:
    """The pipeline of its tutorial on hybrid retrieval, with reciprocal rank fusion.

    The tutorial joins by concatenation and then asks a cross-encoder, which nobody else here has.
    A filter on a list does not exist, so every reader is a field of its own.
    """

    name = "Haystack, hybrid"
    filters = True

    def build(self, corpus: Corpus) -> None:
        """Keep all documents in memory."""
        store = InMemoryDocumentStore(embedding_similarity_function="cosine")
        store.write_documents(
            [
                Document(
                    id=str(number),
                    content=text,
                    embedding=vector.tolist(),
                    meta={f"r{reader}": True for reader in readers},
                )
                for number, (text, vector, readers) in enumerate(
                    zip(corpus.texts, corpus.vectors, corpus.readers, strict=True)
                )
            ]
        )
        self._store = store
        self._pipeline = Pipeline()
        self._pipeline.add_component("words", InMemoryBM25Retriever(store))
        self._pipeline.add_component("vectors", InMemoryEmbeddingRetriever(store))
        self._pipeline.add_component("joiner", DocumentJoiner("reciprocal_rank_fusion"))
        self._pipeline.connect("words", "joiner")
        self._pipeline.connect("vectors", "joiner")

    def search(self, asked: Asked, limit: int, readers: list[str] | None) -> list[int]:
        """Return the joined ranking."""
        held = [{"field": f"meta.r{one}", "operator": "==", "value": True} for one in readers or ()]
        filters = {"operator": "OR", "conditions": held} if held else None
        shared = {"top_k": limit, "filters": filters}
        done = self._pipeline.run(
            {
                "words": {"query": asked.text, **shared},
                "vectors": {"query_embedding": asked.vector.tolist(), **shared},
            }
        )
        return [int(one.id) for one in done["joiner"]["documents"]]

    def close(self) -> None:
        """Let go of the store."""
        self._store.shutdown()
