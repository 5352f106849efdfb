"""Entailment without a real model: one with random weights, and one that says what it is told."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from transformers import BertConfig, BertForSequenceClassification

from handlers.answering.entailment import Judgement
from index.embedding import packaged_model_path


def write_tiny_entailment(folder: Path, labels: Sequence[str], *, seed: int = 1) -> Path:
    """Write a cross-encoder with random weights, whose outputs have these labels, in order."""
    packaged = packaged_model_path()
    folder.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copyfile(packaged / name, folder / name)
    torch.manual_seed(seed)
    config = BertConfig(
        hidden_size=32,
        intermediate_size=64,
        num_attention_heads=2,
        num_hidden_layers=1,
        vocab_size=30_522,
        id2label=dict(enumerate(labels)),
        label2id={label: place for place, label in enumerate(labels)},
        initializer_range=0.5,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def relabel(folder: Path, labels: Sequence[str]) -> None:
    """Give the outputs of a model other labels; the weights stay."""
    path = folder / "config.json"
    read = json.loads(path.read_text("utf-8"))
    read["id2label"] = {str(place): label for place, label in enumerate(labels)}
    read["label2id"] = {label: place for place, label in enumerate(labels)}
    path.write_text(json.dumps(read), "utf-8")


class ToldEntailment:
    """An Entailment that knows a closed list of claims, and refuses to be asked of any other.

    ``opinions`` maps a claim to what is said of it, whatever the quote; ``asked`` lists the pairs.
    """

    name = "told"

    def __init__(self, opinions: Mapping[str, Judgement]) -> None:
        self._opinions = opinions
        self.asked: list[tuple[str, str]] = []

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
        """Return the opinions. Raises AssertionError for a claim that was not foreseen."""
        unforeseen = {claim for _, claim in pairs} - self._opinions.keys()
        assert not unforeseen, f"asked of {unforeseen}"
        self.asked += pairs
        return [self._opinions[claim] for _, claim in pairs]
