"""What can go wrong between the bot and Slack, and whether trying again can help.

    SlackConversationError
    ├── MessageGone              the message was deleted before it was answered
    ├── ConversationUnreadable   the bot may not read there: scope, membership, archive
    ├── ReplyRefused             the bot may not write there
    ├── TokenRefused             Slack does not know the token (any more)     retryable
    └── SlackUnreachable         no connection, time-out, 429, 5xx            retryable
    FootnoteWithheld             somebody opens what they may not read

``str(error)`` is a sentence for the person who can act on it; it never holds message text.
"""

from typing import Any, ClassVar

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

TROUBLE = (SlackClientError, aiohttp.ClientError, TimeoutError, OSError)
"""All that a call of the Slack client raises when Slack, or the way to it, is the reason."""

_GONE = frozenset({"thread_not_found", "message_not_found", "cant_update_message"})
_PASSING = frozenset(
    {
        "",
        "streaming_state_conflict",
        "ratelimited",
        "rate_limited",
        "internal_error",
        "fatal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
        "accesslimited",
    }
)

TOKEN_CODES = frozenset(
    {"invalid_auth", "not_authed", "account_inactive", "token_expired", "token_revoked"}
)
"""Slack's codes for a token that it does not know, or not any more."""


class FootnoteWithheld(Exception):
    """Whoever opens a footnote may not read the document that it quotes."""


class SlackConversationError(Exception):
    """Root of the tree. ``retryable`` says whether the same call may succeed later by itself."""

    retryable: ClassVar[bool] = False


class MessageGone(SlackConversationError):
    """Nobody waits for an answer: the message is no longer there."""


class ConversationUnreadable(SlackConversationError):
    """Slack does not let the bot read this conversation."""


class ReplyRefused(SlackConversationError):
    """Slack does not let the bot write in this conversation."""


class TokenRefused(SlackConversationError):
    """The operator must give the bot another token; until then nobody can be told anything."""

    retryable = True


class SlackUnreachable(SlackConversationError):
    """Slack did not answer, or asked to wait."""

    retryable = True


def code_of(error: BaseException) -> str:
    """Return Slack's error code, or "" when Slack gave none (so nobody knows what it did)."""
    if not isinstance(error, SlackApiError):
        return ""
    data: Any = getattr(error.response, "data", error.response)
    code = data.get("error") if isinstance(data, dict) else None
    return code if isinstance(code, str) else ""


def wait_of(error: BaseException, default: float = 1.0) -> float:
    """Return the seconds that a 429 asks to wait, or ``default`` when it does not say."""
    headers: Any = getattr(getattr(error, "response", None), "headers", None) or {}
    for name, value in headers.items():
        if str(name).lower() == "retry-after":
            first = value[0] if isinstance(value, list) else value
            try:
                return max(0.0, float(first))
            except (TypeError, ValueError):
                return default
    return default


def reading_error(error: BaseException) -> SlackConversationError:
    """Translate what a read raised."""
    return _translate(error, ConversationUnreadable, "read this conversation")


def writing_error(error: BaseException) -> SlackConversationError:
    """Translate what a post, an update or a stream raised."""
    return _translate(error, ReplyRefused, "answer in this conversation")


def _translate(
    error: BaseException, refused: type[SlackConversationError], what: str
) -> SlackConversationError:
    code = code_of(error)
    if code in _GONE:
        return MessageGone("The message was deleted before it could be answered.")
    if code in TOKEN_CODES:
        return TokenRefused(f"Slack refuses the bot token ({code}). Give the bot a valid one.")
    if code in _PASSING:
        return SlackUnreachable(
            f"Slack did not let the bot {what} just now ({code or 'no reply'})."
        )
    return refused(f"Slack does not let the bot {what}: {code}. Check its scopes and membership.")
