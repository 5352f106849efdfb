"""A process that opens a large index, asks the first question, and then warm ones.

Started by large.py, which passes the place of the index in the environment. Prints one JSON object;
``opened_at`` and ``found_at`` are on the clock that all processes of a machine share. What is timed
is the index: engine and embedder are loaded before. How they load beside the index is measured by
test_cold_start.py.
"""

import asyncio
import json
import statistics
import sys
import time

from handlers.runtime import wiring
from handlers.runtime.settings import Settings
from index.audience import Audience
from tests.benchmarks.cold_start import QUESTIONS
from tests.benchmarks.figures import peak_memory_mb
from tests.benchmarks.reader_groups import GROUPS


async def main(questions: int) -> dict[str, float]:
    """Open as the answer worker does, with an audience of all groups; return the figures."""
    settings = Settings.load()
    wiring.index_engine(settings)
    embedder = wiring.query_embedder(settings)
    embedder.embed_query("The first text loads the model.")
    audience = Audience.of(GROUPS)
    opened_at = time.monotonic()
    async with wiring.opened_index(settings, embedder) as index:
        await index.warm()
        warmed_at = time.monotonic()
        retriever = wiring.retriever(settings, index, embedder)
        first = await retriever.retrieve(QUESTIONS[0], audience)
        found_at = time.monotonic()
        seconds = []
        for number in range(questions):
            question = f"{QUESTIONS[number % len(QUESTIONS)]} (case {number})"
            began = time.perf_counter()
            found = await retriever.retrieve(question, audience)
            seconds.append(time.perf_counter() - began)
            assert found.passages, question
    ordered = sorted(seconds)
    return {
        "opened_at": opened_at,
        "found_at": found_at,
        "warming": warmed_at - opened_at,
        "cold": found_at - opened_at,
        "passages": len(first.passages),
        "warm_p50": statistics.median(ordered),
        "warm_p95": ordered[int(0.95 * (len(ordered) - 1))],
        "peak_memory_mb": peak_memory_mb(),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(int(sys.argv[1])))))
