"""From the start of a process to passages, and then warm questions: ours, or the plain way.

    python -m tests.benchmarks.cold_start ours|plain

Started by test_cold_start.py, which passes the place of the index in the environment. Prints one
JSON object; ``ready_at`` and ``found_at`` are on the clock that all processes of a machine share.

"plain" is what the manuals of both libraries show: SentenceTransformer, lancedb.connect_async with
nothing set, the hybrid query with its own reranker. It asks for 8 rows, where ours reads 200
candidates; and its handle never looks for a newer version, so it would serve revoked rows for ever.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

QUESTIONS = (
    "How do I rotate an access key?",
    "What does a bucket policy need to allow uploads?",
    "How long are automated backups kept?",
    "Which ports must a security group open for a database?",
    "How can I limit the cost of data transfer?",
    "What is the largest size of a message in a queue?",
    "How do I restore a table to a point in time?",
    "When does a function time out?",
    "How is a certificate renewed?",
    "What happens when an instance is stopped?",
)
WARM_QUESTIONS = 30


def main() -> None:
    """Measure what the command line names."""
    figures = asyncio.run(ours() if sys.argv[1] == "ours" else plain())
    # Not ru_maxrss: that counts the parent too, which the process was for a moment after the fork.
    status = Path("/proc/self/status").read_text("ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    print(json.dumps({**figures, "peak_bytes": int(peak.split()[1]) * 1024}))


async def ours() -> dict[str, Any]:
    """Open as the answer worker does; retrieve, then answer with a model that answers at once."""
    from handlers.runtime import wiring
    from handlers.runtime.answering import clients_while_warming
    from handlers.runtime.settings import Settings
    from index.audience import Audience
    from tests.benchmarks.reader_groups import GROUPS

    imported_at = time.monotonic()
    settings = Settings.load()
    audience = Audience.of(GROUPS)
    async with contextlib.AsyncExitStack() as stack:
        embedder, index = await stack.enter_async_context(wiring.loaded_index(settings))
        await clients_while_warming(settings, index)
        answers = await stack.enter_async_context(wiring.answerer(settings, embedder))
        from bot.conversation import Question
        from handlers.answering.ports import SentenceReady

        ready_at = time.monotonic()
        retriever = wiring.retriever(settings, index, embedder)

        async def retrieve(question: str) -> int:
            return len((await retriever.retrieve(question, audience)).passages)

        async def first_word(question: str) -> int:
            found = await retriever.retrieve(question, audience)
            events = answers.answer(Question(question), found.passages, related=found.related)
            async with contextlib.aclosing(events):
                async for event in events:
                    if isinstance(event, SentenceReady):
                        return len(found.passages)
            raise AssertionError(f"no sentence answers: {question}")

        passages = await retrieve(QUESTIONS[0])
        found_at = time.monotonic()
        return {
            "imported_at": imported_at,
            "ready_at": ready_at,
            "found_at": found_at,
            "passages": passages,
            "retrieval": await timed(retrieve),
            "first_word": await timed(first_word),
        }


async def plain() -> dict[str, Any]:
    """Open as a newcomer would; retrieve with LanceDB's own hybrid search."""
    import lancedb
    from sentence_transformers import SentenceTransformer

    from index.audience import Audience
    from index.keywords import ANALYSIS
    from index.lance_filters import readable_by
    from index.weights import packaged_model_path
    from tests.benchmarks.reader_groups import GROUPS

    imported_at = time.monotonic()
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    model = SentenceTransformer(str(packaged_model_path()), device="cpu")
    connection = await lancedb.connect_async(
        os.environ["FOOTNOTE_INDEX"],
        storage_options={
            "endpoint": endpoint,
            "allow_http": "true",
            "region": os.environ["AWS_REGION"],
            "aws_access_key_id": os.environ["AWS_ACCESS_KEY_ID"],
            "aws_secret_access_key": os.environ["AWS_SECRET_ACCESS_KEY"],
        },
    )
    table = await connection.open_table(f"chunks-{ANALYSIS}")
    ready_at = time.monotonic()
    readable = readable_by(Audience.of(GROUPS))
    assert readable is not None

    async def retrieve(question: str) -> int:
        vector = model.encode(question, normalize_embeddings=True)
        query = table.query().nearest_to(vector).distance_type("cosine")
        both = query.nearest_to_text(question, columns=["keywords"]).where(readable)
        return len(await both.select(["id", "title", "url", "text"]).limit(8).to_list())

    passages = await retrieve(QUESTIONS[0])
    found_at = time.monotonic()
    return {
        "imported_at": imported_at,
        "ready_at": ready_at,
        "found_at": found_at,
        "passages": passages,
        "retrieval": await timed(retrieve),
    }


async def timed(ask: Callable[[str], Awaitable[int]]) -> list[float]:
    """Return the seconds of each of the warm questions, one after the other."""
    seconds = []
    for number in range(WARM_QUESTIONS):
        question = f"{QUESTIONS[number % len(QUESTIONS)]} (case {number})"
        began = time.perf_counter()
        found = await ask(question)
        seconds.append(time.perf_counter() - began)
        assert found, question
    return seconds


if __name__ == "__main__":
    main()
