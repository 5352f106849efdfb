"""Write the embedder as an ONNX file, pooling and normalisation included."""

import json
import os
import shutil
import tempfile
import threading
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.embedding_onnx import MANIFEST, MODEL, TOKENIZER, verified
from index.embedding_torch import load
from index.errors import EmbedderUnavailable
from index.weights import (
    PUBLISHED_NAME,
    longest_input,
    model_name,
    packaged_model_path,
    sha256_of,
)

if TYPE_CHECKING:
    import torch
    from sentence_transformers import SentenceTransformer

_OPSET = 17
_RECIPE = 1
"""Raise it whenever this module writes another graph from the same weights."""

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
    Raises EmbedderUnavailable if the model or the folder cannot be used.
    """
    if model_path is None and _is_there(folder, PUBLISHED_NAME):
        # The packaged weights are the published ones or refused, so they need not be looked at:
        # a process that only answers questions may do without them.
        return folder
    source = packaged_model_path() if model_path is None else model_path
    name = model_name(source)
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
    _export(model, scratch / MODEL)
    shutil.copyfile(source / TOKENIZER, scratch / TOKENIZER)
    manifest: dict[str, Any] = {
        "name": name,
        "dimensions": int(model.get_embedding_dimension() or 0),
        "longest_input": longest_input(source),
        "recipe": _RECIPE,
        MODEL: sha256_of(scratch / MODEL),
        TOKENIZER: sha256_of(scratch / TOKENIZER),
    }
    (scratch / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", "utf-8")


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
