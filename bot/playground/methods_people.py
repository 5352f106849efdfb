"""The Web API methods that describe people and list their groups."""

from typing import Any

from bot.playground import limits
from bot.playground.errors import SlackRefusal
from bot.playground.method import Arguments, LocalSlack, Method
from bot.playground.methods_conversations import page_of
from bot.playground.people import User, UserGroup

Response = dict[str, Any]


def describe_user(slack: LocalSlack, user: User) -> dict[str, Any]:
    """Return a person as users.info shows them; an e-mail address only with its own scope."""
    profile: dict[str, Any] = {"real_name": user.real_name, "display_name": user.name}
    if user.email and not user.is_bot and "users:read.email" in slack.scopes:
        profile["email"] = user.email
    return {
        "id": user.id,
        "team_id": slack.workspace.team if not user.stranger else "TELSEWHERE",
        "name": user.name,
        "real_name": user.real_name,
        "deleted": user.deleted,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "is_restricted": user.guest,
        "is_ultra_restricted": False,
        "is_stranger": user.stranger,
        "is_admin": False,
        "is_owner": False,
        "is_email_confirmed": bool(user.email) and user.confirmed,
        "tz": "Etc/UTC",
        "tz_offset": user.tz_offset,
        "locale": "en-US",
        "profile": profile,
    }


def user_info(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer users.info."""
    slack.need("users:read")
    user = slack.workspace.users.get(arguments["user"])
    if user is None:
        raise SlackRefusal("user_not_found")
    return {"user": describe_user(slack, user)}


def list_users(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer users.list."""
    slack.need("users:read")
    page, cursor = page_of(list(slack.workspace.users.values()), arguments, 1000)
    return {
        "members": [describe_user(slack, u) for u in page],
        "response_metadata": {"next_cursor": cursor},
    }


def list_groups(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer usergroups.list: those in use, unless disabled ones are asked for too."""
    slack.need("usergroups:read")
    return {
        "usergroups": [
            _describe_group(slack, group, arguments)
            for group in slack.workspace.groups.values()
            if arguments.get("include_disabled") or not group.disabled
        ]
    }


def _describe_group(slack: LocalSlack, group: UserGroup, arguments: Arguments) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": group.id,
        "team_id": slack.workspace.team,
        "is_usergroup": True,
        "name": group.handle,
        "description": "",
        "handle": group.handle,
        "is_external": False,
        "date_create": 1_700_000_000,
        "date_update": 1_700_000_000,
        "date_delete": 1_700_000_000 if group.disabled else 0,
        "auto_type": None,
        "created_by": "USLACKBOT",
        "updated_by": "USLACKBOT",
        "deleted_by": "USLACKBOT" if group.disabled else None,
        "prefs": {"channels": [], "groups": []},
    }
    if arguments.get("include_users"):
        described["users"] = list(group.users)
    if arguments.get("include_count"):
        described["user_count"] = len(group.users)
    return described


METHODS = (
    Method("users.info", user_info, limits.TIER_4, required=("user",), flags=("include_locale",)),
    Method(
        "users.list",
        list_users,
        limits.TIER_2,
        text=("cursor", "team_id"),
        flags=("include_locale",),
        numbers=("limit",),
    ),
    Method(
        "usergroups.list",
        list_groups,
        limits.TIER_2,
        text=("team_id",),
        flags=("include_count", "include_disabled", "include_users"),
    ),
)
