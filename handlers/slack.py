"""DOOR: Slack in. API Gateway hands over a signed request; it ends as a job on the queue.

The whole invocation must fit into Slack's 3 seconds, so nothing heavy is imported here: see
tests/test_architecture.py.
"""

from typing import Any

from bot.app import FootnoteApp
from handlers.runtime.http import answer_gateway
from handlers.runtime.invoke import run
from handlers.runtime.logs import configure
from handlers.runtime.settings import Settings
from handlers.runtime.wiring import job_queue, slack_app, slack_client, state_store

_app: FootnoteApp | None = None


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answer one API Gateway event (HTTP API, payload 2.0) within Slack's 3 seconds."""
    return run(_handle(event))


async def _handle(event: dict[str, Any]) -> dict[str, Any]:
    global _app
    if _app is None:
        settings = Settings.load()
        configure(settings.log_level)
        client, store = slack_client(settings), state_store(settings)
        _app = slack_app(settings, client, job_queue(settings), store)
    return await answer_gateway(_app, event)
