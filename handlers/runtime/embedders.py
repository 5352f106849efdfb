"""Which embedder and which reranker the settings name, and how they are made.

Imports of something heavy stand inside the functions, as in wiring.py.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from handlers.runtime.settings import Settings, SettingsError

if TYPE_CHECKING:
    from handlers.adapters.openai_embedder import OpenAIEmbedder
    from index.ports import Embedder, Reranker

OVER_HTTP = "openai:"
"""What the name of a model begins with that is served by an OpenAI-compatible endpoint."""

PACKAGED = "all-MiniLM-L6-v2"

log = logging.getLogger(__name__)


def query_embedder(settings: Settings) -> Embedder:
    """Return the light embedder for questions; exports the model on first use.

    A model that cannot be exported is used through torch. It knows its dimensions. May block.
    Raises EmbedderUnavailable, and with an endpoint EmbedderUnreachable and SettingsError.
    """
    if settings.embedder.startswith(OVER_HTTP):
        return _over_http(settings)
    from index.embedding import OnnxEmbedder, SentenceTransformerEmbedder
    from index.errors import NotExportable
    from index.model_folders import model_folder

    try:
        return OnnxEmbedder(_exported(settings))
    except NotExportable as error:
        log.warning("%s", error)
        embedder = SentenceTransformerEmbedder(model_folder(settings.embedder))
        assert embedder.dimensions
        return embedder


def indexing_embedder(settings: Settings) -> Embedder:
    """Return the embedder for documents: on the GPU if there is one.

    Where torch is not installed, as in the container image, the light one gives the same vectors.
    Raises as ``query_embedder`` does.
    """
    if settings.embedder.startswith(OVER_HTTP):
        return _over_http(settings)
    if find_spec("sentence_transformers") is None or _is_exported(settings.embedder):
        return query_embedder(settings)
    from index.embedding import SentenceTransformerEmbedder
    from index.model_folders import model_folder

    return SentenceTransformerEmbedder(
        model_folder(settings.embedder) if settings.embedder else None
    )


def reranker(settings: Settings) -> Reranker | None:
    """Return the reranker, None if none is named; its model is loaded with the first question."""
    if not settings.reranker:
        return None
    from index.reranking import CrossEncoderReranker

    return CrossEncoderReranker(settings.reranker)


def _exported(settings: Settings) -> Path:
    """Return the folder of the exported model. Raises NotExportable, EmbedderUnavailable."""
    from index.embedding import export_onnx
    from index.model_folders import model_folder, space_name

    folder = settings.models or settings.home / "models"
    if not settings.embedder:
        return export_onnx(folder / PACKAGED)
    if _is_exported(settings.embedder):
        return Path(settings.embedder)
    named = model_folder(settings.embedder)
    return export_onnx(folder / space_name(named), named)


def _is_exported(named: str) -> bool:
    from index.embedding_onnx import MANIFEST

    return bool(named) and (Path(named) / MANIFEST).is_file()


def _over_http(settings: Settings) -> OpenAIEmbedder:
    from handlers.adapters.openai_embedder import OpenAIEmbedder

    model = settings.embedder.removeprefix(OVER_HTTP)
    if not model:
        raise SettingsError(["FOOTNOTE_EMBEDDER names no model after `openai:`."])
    key = settings.openai_api_key
    embedder = OpenAIEmbedder(
        model=model,
        api_key=key.get_secret_value() if key else "",
        base_url=settings.openai_base_url,
    )
    # Asked for here, where blocking is expected: the index wants to know.
    assert embedder.dimensions
    return embedder
