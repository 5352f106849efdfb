"""Write the embedder as an ONNX file, pooling and normalisation included.

Whether the file gives the vectors of the model is not believed but looked at: models that need more
than word pieces and a mask, or that read questions and documents with different weights, give
others, and are refused.
"""

import json
import os
import shutil
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.embedding_onnx import (
    MANIFEST,
    MODEL,
    TOKENIZER,
    OnnxEmbedder,
    normalised,
    verified,
)
from index.embedding_torch import load
from index.errors import EmbedderUnavailable, NotExportable
from index.model_folders import longest_input, prompts_of, space_name
from index.weights import PUBLISHED_NAME, packaged_model_path, sha256_of

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

_OPSET = 17
_RECIPE = 1
"""Raise it whenever this module writes another graph from the same weights."""

_LONGEST_INPUT = 512
_SAME = 0.9995
_PROBES = (
    "How many days of leave do employees have?",
    "Leave.",
    "The office opens at nine and closes at six. " * 12,
    "Zażółć gęślą jaźń: 12,5 %.",
)
"""Texts of different lengths and scripts, embedded in one batch."""

_SCRATCH = ".export-"
_ABANDONED_SECONDS = 3_600
_one_at_a_time = threading.Lock()
"""torch keeps the state of an export in the process."""


def export_onnx(folder: Path, model_path: Path | None = None) -> Path:
    """Write ``model.onnx``, ``tokenizer.json`` and a manifest into ``folder``; return ``folder``.

    The model is the one in ``model_path``, or the packaged one. Files that are there and whole
    stay as they are; damaged ones are written anew. Each file appears at once and whole, the
    manifest with the hashes last, and an export always gives the same bytes: processes that race
    write the same.
    Raises EmbedderUnavailable if the model or the folder cannot be used, NotExportable if the model
    gives its vectors only through torch.
    """
    if model_path is None and _is_there(folder, PUBLISHED_NAME):
        # The packaged weights are the published ones or refused, so they need not be looked at:
        # a process that only answers questions may do without them.
        return folder
    source = packaged_model_path() if model_path is None else model_path
    name = space_name(source)
    if _is_there(folder, name):
        return folder
    with _one_at_a_time:
        if _is_there(folder, name):
            return folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _sweep(folder)
            with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=folder) as scratch:
                _write(Path(scratch), source, name)
                for file in (MODEL, TOKENIZER, MANIFEST):
                    os.replace(Path(scratch) / file, folder / file)
        except OSError as error:
            raise EmbedderUnavailable(
                f"The exported model cannot be written to {folder} ({error.strerror}); make room or"
                " name another folder."
            ) from error
    return folder


def _is_there(folder: Path, name: str) -> bool:
    try:
        manifest = verified(folder)
    except EmbedderUnavailable:
        return False
    return manifest.get("name") == name and manifest.get("recipe") == _RECIPE


def _sweep(folder: Path) -> None:
    """Remove what a process left behind that was killed in the middle of an export."""
    for scratch in folder.glob(f"{_SCRATCH}*"):
        if time.time() - scratch.stat().st_mtime > _ABANDONED_SECONDS:
            shutil.rmtree(scratch, ignore_errors=True)


def _write(scratch: Path, source: Path, name: str) -> None:
    model = load(source, precision="float32", device="cpu")
    if not (source / TOKENIZER).is_file():
        raise NotExportable(_refusal(name, f"it has no {TOKENIZER}"))
    try:
        _export(model, scratch / MODEL)
    except OSError:
        raise
    except Exception as error:  # torch raises what it likes about a graph it cannot trace
        raise NotExportable(_refusal(name, type(error).__name__)) from error
    shutil.copyfile(source / TOKENIZER, scratch / TOKENIZER)
    prompts = prompts_of(source)
    documents = (prompts[one] for one in ("document", "passage", "corpus") if one in prompts)
    manifest: dict[str, Any] = {
        "name": name,
        "dimensions": int(model.get_embedding_dimension() or 0),
        "longest_input": longest_input(source) or int(model.max_seq_length or _LONGEST_INPUT),
        "recipe": _RECIPE,
        MODEL: sha256_of(scratch / MODEL),
        TOKENIZER: sha256_of(scratch / TOKENIZER),
    }
    if prompts:
        manifest["prompts"] = [prompts.get("query", ""), next(documents, "")]
    (scratch / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")
    if name != PUBLISHED_NAME:
        _compare(model, OnnxEmbedder(scratch), name)


def _compare(model: "SentenceTransformer", exported: OnnxEmbedder, name: str) -> None:
    """Raise NotExportable unless both give the same vectors, to documents and to a question."""
    try:
        ours = [*exported.embed_documents(_PROBES), exported.embed_query(_PROBES[0])]
    except Exception as error:  # the runtime raises classes of its own on a graph it cannot run
        raise NotExportable(_refusal(name, type(error).__name__)) from error
    documents = model.encode_document(list(_PROBES), show_progress_bar=False)
    question = model.encode_query([_PROBES[0]], show_progress_bar=False)
    theirs = normalised(np.asarray(np.concatenate([documents, question]), dtype=np.float32))
    worst = float((np.stack(ours) * theirs).sum(axis=1).min())
    if not worst >= _SAME:
        raise NotExportable(_refusal(name, f"cosine {worst:.3f} to its own vectors"))


def _refusal(name: str, why: str) -> str:
    return (
        f"The model {name} cannot be exported to ONNX ({why}); it needs torch and"
        " sentence-transformers to answer questions, too."
    )


def _export(model: "SentenceTransformer", target: Path) -> None:
    import torch

    class Pooled(torch.nn.Module):
        """From word pieces to the finished vector."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(
            self, input_ids: "torch.Tensor", attention_mask: "torch.Tensor"
        ) -> "torch.Tensor":
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            vectors: torch.Tensor = self.inner(features)["sentence_embedding"]
            return vectors

    example = torch.ones((2, 8), dtype=torch.long)
    axes = {0: "texts", 1: "pieces"}
    # The tracer-based exporter: the newer one needs onnxscript. It warns, correctly, that branches
    # on shapes are fixed; the test of equality with torch covers them.
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Pooled(),
            (example, example),
            str(target),
            dynamo=False,
            opset_version=_OPSET,
            input_names=["input_ids", "attention_mask"],
            output_names=["vectors"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "vectors": {0: "texts"}},
        )
