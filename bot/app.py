"""The Slack app: create_app wires screening, authorisation and listeners. No I/O when built."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.client import Identity, bot_user_id, make_client
from bot.conversation import Citation, Mention, Vote
from bot.listeners import actions, approvals, commands, events
from bot.proposals import Decided, Decision, Proposal
from bot.screening import Screening, strip_internal

__all__ = [
    "Callbacks",
    "FootnoteApp",
    "Identity",
    "bot_user_id",
    "create_app",
    "make_client",
]

BODY_BYTES = 1_048_576

logger = logging.getLogger(__name__)


class Callbacks(Protocol):
    """What the app asks of the rest of the program."""

    async def mentioned(self, mention: Mention, *, response_url: str = "") -> None:
        """Accept a mention durably. If this raises, Slack is told and delivers it again."""
        ...

    async def footnote(self, key: str, number: int, user: str) -> Citation | None:
        """Return a footnote of the answer to mention ``key``, or None when it is no longer kept.

        Raises FootnoteWithheld when ``user`` may not read the document that it quotes.
        """
        ...

    async def voted(self, vote: Vote) -> None:
        """Keep a vote durably. If this raises, Slack is told, and shows it to whoever clicked."""
        ...

    async def decided(self, decision: Decision) -> Decided:
        """Take a decision about what the agent proposes, durably, or say why not.

        Where the card is to change, the answer holds the whole proposal of these calls and a ruling
        for each of them. If this raises, whoever clicked is asked to click again.
        """
        ...

    async def proposal(self, approval_ids: Sequence[str]) -> Proposal | None:
        """Return what the agent proposes under these ids as it stands now, or None."""
        ...

    async def undo(self, team: str, channel: str, run: str, call: str, user: str) -> str:
        """Have what a call of the agent did taken back; return what to say to ``user``."""
        ...

    async def stopped(self, team: str, channel: str, thread_ts: str, user: str) -> None:
        """Have the agent's run in a thread stop. If this raises, Slack tells it again."""
        ...


class FootnoteApp(AsyncApp):
    """A Bolt app with one way in for HTTP requests, whatever server they came through."""

    screening: Screening

    async def receive(self, headers: Mapping[str, str], body: bytes) -> BoltResponse:
        """Answer one HTTP request to Slack's address: 200, 400, 401, 413, or 500 to be asked again.

        The signature is checked over the raw bytes, before anything is parsed.
        """
        if len(body) > BODY_BYTES:
            return BoltResponse(status=413, body={"error": "too large"})
        if b"ssl_check=1" in body.split(b"&"):
            return BoltResponse(status=200, body="")
        headers = strip_internal(headers)
        if reason := self.screening.refusal(headers, body):
            logger.info("refused a request: %s", reason)
            return BoltResponse(status=401, body={"error": reason})
        try:
            request = AsyncBoltRequest(body=body.decode(), headers=dict(headers))
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError):
            return BoltResponse(status=400, body={"error": "malformed"})
        return await self.async_dispatch(request)


def create_app(
    callbacks: Callbacks,
    *,
    signing_secret: str,
    token: str,
    base_url: str = "https://slack.com/api/",
    client: AsyncWebClient | None = None,
    bot: Identity | None = None,
    agents: bool = False,
    clock: Callable[[], float] = time.time,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> FootnoteApp:
    """Return the app for one workspace.

    A request is authorised with ``token`` as it is: no auth.test is called for it. Every response
    is sent after the listener is through, so that nothing is acknowledged that was not accepted.
    ``agents`` tells whether something can be done here. ``clock`` is in seconds since the epoch.
    """
    client = client or make_client(token, base_url)
    screening = Screening(signing_secret, clock=clock)

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_token=token,
            bot_user_id=bot.bot_user if bot else None,
            bot_id=bot.bot_id if bot else None,
        )

    # Bolt warns when it gets a token beside `authorize`, so it is built without and given it after.
    tokenless = make_client("", client.base_url)
    tokenless.token = None  # Bolt warns of an empty one
    app = _built(
        name="footnote",
        client=tokenless,
        authorize=authorize,
        signing_secret=signing_secret,
        process_before_response=True,
        request_verification_enabled=False,  # Screening does it
        before_authorize=screening,
        ignoring_self_events_enabled=False,  # bot.mentions does it
        attaching_function_token_enabled=False,
        attaching_conversation_kwargs_enabled=False,
    )
    tokenless.token = token
    app.screening = screening
    app.error(_failed)
    approvals.register(app, callbacks, client, now)
    events.register(app, callbacks.mentioned, client, agents=agents)
    commands.register(app, callbacks.mentioned)
    actions.register(app, callbacks.footnote, callbacks.voted, client, now)
    return app


def _built(**arguments: Any) -> FootnoteApp:
    """Build the app with a logger of its own, for errors only.

    Bolt warns of SLACK_BOT_TOKEN in the environment, and of a request that nobody handles with all
    that the request holds, words of people among it.
    """
    bolt = logging.getLogger("bot.bolt")
    bolt.setLevel(logging.ERROR)
    return FootnoteApp(logger=bolt, **arguments)


async def _failed(error: Exception) -> BoltResponse:
    """Answer 500, so that Slack delivers again. The name of the error says enough for the log."""
    logger.error("a delivery from Slack was not accepted: %s", type(error).__name__)
    return BoltResponse(status=500, body={"error": "not accepted"})
