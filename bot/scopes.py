"""The permissions that the app asks for, as infra/manifest.yml lists them, and what each is for."""

from collections.abc import Collection
from typing import Final

BOT_SCOPES: Final = frozenset(
    {
        # Hear who asks.
        "app_mentions:read",
        "commands",
        # Read the thread of a question again, and channels that are a source of documents.
        "channels:history",
        "groups:history",
        "im:history",
        "mpim:history",
        # Find questions that Slack could not deliver, and see what a channel is.
        "channels:read",
        "groups:read",
        "im:read",
        "mpim:read",
        # Tell members of the workspace from guests, and say who wrote what.
        "users:read",
        # Open documents to the members of a user group.
        "usergroups:read",
        # Answer, and say meanwhile that it is searching.
        "chat:write",
        "assistant:write",
    }
)
"""A test holds these equal to the manifest."""

OPTIONAL_SCOPES: Final = frozenset(
    {
        # Open documents to an e-mail address or its domain; without it nobody holds one.
        "users:read.email",
        # Search public channels live, for the agent; without it that tool finds nothing.
        "search:read.public",
    }
)

HEADER: Final = "x-oauth-scopes"
"""The header of every answer of Slack's Web API that names what the token may do."""


def scopes_in(header: str) -> frozenset[str]:
    """Return the scopes that the value of ``HEADER`` names."""
    return frozenset(filter(None, (scope.strip() for scope in header.split(","))))


def scopes_header(scopes: Collection[str]) -> str:
    """Return scopes as Slack writes them into ``HEADER``."""
    return ",".join(sorted(scopes))
