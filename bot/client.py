"""The Web API client that everything here talks through, and who the bot is."""

import asyncio
import logging
from dataclasses import dataclass

from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.web.async_client import AsyncWebClient

from bot.errors import TROUBLE, ConversationUnreadable, reading_error
from bot.markup import web_url

TIMEOUT_SECONDS = 15

_STREAMS = ("chat.startStream", "chat.appendStream")
_HARMLESS = ("auth.test", "conversations.replies", "conversations.history", "chat.update")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the bot is in its workspace. ``site`` is the workspace's address in a browser, or ""."""

    team: str
    bot_user: str
    bot_id: str = ""
    site: str = ""


class SlackClient(AsyncWebClient):
    """A client that asks only once who it is. No I/O when built."""

    _whoami: Identity | None = None
    _asking: asyncio.Lock | None = None

    async def whoami(self) -> Identity:
        """Return the identity behind the token; a failure is not remembered.

        Raises ConversationUnreadable, SlackUnreachable.
        """
        if self._asking is None:
            self._asking = asyncio.Lock()
        async with self._asking:
            if self._whoami is None:
                self._whoami = await _identity(self)
            return self._whoami


def make_client(token: str, base_url: str = "https://slack.com/api/") -> SlackClient:
    """Return a client for any Slack-compatible server.

    429 is waited out, except for streams, where the text can wait while the answer goes on. A lost
    connection is retried only where a second call changes nothing: a second chat.postMessage would
    post twice.
    """
    return SlackClient(
        token=token,
        base_url=base_url,
        timeout=TIMEOUT_SECONDS,
        logger=quiet_logger(),
        retry_handlers=[_RetryAfter(max_retry_count=1), _RetryHarmless(max_retry_count=2)],
    )


async def bot_user_id(client: AsyncWebClient) -> str:
    """Return the user id of the bot. A client of ``make_client`` asks Slack only once.

    Raises ConversationUnreadable, SlackUnreachable.
    """
    if isinstance(client, SlackClient):
        return (await client.whoami()).bot_user
    return (await _identity(client)).bot_user


def quiet_logger() -> logging.Logger:
    """Return a logger for Slack's libraries that never logs below INFO, and no stack traces.

    At DEBUG they write requests with the words of people and the answers of Slack. A connection
    that is lost they log with its whole stack, every ten seconds until it is there again.
    """
    logger = logging.getLogger("bot.slack")
    if logger.level < logging.INFO:
        logger.setLevel(logging.INFO)
    if _without_stack not in logger.filters:
        logger.addFilter(_without_stack)
    return logger


def _without_stack(record: logging.LogRecord) -> bool:
    record.exc_info = None
    return True


async def _identity(client: AsyncWebClient) -> Identity:
    try:
        response = await client.auth_test()
    except TROUBLE as error:
        raise reading_error(error) from error
    user = response.get("user_id")
    if not isinstance(user, str) or not user:
        raise ConversationUnreadable("Slack did not say who the bot is. Check the bot token.")
    site = web_url(str(response.get("url") or ""))
    return Identity(
        team=str(response.get("team_id") or ""),
        bot_user=user,
        bot_id=str(response.get("bot_id") or ""),
        site=f"{site.rstrip('/')}/" if site else "",
    )


class _RetryAfter(AsyncRateLimitErrorRetryHandler):
    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if response is None or response.status_code != 429 or request.url.endswith(_STREAMS):
            return False
        return _seconds(response) is not None


class _RetryHarmless(AsyncConnectionErrorRetryHandler):
    async def _can_retry_async(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        return request.url.endswith(_HARMLESS) and await super()._can_retry_async(
            state=state, request=request, response=response, error=error
        )


def _seconds(response: HttpResponse) -> int | None:
    """Return a bearable Retry-After; None when it is missing, nonsense or too long to sleep."""
    for name, value in response.headers.items():
        if name.lower() == "retry-after":
            first = value[0] if isinstance(value, list) else value
            if str(first).isdecimal() and int(first) <= 60:
                return int(first)
    return None
