"""A sentence-transformers model with random weights: the shape of the real one, in milliseconds."""

import json
import shutil
from pathlib import Path

import torch
from transformers import BertConfig, BertModel

from index.embedding import packaged_model_path

DIMENSIONS = 32


def write_tiny_model(folder: Path, *, seed: int = 1) -> Path:
    """Write a model of ``DIMENSIONS`` dimensions into ``folder``; other seeds, other weights."""
    packaged = packaged_model_path()
    small = ("modules.json", "sentence_bert_config.json", "tokenizer.json", "tokenizer_config.json")
    folder.mkdir(parents=True)
    for name in (*small, "special_tokens_map.json", "config_sentence_transformers.json"):
        shutil.copyfile(packaged / name, folder / name)
    pooling = json.loads((packaged / "1_Pooling" / "config.json").read_text("utf-8"))
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps(pooling | {"word_embedding_dimension": DIMENSIONS}), "utf-8"
    )
    torch.manual_seed(seed)
    config = BertConfig(
        hidden_size=DIMENSIONS,
        intermediate_size=64,
        num_attention_heads=2,
        num_hidden_layers=1,
        vocab_size=30_522,
    )
    BertModel(config).save_pretrained(folder)
    return folder
