"""The Web API methods for views, agent sessions, statuses, and the app itself."""

from typing import Any

from bot.playground import limits
from bot.playground.errors import SlackRefusal
from bot.playground.method import Arguments, LocalSlack, Method
from bot.playground.methods_chat import thread_root
from bot.playground.methods_streams import SESSION_STATES
from bot.playground.validation import check_view

Response = dict[str, Any]


def _modal(slack: LocalSlack, arguments: Arguments) -> dict[str, Any]:
    view = check_view(arguments["view"], "modal")
    if view.get("external_id") and slack.surfaces.has_external(view["external_id"]):
        raise SlackRefusal("duplicate_external_id")
    return view


def open_view(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer views.open: within 3 seconds of a click or command, once."""
    view = _modal(slack, arguments)
    user = slack.surfaces.spend_trigger(arguments["trigger_id"])
    if slack.surfaces.stack(user):
        slack.surfaces.close(user, everything=True)
    return {"view": slack.surfaces.push(user, view)}


def push_view(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer views.push."""
    view = _modal(slack, arguments)
    return {
        "view": slack.surfaces.push(slack.surfaces.spend_trigger(arguments["trigger_id"]), view)
    }


def update_view(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer views.update by ``view_id`` or ``external_id``; a stale ``hash`` is refused."""
    if not arguments.get("view_id") and not arguments.get("external_id"):
        raise SlackRefusal("invalid_arguments", "[ERROR] missing required field: view_id")
    view = check_view(arguments["view"], "modal")
    user, old = slack.surfaces.owner(
        view_id=arguments.get("view_id", ""), external_id=arguments.get("external_id", "")
    )
    if arguments.get("hash") and arguments["hash"] != old["hash"]:
        raise SlackRefusal("hash_conflict")
    return {"view": slack.surfaces.replace(user, old["id"], view)}


def publish_view(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer views.publish."""
    view = check_view(arguments["view"], "home")
    user = arguments["user_id"]
    if user not in slack.workspace.users:
        raise SlackRefusal("user_not_found")
    home = slack.surfaces.home(user)
    if arguments.get("hash") and home and arguments["hash"] != home["hash"]:
        raise SlackRefusal("hash_conflict")
    return {"view": slack.surfaces.publish(user, view)}


def _thread(slack: LocalSlack, arguments: Arguments) -> tuple[str, str]:
    channel = arguments["channel_id"]
    slack.workspace.joined(channel)
    return channel, thread_root(slack, channel, arguments.get("thread_ts", ""))


def set_session_status(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer agents.sessions.setStatus."""
    channel, root = _thread(slack, arguments)
    if arguments["status"] not in SESSION_STATES:
        raise SlackRefusal(
            "invalid_arguments", f"[ERROR] must be one of: {', '.join(SESSION_STATES)}"
        )
    changes: dict[str, Any] = {"session": arguments["status"]}
    if arguments.get("title"):
        changes["title"] = arguments["title"][: limits.SESSION_TITLE]
    status = slack.workspace.set_status(channel, root, **changes)
    session = {"channel_id": channel, "thread_ts": root, "status": status.session}
    return {"session": {**session, "title": status.title}}


def rename_session(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer agents.sessions.rename."""
    channel, root = _thread(slack, arguments)
    if len(arguments["title"]) > limits.SESSION_TITLE:
        raise SlackRefusal("invalid_arguments", "[ERROR] title is too long")
    slack.workspace.set_status(channel, root, title=arguments["title"])
    return {}


def set_thread_status(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer assistant.threads.setStatus; an empty status takes the line away."""
    channel, root = _thread(slack, arguments)
    loading = arguments.get("loading_messages") or []
    if len(loading) > limits.LOADING_MESSAGES or not all(isinstance(m, str) for m in loading):
        raise SlackRefusal("invalid_arguments", "[ERROR] at most 10 loading messages")
    text = arguments.get("status", "")
    slack.workspace.set_status(channel, root, text=text, loading_messages=loading if text else [])
    return {}


def set_thread_title(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer assistant.threads.setTitle."""
    return rename_session(slack, arguments)


def auth_test(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer auth.test."""
    workspace = slack.workspace
    return {
        "url": slack.url,
        "team": "Playground",
        "user": workspace.bot.name,
        "team_id": workspace.team,
        "user_id": workspace.bot.id,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


def api_test(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer api.test: the arguments come back."""
    if arguments.get("error"):
        raise SlackRefusal(arguments["error"], args=arguments)
    return {"args": arguments}


def open_socket(slack: LocalSlack, arguments: Arguments) -> Response:
    """Answer apps.connections.open."""
    return {"url": slack.new_socket()}


_LOOKS = ("icon_emoji", "icon_url", "username")
METHODS = (
    Method(
        "views.open",
        open_view,
        limits.TIER_4,
        required=("trigger_id", "view"),
        text=("interactivity_pointer",),
        json=("view",),
    ),
    Method(
        "views.push",
        push_view,
        limits.TIER_4,
        required=("trigger_id", "view"),
        text=("interactivity_pointer",),
        json=("view",),
    ),
    Method(
        "views.update",
        update_view,
        limits.TIER_4,
        required=("view",),
        text=("view_id", "external_id", "hash"),
        json=("view",),
    ),
    Method(
        "views.publish",
        publish_view,
        limits.TIER_4,
        required=("user_id", "view"),
        text=("hash",),
        json=("view",),
    ),
    Method(
        "agents.sessions.setStatus",
        set_session_status,
        limits.TIER_4,
        required=("channel_id", "status"),
        text=("thread_ts", "title", "initiator_user_id", *_LOOKS),
    ),
    Method(
        "agents.sessions.rename",
        rename_session,
        limits.TIER_3,
        required=("channel_id", "title"),
        text=("thread_ts",),
    ),
    Method(
        "assistant.threads.setStatus",
        set_thread_status,
        limits.SPECIAL,
        required=("channel_id", "thread_ts"),
        text=("status", *_LOOKS),
        json=("loading_messages",),
    ),
    Method(
        "assistant.threads.setTitle",
        set_thread_title,
        limits.TIER_3,
        required=("channel_id", "thread_ts", "title"),
    ),
    Method("auth.test", auth_test, limits.SPECIAL),
    Method("api.test", api_test, limits.TIER_4, text=("error", "foo")),
    Method("apps.connections.open", open_socket, limits.TIER_1, app_token=True),
)
