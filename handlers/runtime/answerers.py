"""Who answers, and who makes follow-ups stand alone: settings in, working parts out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from handlers.runtime.settings import Settings

if TYPE_CHECKING:
    from handlers.answering.entailment import Entailment
    from handlers.answering.extractive import ExtractiveAnswerer
    from handlers.answering.ports import Answerer, Rewriter, Usage
    from index.ports import Embedder


@dataclass(frozen=True, slots=True)
class Answering:
    """Both share one model, its connections and its breaker."""

    answerer: Answerer
    rewriter: Rewriter


@asynccontextmanager
async def answering(
    settings: Settings, embedder: Embedder, *, extractive: ExtractiveAnswerer | None = None
) -> AsyncIterator[Answering]:
    """Yield the model's parts when a model is configured, else those that need none.

    ``extractive`` is who quotes, if it is not to be made here.
    """
    from handlers.answering.careful import CarefulAnswerer
    from handlers.answering.extractive import ExtractiveAnswerer
    from handlers.answering.ports import NoRewriter

    extractive = extractive or ExtractiveAnswerer(embedder, floor=settings.refusal_floor)
    if not settings.openai_model:
        yield Answering(CarefulAnswerer(extractive), NoRewriter())
        return
    from handlers.adapters.openai_model import OpenAIModel
    from handlers.answering.rag import ModelAnswerer
    from handlers.answering.rewriting import ModelRewriter

    key = settings.openai_api_key
    model = OpenAIModel(
        model=settings.openai_model,
        api_key=key.get_secret_value() if key else "",
        base_url=settings.openai_base_url,
        first_token_timeout=settings.model_first_token_seconds,
    )
    writer = ModelAnswerer(
        model,
        extractive,
        deadline_seconds=settings.answer_seconds,
        window_tokens=settings.model_window,
        cost_of=cost_of(settings),
        entailment=entailment(settings),
    )
    rewriter = ModelRewriter(model, cost_of=cost_of(settings))
    rewrites = settings.rewrite == "ON"
    try:
        yield Answering(CarefulAnswerer(writer), rewriter if rewrites else NoRewriter())
    finally:
        await model.aclose()


def entailment(settings: Settings) -> Entailment | None:
    """Return the model of a second opinion, if one is set."""
    if not settings.entailment_model:
        return None
    from handlers.adapters.entailment import CrossEncoderEntailment

    return CrossEncoderEntailment(settings.entailment_model)


def cost_of(settings: Settings) -> Callable[[Usage], float] | None:
    """Return what prices a use of the model in US dollars; None where no price is set."""
    prompt, completion = settings.model_price_in / 1e6, settings.model_price_out / 1e6
    if not (prompt or completion):
        return None
    return lambda usage: usage.prompt_tokens * prompt + usage.completion_tokens * completion
