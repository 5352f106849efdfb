"""What shaped the figures of `footnote eval`: from settings and parts, the configuration block."""

from pathlib import Path
from typing import get_args, get_type_hints

from handlers.adapters import openai_model
from handlers.judging.recipe import Block, configuration, constants
from handlers.runtime.setting_fields import Setting
from handlers.runtime.settings import Settings
from index.embedding import OnnxEmbedder, SentenceTransformerEmbedder
from index.errors import EmbedderUnavailable
from index.model_folders import model_at_hand, space_name
from index.ports import Embedder

_GROUPS = ("Model", "Answers", "Search")

_APART = ("URL", "KEY", "PRICE", "SECONDS", "OPENAI_MODEL", "FOOTNOTE_EMBEDDER")
"""Addresses, keys, prices and patience; and models that the block names in a place of their own."""

_MODELS = ("FOOTNOTE_RERANKER", "FOOTNOTE_ENTAILMENT_MODEL")
"""Perhaps folders: what counts is what they hold, and where they lie is nobody's business."""


def evaluated_recipe(
    settings: Settings, *, asking: Embedder, indexing: Embedder, run: Block, sets: Block
) -> dict[str, object]:
    """Return the configuration block of a run: all that, changed, may change a figure.

    ``asking`` embeds questions and ``indexing`` documents. Blocks: it may load torch, and reads
    the files of models.
    """
    return configuration(
        embedder=asking,
        precision={"questions": _precision(asking), "documents": _precision(indexing)},
        model=settings.openai_model,
        sampling=constants(openai_model),
        settings=_settings(settings),
        run=run,
        sets=sets,
    )


def _settings(settings: Settings) -> dict[str, object]:
    """Return what is set about search, models and answers, as far as it shapes a figure."""
    found: dict[str, object] = {}
    for name, hint in get_type_hints(Settings, include_extras=True).items():
        about = next((one for one in get_args(hint) if isinstance(one, Setting)), None)
        value = getattr(settings, name)
        if about is None or about.group not in _GROUPS:
            continue
        if isinstance(value, int | float | str) and not any(word in about.name for word in _APART):
            found[about.name] = _content(str(value)) if about.name in _MODELS else value
    return found


def _content(model: str) -> str:
    """Return the name of a model with a hash of its files, if they are here: a model that took
    part is.
    """
    folder = model_at_hand(model) if model else None
    try:
        return space_name(folder) if folder else Path(model).name
    except EmbedderUnavailable:  # it took no part, or its own error would have ended the run
        return Path(model).name


def _precision(embedder: Embedder) -> str:
    if isinstance(embedder, SentenceTransformerEmbedder):
        return embedder.precision
    return "float32" if isinstance(embedder, OnnxEmbedder) else "unknown, it is served"
