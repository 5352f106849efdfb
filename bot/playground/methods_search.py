"""Real-time search, as a bot's token may use it: public channels, and only for who just spoke."""

import re
import secrets
from typing import Any

from bot.playground import limits
from bot.playground.errors import SlackRefusal
from bot.playground.method import Arguments, LocalSlack, Method
from bot.playground.workspace import Message

Response = dict[str, Any]
SCOPE = "search:read.public"
MOST_RESULTS = 20
SEARCHES = limits.tier(10)
_WORD = re.compile(r"\w{3,}")


def grant(slack: LocalSlack, user: str) -> str:
    """Return the action token of an event of ``user``, or "" where the app may not search."""
    if SCOPE not in slack.scopes:
        return ""
    token = secrets.token_hex(16)
    slack.workspace.action_tokens[token] = user
    return token


def search(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer assistant.search.context, for messages: by key words, the newest of the best first."""
    slack.need(SCOPE)
    if arguments.get("action_token") not in slack.workspace.action_tokens:
        raise SlackRefusal("invalid_action_token")
    kinds = arguments.get("channel_types", ["public_channel"])
    if kinds != ["public_channel"]:
        raise SlackRefusal("missing_scope", needed="search:read.private", provided=SCOPE)
    if arguments.get("content_types", ["messages"]) != ["messages"]:
        raise SlackRefusal("invalid_arguments", "[ERROR] the playground searches messages alone")
    limit = arguments.get("limit", MOST_RESULTS)
    if not 1 <= limit <= MOST_RESULTS:
        raise SlackRefusal("invalid_limit")
    words = {word.lower() for word in _WORD.findall(arguments["query"])}
    found = []
    for conversation in slack.workspace.conversations.values():
        if conversation.kind != "channel" or conversation.archived:
            continue
        for message in slack.workspace.all(conversation.id):
            hits = words & {word.lower() for word in _WORD.findall(message.get("text", ""))}
            if hits and (arguments.get("include_bots") or not message.get("bot_id")):
                found.append((len(hits), message["ts"], conversation.id, message))
    best = sorted(found, key=lambda one: one[:2], reverse=True)[:limit]
    messages = [_result(slack, channel, message) for _, _, channel, message in best]
    return {"results": {"messages": messages}, "response_metadata": {"next_cursor": ""}}


def _result(slack: LocalSlack, channel: str, message: Message) -> dict[str, Any]:
    author = slack.workspace.users.get(message.get("user", ""))
    return {
        "author_name": author.real_name if author else "",
        "author_user_id": message.get("user", ""),
        "team_id": slack.workspace.team,
        "channel_id": channel,
        "channel_name": slack.workspace.conversations[channel].name,
        "message_ts": message["ts"],
        "content": message.get("text", ""),
        "is_author_bot": bool(message.get("bot_id")),
        "permalink": f"{slack.url}archives/{channel}/p{message['ts'].replace('.', '')}",
    }


METHODS = (
    Method(
        "assistant.search.context",
        search,
        SEARCHES,
        required=("query",),
        text=("action_token", "cursor", "sort", "sort_dir", "modifiers", "context_channel_id"),
        flags=(
            "disable_semantic_search",
            "highlight",
            "include_archived_channels",
            "include_bots",
            "include_context_messages",
            "include_deleted_users",
            "include_message_blocks",
        ),
        numbers=("after", "before", "limit"),
        json=("channel_types", "content_types", "term_clauses"),
    ),
)
