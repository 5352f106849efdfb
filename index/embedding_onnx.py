"""The embedder that starts fast: the same model through ONNX Runtime, without torch."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from index.errors import EmbedderUnavailable
from index.ports import Vector, Vectors
from index.weights import sha256_of

MODEL: Final = "model.onnx"
TOKENIZER: Final = "tokenizer.json"
MANIFEST: Final = "manifest.json"

_BATCH = 16
_LONGEST_TEXT = 100_000
"""Characters of a text that are looked at; 256 word pieces are about 1,000."""


@dataclass(frozen=True, slots=True)
class Prompts:
    """What stands in front of a question and of a document when it is embedded."""

    query: str = ""
    document: str = ""


class OnnxEmbedder:
    """The Embedder port on a folder that ``export_onnx`` wrote. Safe to share between threads."""

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        """Load the model; ``threads`` is for one call, by default one a processor.

        Raises EmbedderUnavailable if the folder is not whole.
        """
        manifest = verified(folder)
        self._name = str(manifest["name"])
        self._dimensions = int(manifest["dimensions"])
        self._prompts = Prompts(*map(str, manifest.get("prompts", ("", ""))))
        try:
            import onnxruntime
            from tokenizers import Tokenizer
        except ImportError as error:
            raise EmbedderUnavailable(
                f"The embedder needs the package {error.name}; install it with pip."
            ) from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Set in any case: left to itself the runtime pins threads to cores, and containers refuse.
        options.intra_op_num_threads = threads or _processors()
        try:
            self._session = onnxruntime.InferenceSession(
                str(folder / MODEL), options, providers=["CPUExecutionProvider"]
            )
            self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        except Exception as error:  # both libraries raise classes of their own on broken files
            raise EmbedderUnavailable(
                f"The embedding model in {folder} cannot be loaded ({type(error).__name__}); delete"
                " the folder and export it again."
            ) from error
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(int(manifest["longest_input"]))

    @property
    def name(self) -> str:
        """Names the vector space: that of the model which was exported."""
        return self._name

    @property
    def dimensions(self) -> int:
        """Length of a vector: 384 for the packaged model."""
        return self._dimensions

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Return one row of length 1 a text, in order; shape (len(texts), dimensions).

        Each text gets the prompt in front that the model wants for documents, if it wants one. Only
        as much of it counts as the model reads, 256 word pieces for the packaged one; an empty text
        has a vector too.
        """
        return self._embedded([self._prompts.document + text for text in texts])

    def embed_query(self, text: str) -> Vector:
        """Return the vector of a question, with its own prompt; shape (dimensions,), length 1."""
        vector: Vector = self._embedded([self._prompts.query + text])[0]
        return vector

    def _embedded(self, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self._dimensions), dtype=np.float32)
        tokens = [e.ids for e in self._tokenizer.encode_batch_fast([readable(t) for t in texts])]
        by_length = sorted(range(len(texts)), key=lambda row: len(tokens[row]), reverse=True)
        for first in range(0, len(by_length), _BATCH):
            rows = by_length[first : first + _BATCH]
            vectors[rows] = self._encoded([tokens[row] for row in rows])
        return vectors

    def _encoded(self, tokens: Sequence[Sequence[int]]) -> Vectors:
        ids = np.zeros((len(tokens), max(map(len, tokens))), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, pieces in enumerate(tokens):
            ids[row, : len(pieces)] = pieces
            mask[row, : len(pieces)] = 1
        (encoded,) = self._session.run(None, {"input_ids": ids, "attention_mask": mask})
        return normalised(np.asarray(encoded, dtype=np.float32))


def verified(folder: Path) -> dict[str, Any]:
    """Return what ``export_onnx`` noted about the files in ``folder``, once their hashes agree.

    Raises EmbedderUnavailable if a file is missing, half-written or changed.
    """
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text("utf-8"))
        hashes = {MODEL: manifest[MODEL], TOKENIZER: manifest[TOKENIZER]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EmbedderUnavailable(
            f"There is no exported embedding model in {folder}; export it first."
        ) from error
    for file, expected in hashes.items():
        if not (folder / file).is_file() or sha256_of(folder / file) != expected:
            raise EmbedderUnavailable(
                f"{folder / file} is damaged; delete the folder and export the model again."
            )
    return manifest


def readable(text: str) -> str:
    """Return ``text`` without what a tokenizer chokes on: lone surrogates and absurd length."""
    return text[:_LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8")


def normalised(vectors: Vectors) -> Vectors:
    """Return ``vectors`` with rows of length 1."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: Vectors = vectors / np.maximum(lengths, np.float32(1e-12))
    return result


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1
