"""Peers that rank in one way: bm25s by words, chroma and plain numpy by vectors."""

from pathlib import Path

import bm25s
import chromadb
import numpy as np
import Stemmer

from tests.benchmarks.peers.corpus import Asked, Corpus


class Bm25s:
    """bm25s as its page shows it: Lucene's BM25, English stop words, Snowball stems."""

    name = "bm25s"
    filters = False

    def build(self, corpus: Corpus) -> None:
        """Index in memory."""
        self._stemmer = Stemmer.Stemmer("english")
        self._retriever = bm25s.BM25()
        self._retriever.index(self._tokens(list(corpus.texts)), show_progress=False)

    def search(self, asked: Asked, limit: int, readers: list[str] | None) -> list[int]:
        """Return the best by BM25; chunks that share no word with the question are left out."""
        most = min(limit, self._retriever.scores["num_docs"])
        found, scores = self._retriever.retrieve(
            self._tokens([asked.text]), k=most, show_progress=False
        )
        return [int(one) for one, score in zip(found[0], scores[0], strict=True) if score > 0]

    def _tokens(self, texts: list[str]) -> object:
        return bm25s.tokenize(texts, stopwords="en", stemmer=self._stemmer, show_progress=False)

    def close(self) -> None:
        """Let go of the index."""
        del self._retriever


class Chroma:
    """chroma as its manual shows it: a persistent collection, its own HNSW index."""

    name = "chroma"
    filters = True

    def __init__(self, folder: Path) -> None:
        """Keep the collection in ``folder``."""
        self._client = chromadb.PersistentClient(
            str(folder), chromadb.Settings(anonymized_telemetry=False)
        )

    def build(self, corpus: Corpus) -> None:
        """Fill the collection unless the folder holds it."""
        self._chunks = self._client.get_or_create_collection("chunks")
        if self._chunks.count() == len(corpus.chunks):
            return
        batch = self._client.get_max_batch_size()
        for start in range(0, len(corpus.chunks), batch):
            end = min(start + batch, len(corpus.chunks))
            self._chunks.upsert(
                ids=[str(number) for number in range(start, end)],
                embeddings=corpus.vectors[start:end],
                documents=list(corpus.texts[start:end]),
                metadatas=[{"readers": one} for one in corpus.readers[start:end]],
            )

    def search(self, asked: Asked, limit: int, readers: list[str] | None) -> list[int]:
        """Return the nearest chunks with their texts, as a bot needs them."""
        where = {"$or": [{"readers": {"$contains": one}} for one in readers]} if readers else None
        found = self._chunks.query(
            query_embeddings=[asked.vector], n_results=limit, where=where, include=["documents"]
        )
        return [int(one) for one in found["ids"][0]]

    def close(self) -> None:
        """Let go of the client."""
        self._client.close()


class Exact:
    """All cosines by one matrix product; what any index of vectors approximates."""

    name = "numpy, exact"
    filters = False

    def build(self, corpus: Corpus) -> None:
        """Keep the matrix."""
        self._vectors = np.ascontiguousarray(corpus.vectors)

    def search(self, asked: Asked, limit: int, readers: list[str] | None) -> list[int]:
        """Return the nearest chunks."""
        similarity = self._vectors @ asked.vector
        most = min(limit, len(similarity))
        best = np.argpartition(-similarity, most - 1)[:most]
        ordered: list[int] = best[np.argsort(-similarity[best], kind="stable")].tolist()
        return ordered

    def close(self) -> None:
        """Let go of the matrix."""
        del self._vectors
