"""The first real work of every function that is deployed, and the proof that it was done."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bot.playground import Playground
from handlers.runtime.demo import SIGNING_SECRET
from handlers.runtime.fanning_out import fan_out, staging
from handlers.runtime.settings import Settings
from handlers.runtime.sources import document_sources
from handlers.runtime.wiring import indexing_embedder, opened_index
from handlers.work.jobs import AgentJob
from index.errors import DocumentsMissing
from index.sandbox import SandboxedParser
from index.staging import PREPARED
from index.sync import sync
from tests.benchmarks.cloud import Cloud, asked, put_question
from tests.doubles.scripted_agent import Asked, ScriptedAgent, Turn
from tests.doubles.slack_signing import gateway_event, mention

WARM_REQUESTS = 9
"""Slack lists user groups 20 times a minute, and a question that finds nothing asks for them twice:
more questions would measure how long Slack makes them wait."""

WORK = {
    "slack": "slack",
    "reconcile": "reconcile",
    "answer": "answer",
    "answer, quotes": "answer",
    "ingest": "ingest",
    "ingest, nothing new": "ingest",
    "prepare": "prepare",
    "maintain": "maintain",
    "agent": "agent",
}
"""What is measured, and the function that does it."""

SAID_BY_AGENT = "That is all there is to say."
_PORTION = 5


def good(function: str, value: Any, chunks: int) -> bool:
    """Tell whether the work was really done; a quick refusal would be a good figure too."""
    match function:
        case "slack":
            return bool(value["statusCode"] == 200)
        case "reconcile":
            return "found" in value
        case "ingest":
            skipped = any(one["skipped"] for one in value["sources"])
            return bool(value["complete"]) and not skipped
        case "maintain":
            return bool(value["complete"] and value["chunks"] == chunks)
        case _:
            return bool(value == {"batchItemFailures": []})


@asynccontextmanager
async def given(
    name: str, slack: Playground, cloud: Cloud, environment: dict[str, str]
) -> AsyncIterator[list[Any]]:
    """Yield the events of a function's work; ``environment`` is completed for it.

    What the function tells nobody but others is looked at when the block is left.
    """
    match WORK[name]:
        case "slack":
            envelopes = [mention(f"{time.time() + n:.6f}") for n in range(WARM_REQUESTS + 1)]
            yield [gateway_event(one, secret=SIGNING_SECRET) for one in envelopes]
        case "answer":
            queue = environment["FOOTNOTE_QUEUE_URL"]
            yield [
                put_question(cloud, slack, queue, await asked(slack, number))
                for number in range(WARM_REQUESTS + 1)
            ]
        case "prepare":
            environment |= {
                "FOOTNOTE_INDEX": cloud.storage.new_uri(),
                "FOOTNOTE_PREPARE_QUEUE_URL": cloud.new_queue(),
                "FOOTNOTE_PORTION": str(_PORTION),
            }
            events = await _portions(cloud, environment)
            yield events
            made = await staging(Settings.load(environment)).names()
            assert sum(one.endswith(PREPARED) for one in made) == len(events), made
        case "agent":
            async with ScriptedAgent(_searching) as model:
                environment |= {
                    "FOOTNOTE_AGENT": "ON",
                    "FOOTNOTE_AGENT_QUEUE_URL": cloud.new_queue(),
                    "FOOTNOTE_AUDIT_TABLE": cloud.aws.new_audit_table(),
                    "OPENAI_BASE_URL": model.base_url,
                }
                numbers = range(WARM_REQUESTS + 1)
                runs = [await asked(slack, one, "@Footnote agent:") for one in numbers]
                queue = environment["FOOTNOTE_AGENT_QUEUE_URL"]
                yield [put_question(cloud, slack, queue, ts, kind=AgentJob) for ts in runs]
                # The model was asked what to do, and again with what its search had found.
                assert sum(bool(one.results) for one in model.asked) == len(runs)
                for ts in runs:
                    said = slack.messages("general", ts)[1:]
                    assert said, ts
                    assert not any(one.get("streaming_state") == "in_progress" for one in said)
        case _:
            yield [{}, {}]


async def _portions(cloud: Cloud, environment: Mapping[str, str]) -> list[Any]:
    """Ask for the documents as a sync does that waits for nobody; return an event a portion."""
    settings = Settings.load(environment)
    [source] = document_sources(settings)
    with SandboxedParser() as parser:
        async with opened_index(settings, embedder := indexing_embedder(settings)) as index:
            by = fan_out(settings, index, until=0.0)
            with pytest.raises(DocumentsMissing):
                await sync(source, parser, embedder, index, fan_out=by)
    records = cloud.aws.lambda_records(environment["FOOTNOTE_PREPARE_QUEUE_URL"])
    assert len(records) > 1
    return [{"Records": [record]} for record in records]


def _searching(asked: Asked) -> Turn:
    """Search once, and say so."""
    if not asked.results:
        question = asked.request.strip().splitlines()[-1][:200]
        return Turn(calls=[("search_documents", {"query": question})])
    return Turn(SAID_BY_AGENT)
