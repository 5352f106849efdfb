"""A sentence-transformers model with random weights: the shape of the real one, in milliseconds."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from transformers import BertConfig, BertForSequenceClassification, BertModel

from index.embedding import packaged_model_path

DIMENSIONS = 32


def write_tiny_model(
    folder: Path,
    *,
    seed: int = 1,
    prompts: Mapping[str, str] | None = None,
    pooling: Mapping[str, object] | None = None,
) -> Path:
    """Write a model of ``DIMENSIONS`` dimensions into ``folder``; other seeds, other weights.

    ``prompts`` are what the model wants in front of texts; ``pooling`` replaces what the packaged
    model says of its pooling.
    """
    packaged = packaged_model_path()
    small = ("modules.json", "sentence_bert_config.json", "tokenizer.json", "tokenizer_config.json")
    folder.mkdir(parents=True)
    for name in (*small, "special_tokens_map.json", "config_sentence_transformers.json"):
        shutil.copyfile(packaged / name, folder / name)
    if prompts is not None:
        (folder / "config_sentence_transformers.json").write_text(
            json.dumps({"prompts": dict(prompts)}), "utf-8"
        )
    usual = json.loads((packaged / "1_Pooling" / "config.json").read_text("utf-8"))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps(usual | {"word_embedding_dimension": DIMENSIONS} | dict(pooling or {})), "utf-8"
    )
    torch.manual_seed(seed)
    BertModel(_config()).save_pretrained(folder)
    return folder


def write_tiny_cross_encoder(folder: Path, *, labels: int = 1) -> Path:
    """Write a cross-encoder with random weights into ``folder``; with one label it reranks."""
    packaged = packaged_model_path()
    folder.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copyfile(packaged / name, folder / name)
    torch.manual_seed(1)
    BertForSequenceClassification(_config(num_labels=labels)).save_pretrained(folder)
    return folder


def _config(**more: int) -> BertConfig:
    return BertConfig(
        hidden_size=DIMENSIONS,
        intermediate_size=64,
        num_attention_heads=2,
        num_hidden_layers=1,
        vocab_size=30_522,
        **more,
    )
