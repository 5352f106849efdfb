"""DOOR: Slack in. API Gateway hands over a signed request; it ends as a job on the queue.

The whole invocation must fit into Slack's 3 seconds, so nothing heavy is imported here: see
tests/test_architecture.py.
"""

from contextlib import AsyncExitStack
from typing import Any

from bot.app import FootnoteApp
from handlers.runtime import agents, tracing
from handlers.runtime.deployed import deployed_settings
from handlers.runtime.http import answer_gateway
from handlers.runtime.invoke import Warm, prepare, run
from handlers.runtime.logs import configure
from handlers.runtime.metrics import Metrics
from handlers.runtime.wiring import job_queue, slack_app, slack_client, state_store


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one API Gateway event (HTTP API, payload 2.0) within Slack's 3 seconds."""
    return run(_handle(event), context)


async def _handle(event: dict[str, Any]) -> dict[str, Any]:
    app, metrics = await _open.get()
    response = await answer_gateway(app, event)
    metrics.observe_door(response["statusCode"])
    return response


async def _opening(stack: AsyncExitStack) -> tuple[FootnoteApp, Metrics]:
    settings = await deployed_settings()
    configure(settings.log_level)
    tracing.start(settings)
    client, store, metrics = slack_client(settings), state_store(settings), Metrics(settings.stage)
    agent = agents.deployed_door(settings, client, store)
    count = metrics.observe_feedback
    app = slack_app(settings, client, job_queue(settings), store, count=count, agent=agent)
    return app, metrics


_open = Warm(_opening)
prepare(_open)
