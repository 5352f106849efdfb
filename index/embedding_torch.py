"""The embedder that indexes: sentence-transformers on torch, on a GPU where there is one."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from index.embedding_onnx import normalised, readable
from index.errors import EmbedderUnavailable
from index.model_folders import longest_input, space_name
from index.ports import Vector, Vectors
from index.weights import PUBLISHED_DIMENSIONS, PUBLISHED_NAME, packaged_model_path

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

Precision = Literal["auto", "float32", "bfloat16"]

_BATCH = 32
"""Texts a forward pass on a CPU: larger ones gain nothing, and a question waits for one of them."""

_BATCH_ON_GPU = 256


class SentenceTransformerEmbedder:
    """The Embedder port through sentence-transformers.

    Safe to share between threads: a question waits for one batch at most, not for a whole sync.
    """

    def __init__(
        self,
        model_path: Path | None = None,
        *,
        threads: int | None = None,
        precision: Precision = "auto",
    ) -> None:
        """Use the model in ``model_path``, or the packaged one; no model hub is ever asked.

        ``threads`` limits torch on the CPU, for the whole process. ``precision`` "auto" is bfloat16
        where the CPU or GPU multiplies it natively, else float32. Torch is loaded with the first
        text, so that a sync that finds nothing to embed does not wait for it. Raises
        EmbedderUnavailable.
        """
        self._folder = packaged_model_path() if model_path is None else model_path
        self._name = space_name(self._folder)
        self._threads = threads
        self._precision = precision
        self._model: SentenceTransformer | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Names the vector space, not the way of computing it."""
        return self._name

    @property
    def dimensions(self) -> int:
        """Length of a vector: 384 for the packaged model."""
        if self._name == PUBLISHED_NAME:
            return PUBLISHED_DIMENSIONS
        with self._lock:
            return int(self._loaded().get_embedding_dimension() or 0)

    @property
    def precision(self) -> str:
        """What it computes in, "bfloat16" or "float32"; loads torch, but not the model."""
        return str(_dtype(self._precision, _device())).removeprefix("torch.")

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Return one row of length 1 a text, in order; shape (len(texts), dimensions).

        Each text gets the prompt in front that the model wants for documents, if it wants one. Only
        as much of it counts as the model reads, 256 word pieces for the packaged one; an empty text
        has a vector too.
        """
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        with self._lock:
            lengths = word_pieces(self._loaded(), texts)
            batch = _BATCH if self._loaded().device.type == "cpu" else _BATCH_ON_GPU
        # All of a batch are filled up to its longest, so that neighbours should be of one length.
        by_length = sorted(range(len(texts)), key=lambda row: lengths[row], reverse=True)
        for first in range(0, len(by_length), batch):
            rows = by_length[first : first + batch]
            vectors[rows] = self._encoded("encode_document", [texts[row] for row in rows])
        return vectors

    def embed_query(self, text: str) -> Vector:
        """Return the vector of a question, with its own prompt; shape (dimensions,), length 1."""
        vector: Vector = self._encoded("encode_query", [text])[0]
        return vector

    def _encoded(
        self, how: Literal["encode_document", "encode_query"], texts: list[str]
    ) -> Vectors:
        with self._lock:  # the tokenizer must not be shared while it works
            encoded = getattr(self._loaded(), how)(
                [readable(text) for text in texts],
                batch_size=len(texts),
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        # The normalisation of the model is off by up to 0.4 % in bfloat16's 8 bits of mantissa.
        return normalised(np.asarray(encoded, dtype=np.float32))

    def _loaded(self) -> "SentenceTransformer":
        if self._model is None:
            self._model = load(self._folder, threads=self._threads, precision=self._precision)
        return self._model


def word_pieces(model: "SentenceTransformer", texts: Sequence[str]) -> Sequence[int]:
    """Return how many word pieces the model reads of each text, its prompt left out.

    Characters tell too little: batches of texts with equally many are filled up by a quarter.
    """
    tokenizer = model.tokenizer
    if not (texts and callable(tokenizer)):
        return [len(text) for text in texts]  # a model of word vectors, which fills up nothing
    cut = tokenizer(
        [readable(text) for text in texts],
        truncation=True,
        max_length=model.max_seq_length,
        return_attention_mask=False,
        return_token_type_ids=False,
    )
    return [len(ids) for ids in cut["input_ids"]]


def load(
    folder: Path, *, threads: int | None = None, precision: Precision, device: str = ""
) -> "SentenceTransformer":
    """Return the model in ``folder``, ready to encode. Raises EmbedderUnavailable."""
    longest = longest_input(folder)
    try:
        import torch
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise EmbedderUnavailable(
            f"The embedder needs the package {error.name}, which is not installed; install it with"
            " pip."
        ) from error
    if threads is not None:
        torch.set_num_threads(threads)
    device = device or _device()
    arguments: dict[str, Any] = {"dtype": _dtype(precision, device)}
    try:
        with _quiet():
            model = SentenceTransformer(
                str(folder), device=device, local_files_only=True, model_kwargs=arguments
            )
    except Exception as error:  # whatever torch, safetensors or transformers raise on broken files
        raise EmbedderUnavailable(
            f"The embedding model in {folder} cannot be loaded ({type(error).__name__}); install it"
            " again."
        ) from error
    if longest is not None:
        model.max_seq_length = longest
    return model.eval()


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _dtype(precision: Precision, device: str) -> "torch.dtype":
    import torch

    if precision == "auto":
        if device == "cuda":
            native = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            can = torch.cpu.get_capabilities()
            native = bool(can.get("avx512_bf16") or can.get("amx_bf16"))
        precision = "bfloat16" if native else "float32"
    return torch.bfloat16 if precision == "bfloat16" else torch.float32


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from drawing its own progress bar and reports on the terminal."""
    from transformers.utils import logging

    verbosity, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bar:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
