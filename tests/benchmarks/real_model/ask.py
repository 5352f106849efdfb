"""Fifty questions to a real model, through the parts of `footnote ask`, and what came of them.

    python -m tests.benchmarks.real_model.ask [--questions 50] [--no-examples]

Prints a table and one JSON object; exit code 1 if a shown quote is not in the index word by word.
What the model said is kept in ``--replies`` and played again: see recorded.py.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import lancedb

from bot.conversation import Answer, Question
from handlers.adapters.openai_model import OpenAIModel
from handlers.answering.extractive import ExtractiveAnswerer
from handlers.answering.ports import Answerer, Finished
from handlers.answering.rag import ModelAnswerer
from handlers.runtime import wiring
from handlers.runtime.commands import sync_documents
from handlers.runtime.demo import HANDBOOK
from handlers.runtime.settings import Settings
from index.audience import Audience
from index.documents import DocumentRef
from index.lance import TABLE
from index.ports import Source
from index.retrieval import Retrieval
from index.sources.files import FolderSource
from index.sources.judged import JudgedSet
from tests.benchmarks.figures import machine, show
from tests.benchmarks.real_model.examples import shown
from tests.benchmarks.real_model.fetch import FOLDER, MODEL
from tests.benchmarks.real_model.outcome import Told, false_quotes, summed_up
from tests.benchmarks.real_model.questions import CLAPNQ, Asked, chosen
from tests.benchmarks.real_model.recorded import RecordedModel
from tests.benchmarks.real_model.server import running_server

CONTEXT_CHARACTERS = 2000
"""A third of the usual: two cores read some 30 to 60 tokens a second."""

PATIENCE_SECONDS = 600.0
"""Far more than people have: what is measured is what the model says, and how long that takes."""

NONCE = "f00d5eed"
"""The same for each run, or no recording would fit; in production it is random."""


async def ask_all(
    questions: Sequence[Asked], address: str, replies: Path, *, examples: bool
) -> tuple[list[Told], str]:
    """Index both sets of documents and ask; return also the checksum of the instructions."""
    told: list[Told] = []
    prompt = ""
    for name, source in _sources().items():
        settings = _settings(name, address)
        await sync_documents(settings, source, wiring.indexing_embedder(settings))
        mine = [one for one in questions if one.of == name]
        model = RecordedModel(_endpoint(settings), replies, shown(NONCE) if examples else ())
        told += await _ask(mine, settings, source, model)
        prompt = model.prompt or prompt
        await model.aclose()
    return told, prompt


def _sources() -> dict[str, Source]:
    return {"clapnq": JudgedSet.load(CLAPNQ).source(), "handbook": FolderSource(HANDBOOK)}


def _settings(name: str, address: str) -> Settings:
    return Settings.load(
        {
            "OPENAI_BASE_URL": address,
            "OPENAI_MODEL": MODEL.stem,
            "FOOTNOTE_HOME": str(FOLDER / "home" / name),
            "FOOTNOTE_MODELS": str(FOLDER.parent / "models"),
            "FOOTNOTE_CONTEXT_CHARACTERS": str(CONTEXT_CHARACTERS),
        }
    )


def _endpoint(settings: Settings) -> OpenAIModel:
    return OpenAIModel(
        model=settings.openai_model,
        api_key="",
        base_url=settings.openai_base_url,
        first_token_timeout=PATIENCE_SECONDS,
    )


async def _ask(
    questions: Sequence[Asked], settings: Settings, source: Source, model: RecordedModel
) -> list[Told]:
    told: list[Told] = []
    stored = await _stored(settings)
    embedder = await asyncio.to_thread(wiring.query_embedder, settings)
    answerer = ModelAnswerer(
        model,
        ExtractiveAnswerer(embedder, floor=settings.refusal_floor),
        deadline_seconds=PATIENCE_SECONDS,
        nonce=lambda: NONCE,
    )
    async with wiring.opened_index(settings, embedder) as index:
        retriever = wiring.retriever(settings, index, embedder)
        for asked in questions:
            model.last = None
            found = await retriever.retrieve(asked.text, Audience.everyone())
            answer = await _answer(answerer, asked, found)
            gold = DocumentRef(source.name, asked.location, "").id
            told.append(Told(asked, gold, stored, found.passages, model.last, answer))
            seconds = model.last.seconds if model.last else 0.0
            done = f"{len(told)}/{len(questions)} {asked.of}: {answer.verdict}, {seconds:.0f} s"
            print(done, file=sys.stderr, flush=True)
    return told


async def _answer(answerer: Answerer, asked: Asked, found: Retrieval) -> Answer:
    events = answerer.answer(Question(asked.text), found.passages, related=found.related)
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Finished):
                return event.answer
    raise AssertionError(f"no answer was finished: {asked.text}")


async def _stored(settings: Settings) -> dict[str, list[str]]:
    """Return document id -> the texts of its chunks, read from the table itself."""
    connection = await lancedb.connect_async(settings.index)
    table = await connection.open_table(TABLE)
    rows = await table.query().select(["doc_id", "text"]).to_arrow()
    stored: dict[str, list[str]] = {}
    for document, text in zip(rows["doc_id"].to_pylist(), rows["text"].to_pylist(), strict=True):
        stored.setdefault(document, []).append(text)
    return stored


def main() -> int:
    """Ask, count and print; return the exit status."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--questions", type=int, default=50, help="how many, spread over all")
    options.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="1 if it is busy")
    options.add_argument("--replies", type=Path, default=FOLDER / "replies.json")
    options.add_argument("--no-examples", action="store_true", help="the prompt as it is shipped")
    given = options.parse_args()
    examples = not given.no_examples
    # Whoever ends this process ends the server with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with running_server(given.threads) as address:
        told, prompt = asyncio.run(
            ask_all(chosen(given.questions), address, given.replies, examples=examples)
        )
    recipe: dict[str, str | int] = {
        "model": MODEL.stem,
        "prompt": prompt,
        "examples": examples,
        "context_characters": CONTEXT_CHARACTERS,
    }
    for title, rows in summed_up(told).items():
        show(title, rows, {**machine(), **recipe, "questions": len(told)})
    false = false_quotes(told)
    for quote in false:
        print(f"not in the index: {quote!r}", file=sys.stderr)
    return 1 if false else 0


if __name__ == "__main__":
    sys.exit(main())
