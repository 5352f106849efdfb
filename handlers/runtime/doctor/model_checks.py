"""What `footnote doctor` asks the language model: one word."""

import asyncio
import time
from contextlib import aclosing

from handlers.answering.errors import ModelError
from handlers.answering.ports import Message
from handlers.runtime.doctor.findings import Finding, failed, ok, skipped
from handlers.runtime.settings import Settings

MODEL = "model"
DEADLINE_SECONDS = 8.0


async def model_findings(settings: Settings) -> list[Finding]:
    """Have the model begin a very short answer, the way questions are answered."""
    if not settings.openai_model:
        return [skipped(MODEL, "OPENAI_MODEL is not set: answers are quotes.")]
    from handlers.adapters.openai_model import OpenAIModel

    key = settings.openai_api_key
    model = OpenAIModel(
        model=settings.openai_model,
        api_key=key.get_secret_value() if key else "",
        base_url=settings.openai_base_url,
        first_token_timeout=DEADLINE_SECONDS,
    )
    asked = [Message("user", "Say the word yes and nothing else.")]
    began = time.monotonic()
    deadline = asyncio.get_running_loop().time() + DEADLINE_SECONDS
    try:
        async with aclosing(model.stream(asked, deadline=deadline)) as events:
            # The first word is proof enough; leaving ends the answer, and what it costs.
            await anext(events)
    except ModelError as error:
        todo = "Until it is mended, questions are answered with quotes."
        return [failed(MODEL, str(error), todo)]
    finally:
        await model.aclose()
    return [ok(MODEL, f"{settings.openai_model} began after {time.monotonic() - began:.1f} s.")]
