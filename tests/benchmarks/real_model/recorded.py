"""A language model whose words are written down as they pass, and can be played again.

What the model said before anything was checked is seen by nobody else. A recording answers the
very same messages without the model, so that a changed check is measured in seconds; any change of
prompt, examples or passages makes other messages, and asks the model again.
"""

import hashlib
import json
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path

from handlers.adapters.openai_model import TEMPERATURE, OpenAIModel
from handlers.answering.ports import Completed, Message, ModelEvent, TextDelta, Usage

LONGEST_RECORDING = 8000
"""Characters, as many as the answerer reads."""


@dataclass(frozen=True, slots=True)
class Reply:
    """All that the model said to one prompt. Seconds count from the request."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    truncated: bool
    first_seconds: float
    seconds: float


class RecordedModel:
    """A LanguageModel that reads the whole reply first, keeps it in ``file``, and passes it on.

    ``last`` is the reply to the last call, and ``prompt`` names its instructions by their checksum.
    """

    def __init__(self, model: OpenAIModel, file: Path, examples: Sequence[Message] = ()) -> None:
        """Play what ``file`` holds; ask ``model`` for the rest, after showing it ``examples``."""
        self._model = model
        self._file = file
        self._examples = tuple(examples)
        kept = json.loads(file.read_text("utf-8")) if file.exists() else {}
        self._kept = {key: Reply(**values) for key, values in kept.items()}
        self.last: Reply | None = None
        self.prompt = ""

    @property
    def name(self) -> str:
        """The name of the model."""
        return self._model.name

    async def aclose(self) -> None:
        """Close the connections."""
        await self._model.aclose()

    async def stream(
        self, messages: Sequence[Message], *, deadline: float
    ) -> AsyncGenerator[ModelEvent]:
        """Yield the reply as one piece, and Completed. Raises ModelError."""
        messages = [messages[0], *self._examples, *messages[1:]]
        said = [(one.role, one.content) for one in messages]
        sent = json.dumps([self.name, TEMPERATURE, *said])
        key = hashlib.sha256(sent.encode()).hexdigest()
        self.last = None
        self.prompt = hashlib.sha256(messages[0].content.encode()).hexdigest()[:12]
        if key not in self._kept:
            self._kept[key] = await self._asked(messages, deadline)
            kept = {key: asdict(reply) for key, reply in self._kept.items()}
            self._file.write_text(json.dumps(kept, indent=1), "utf-8")
        self.last = reply = self._kept[key]
        yield TextDelta(reply.text)
        yield Completed(Usage(reply.prompt_tokens, reply.completion_tokens), reply.truncated)

    async def _asked(self, messages: Sequence[Message], deadline: float) -> Reply:
        began = time.perf_counter()
        first = 0.0
        text = ""
        async with aclosing(self._model.stream(messages, deadline=deadline)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    first = first or time.perf_counter() - began
                    text += event.text
                    if len(text) <= LONGEST_RECORDING:
                        continue
                usage = event.usage if isinstance(event, Completed) else Usage()
                truncated = not isinstance(event, Completed) or event.truncated
                break
        return Reply(
            text,
            usage.prompt_tokens,
            usage.completion_tokens,
            truncated,
            first,
            time.perf_counter() - began,
        )
