"""A second, slower look at the best passages: a cross-encoder reads question and passage together.

Off unless a model is named. Importing this module loads no torch; the first question does.
"""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from index.chunking import searchable_text
from index.documents import Passage
from index.errors import EmbedderUnavailable, RerankerUnavailable
from index.model_folders import model_folder
from index.ports import Reranker

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_BATCH = 16


def reordered(
    reranker: Reranker, question: str, ranked: Sequence[Passage], limit: int
) -> tuple[list[Passage], dict[str, float]]:
    """Return the ranking with its best ``limit`` in the order of the reranker, and its scores.

    The scores are by chunk id; ``Passage.score`` stays that of fusion. Equal scores keep their
    order. The rest follows as it was. Blocks.
    """
    head, rest = ranked[:limit], ranked[limit:]
    if not head:
        return list(ranked), {}
    scores = reranker.scores(question, [searchable_text(p.title, p.chunk) for p in head])
    by_id = {one.chunk.id: float(score) for one, score in zip(head, scores, strict=True)}
    return [*sorted(head, key=lambda one: -by_id[one.chunk.id]), *rest], by_id


class CrossEncoderReranker:
    """A Reranker through sentence-transformers. Safe to share between threads."""

    def __init__(self, model: str) -> None:
        """Use the model in the folder ``model``, or of that name on the model hub.

        It is loaded with the first question.
        """
        self._named = model
        self._model: CrossEncoder | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """The folder or name that the operator gave."""
        return self._named

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """Return one score a text, in order, larger for better. Raises RerankerUnavailable."""
        with self._lock:
            model = self._loaded()
            try:
                scores = model.predict(
                    [(question, text) for text in texts],
                    batch_size=_BATCH,
                    show_progress_bar=False,
                    convert_to_numpy=True,
                )
            except (RuntimeError, ValueError, IndexError) as error:
                raise self._unavailable(error) from error
        if scores.shape != (len(texts),):
            raise RerankerUnavailable(
                f"The model {self._named} gives several numbers a passage and not one, so it is no"
                " reranker; name another in FOOTNOTE_RERANKER."
            )
        return [float(score) for score in scores]

    def _loaded(self) -> "CrossEncoder":
        if self._model is None:
            try:
                folder = model_folder(self._named)
                from sentence_transformers import CrossEncoder

                self._model = CrossEncoder(str(folder), local_files_only=True)
            except EmbedderUnavailable as error:
                raise RerankerUnavailable(str(error)) from error
            except Exception as error:  # whatever torch or transformers raise on broken files
                raise self._unavailable(error) from error
        return self._model

    def _unavailable(self, error: Exception) -> RerankerUnavailable:
        return RerankerUnavailable(
            f"The reranker {self._named} cannot be used ({type(error).__name__}); check what"
            " FOOTNOTE_RERANKER names, or unset it."
        )
