"""Who answers the questions of `footnote eval`: the very parts that people get."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from handlers.judging.evidence import Witness
from handlers.judging.gathering import GatheringEmbedder
from handlers.judging.judge import Desk
from handlers.judging.model_judge import ModelJudge
from handlers.judging.remembering import NotingEmbedder, RememberingEmbedder
from handlers.runtime import terminal, wiring
from handlers.runtime.answerers import answering
from handlers.runtime.settings import Settings

if TYPE_CHECKING:
    from index.lance import LanceIndex
    from index.ports import Embedder

TIMED = 15
"""Questions of a set that are timed: they are asked first, of a desk that remembers nothing."""


@asynccontextmanager
async def desks(
    settings: Settings,
    index: LanceIndex,
    embedder: Embedder,
    *,
    indexing: Embedder,
    retrieval_only: bool,
    memory: Path | None,
) -> AsyncIterator[Callable[[int], Desk]]:
    """Yield who answers the n-th question; vectors are kept in ``memory``.

    With a model every question is timed, since it does the work. Without one, only the first
    ``TIMED`` questions are: they are asked with nothing but ``embedder``. What the others are
    compared with is remembered, and embedded in large numbers by ``indexing``, which is of the same
    space and made for that.
    """
    retriever = wiring.retriever(settings, index, embedder)
    if retrieval_only:
        yield lambda n: Desk(retriever, None)
        return
    if settings.openai_model:
        async with answering(settings, embedder) as parts:
            yield lambda n: Desk(retriever, parts.answerer, parts.rewriter)
        return
    remembering = RememberingEmbedder(embedder, documents=indexing, place=memory)
    noting = NotingEmbedder(embedder, remembering)
    gathering = GatheringEmbedder(remembering)
    witness = Witness(gathering, floor=settings.refusal_floor)
    quick_retriever = wiring.retriever(settings, index, gathering)
    async with (
        answering(settings, noting) as slow,
        answering(settings, gathering, extractive=witness) as quick,
    ):
        # Of a timed answer all is known that its evidence needs; it need not wait for others.
        alone = Witness(remembering, floor=settings.refusal_floor)
        timed = Desk(retriever, slow.answerer, slow.rewriter, alone.of)
        untimed = Desk(quick_retriever, quick.answerer, quick.rewriter, witness.of, timed=False)
        try:
            yield lambda n: timed if n < TIMED else untimed
        finally:
            gathering.close()
            try:
                remembering.keep()
            except OSError as error:
                terminal.tell(
                    f"What was embedded could not be kept ({error.strerror}); it is embedded again"
                    " the next time."
                )


@asynccontextmanager
async def model_judges(
    settings: Settings, *, wanted: bool
) -> AsyncIterator[Callable[[], ModelJudge | None]]:
    """Yield what makes a judge for a set; nobody judges unless it is wanted."""
    if not wanted:
        yield lambda: None
        return
    from handlers.adapters.openai_model import OpenAIModel

    key = settings.openai_api_key
    model = OpenAIModel(
        model=settings.openai_model,
        api_key=key.get_secret_value() if key else "",
        base_url=settings.openai_base_url,
        first_token_timeout=settings.model_first_token_seconds,
    )
    try:
        yield lambda: ModelJudge(model)
    finally:
        await model.aclose()
