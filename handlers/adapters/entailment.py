"""The Entailment port through a cross-encoder of sentence-transformers, loaded when first asked."""

import json
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from handlers.answering.entailment import EntailmentUnavailable, Judgement
from index.errors import EmbedderUnavailable
from index.model_folders import model_folder

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

log = logging.getLogger(__name__)

_BATCH = 8


class CrossEncoderEntailment:
    """Any CrossEncoder for natural language inference. Safe to share between threads."""

    def __init__(self, model: str) -> None:
        """Use the model in the folder ``model``, or of that name on the model hub."""
        self._named = model
        self._loaded: tuple[CrossEncoder, int, int | None] | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The folder or name that the operator gave."""
        return self._named

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
        """Judge pairs of (quote, claim), in order. Blocks. Raises EntailmentUnavailable."""
        if not pairs:
            return []
        with self._lock:
            try:
                model, entailed, contradicted = self._model()
                scores = model.predict(
                    list(pairs), batch_size=_BATCH, show_progress_bar=False, apply_softmax=True
                )
                rows = [[float(value) for value in row] for row in scores]
                return [
                    Judgement(row[entailed], 0.0 if contradicted is None else row[contradicted])
                    for row in rows
                ]
            except EntailmentUnavailable as error:
                log.error("no entailment: %s", error)
                raise
            except Exception as error:  # whatever torch or transformers raise
                log.error("the entailment model failed, %s", type(error).__name__)
                raise self._unusable(type(error).__name__) from error

    def _model(self) -> "tuple[CrossEncoder, int, int | None]":
        if self._loaded is None:
            try:
                folder = model_folder(self._named)
            except EmbedderUnavailable as error:
                raise EntailmentUnavailable(str(error)) from error
            labels = self._labels(folder)
            from sentence_transformers import CrossEncoder

            self._loaded = CrossEncoder(str(folder), local_files_only=True), *labels
        return self._loaded

    def _labels(self, folder: Path) -> tuple[int, int | None]:
        """Return which of the model's outputs is entailment, and which contradiction, if any.

        Models order them differently, so their configuration has to say it.
        """
        try:
            read = json.loads((folder / "config.json").read_text("utf-8"))
            named = {int(place): str(label) for place, label in read["id2label"].items()}
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise self._unusable("its config.json names no labels") from error
        places: dict[str, int] = {}
        for place, label in named.items():
            for kind in ("entail", "contradict"):
                if label.casefold().startswith(kind):
                    places[kind] = place
        if "entail" not in places or len(named) < 2:
            known = ", ".join(named.values())
            raise self._unusable(f"its labels are {known}, and none of several is entailment")
        return places["entail"], places.get("contradict")

    def _unusable(self, why: str) -> EntailmentUnavailable:
        return EntailmentUnavailable(
            f"The entailment model {self._named} cannot be used ({why}); name a cross-encoder for"
            " natural language inference in FOOTNOTE_ENTAILMENT_MODEL, or unset it."
        )
