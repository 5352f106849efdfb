"""What Slack tells an app: events, slash commands, clicks, submitted views, as data."""

import copy
import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from bot.playground.method import LocalSlack
from bot.playground.methods_conversations import describe_conversation
from bot.playground.methods_search import grant
from bot.playground.validation import acting_elements
from bot.playground.workspace import Change, Conversation, Message

Payload = dict[str, Any]
TOKEN = "playground"  # noqa: S105 - the legacy verification token; nothing trusts it


def events_of(slack: LocalSlack, change: Change) -> Iterator[Payload]:
    """Yield the events that a change of the workspace causes for the app.

    A mention in a channel comes twice, as ``message`` and as ``app_mention``. The app's own
    messages come back to it as well. Nothing comes from where the app is not a member.
    """
    workspace = slack.workspace
    conversation = workspace.conversations.get(change.channel)
    if conversation is None or workspace.bot.id not in conversation.members:
        return
    place = {"channel": conversation.id, "channel_type": channel_type(conversation)}
    if change.kind == "posted":
        event = {**change.message, **place, "event_ts": change.message["ts"]}
        author = "" if "bot_id" in change.message else change.message.get("user", "")
        if author and (token := grant(slack, author)):
            event["assistant_thread"] = {"action_token": token}
        yield event
        mentioned = f"<@{workspace.bot.id}" in change.message.get("text", "")
        if mentioned and not conversation.is_direct and "bot_id" not in change.message:
            shown = {k: v for k, v in event.items() if k != "channel_type"}
            yield {**shown, "type": "app_mention"}
    elif change.kind == "changed" and change.message.get("streaming_state") != "in_progress":
        if change.message.get("reactions") != change.previous.get("reactions"):
            return
        yield {
            "type": "message",
            "subtype": "message_changed",
            **place,
            "hidden": True,
            "message": change.message,
            "previous_message": change.previous,
            "ts": workspace.next_ts(),
            "event_ts": change.message["ts"],
        }
    elif change.kind == "deleted":
        yield {
            "type": "message",
            "subtype": "message_deleted",
            **place,
            "hidden": True,
            "deleted_ts": change.detail["ts"],
            "previous_message": change.previous,
            "ts": workspace.next_ts(),
            "event_ts": change.detail["ts"],
        }


def channel_type(conversation: Conversation) -> str:
    """Return the ``channel_type`` of an event."""
    return {"channel": "channel", "private": "group", "im": "im"}[conversation.kind]


def envelope(slack: LocalSlack, event: Mapping[str, Any]) -> Payload:
    """Wrap an event for delivery, with a fresh ``event_id``."""
    workspace = slack.workspace
    conversation = workspace.conversations.get(str(event.get("channel", "")))
    return {
        "token": TOKEN,
        "team_id": workspace.team,
        "api_app_id": workspace.app_id,
        "event": copy.deepcopy(dict(event)),
        "type": "event_callback",
        "event_id": f"Ev{secrets.token_hex(8).upper()}",
        "event_time": int(workspace.clock()),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": workspace.team,
                "user_id": workspace.bot.id,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": bool(conversation and conversation.shared),
        "event_context": secrets.token_hex(8),
    }


def app_home_opened(slack: LocalSlack, user: str, tab: str) -> Payload:
    """Return the event of a person who opens the app's Home or Messages tab."""
    view = slack.surfaces.home(user) if tab == "home" else None
    return {
        "type": "app_home_opened",
        "user": user,
        "channel": slack.workspace.direct(user).id,
        "tab": tab,
        "event_ts": slack.workspace.next_ts(),
        **({"view": view} if view else {}),
    }


def command(
    slack: LocalSlack, user: str, conversation: Conversation, name: str, text: str
) -> Payload:
    """Return the form of a slash command."""
    workspace = slack.workspace
    return {
        "token": TOKEN,
        "team_id": workspace.team,
        "team_domain": workspace.domain,
        "channel_id": conversation.id,
        "channel_name": "directmessage" if conversation.is_direct else conversation.name,
        "user_id": user,
        "user_name": workspace.users[user].name,
        "command": name,
        "text": text,
        "api_app_id": workspace.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url(slack, slack.surfaces.new_address(user, conversation.id)),
        "trigger_id": slack.surfaces.new_trigger(user),
    }


def response_url(slack: LocalSlack, name: str) -> str:
    """Return the whole address of a ``response_url``."""
    return f"{slack.url}response/{name}"


def _interaction(slack: LocalSlack, kind: str, user: str) -> Payload:
    workspace = slack.workspace
    person = workspace.users[user]
    return {
        "type": kind,
        "user": {
            "id": user,
            "username": person.name,
            "name": person.name,
            "team_id": workspace.team,
        },
        "api_app_id": workspace.app_id,
        "token": TOKEN,
        "trigger_id": slack.surfaces.new_trigger(user),
        "team": {"id": workspace.team, "domain": workspace.domain},
        "enterprise": None,
        "is_enterprise_install": False,
    }


def click_in_message(
    slack: LocalSlack, user: str, conversation: Conversation, message: Message, action: Payload
) -> Payload:
    """Return the ``block_actions`` of a click on a message, private ones included."""
    private = bool(message.get("is_ephemeral"))
    thread = message.get("thread_ts", "")
    container = {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": conversation.id,
        "is_ephemeral": private,
        **({"thread_ts": thread} if thread else {}),
    }
    address = slack.surfaces.new_address(
        user,
        conversation.id,
        message_ts=message["ts"],
        is_ephemeral=private,
        thread_ts=thread,
    )
    described = describe_conversation(slack, conversation)
    name = described.get("name", "directmessage")
    return {
        **_interaction(slack, "block_actions", user),
        "container": container,
        "channel": {"id": conversation.id, "name": name},
        **({} if private else {"message": copy.deepcopy(message)}),
        "state": {"values": {}},
        "response_url": response_url(slack, address),
        "actions": [action],
    }


def click_in_view(slack: LocalSlack, user: str, view: Payload, action: Payload) -> Payload:
    """Return the ``block_actions`` of a click inside a modal or Home tab."""
    return {
        **_interaction(slack, "block_actions", user),
        "container": {"type": "view", "view_id": view["id"]},
        "view": view,
        "actions": [action],
    }


def view_submission(slack: LocalSlack, user: str, view: Payload, values: Payload) -> Payload:
    """Return the submission of a modal; ``values`` is ``{block_id: {action_id: state}}``."""
    return {
        **_interaction(slack, "view_submission", user),
        "view": {**view, "state": {"values": values}},
        "response_urls": [],
    }


def view_closed(slack: LocalSlack, user: str, view: Payload, cleared: bool) -> Payload:
    """Return the closing of a modal that asked to be told."""
    whole = _interaction(slack, "view_closed", user)
    del whole["trigger_id"]
    return {**whole, "view": view, "is_cleared": cleared}


def action_in(
    blocks: list[Payload], action_id: str, value: str | None, block_id: str, ts: str
) -> Payload | None:
    """Return the action of clicking an element in these blocks, or None if it is not there.

    For feedback buttons ``value`` picks the button.
    """
    for block in blocks:
        if block_id and block.get("block_id") != block_id:
            continue
        for element in acting_elements(block):
            if element.get("action_id") != action_id:
                continue
            pressed = _pressed(element, value)
            if pressed is not None:
                return {
                    "action_id": action_id,
                    "block_id": block["block_id"],
                    "type": element["type"],
                    "action_ts": ts,
                    **pressed,
                }
    return None


def _pressed(element: Payload, value: str | None) -> Payload | None:
    """Return what the element says when pressed with this value; None: it has no such value."""
    if element["type"] == "feedback_buttons":
        for name in ("positive_button", "negative_button"):
            if element[name]["value"] == value:
                return {"text": element[name]["text"], "value": value}
        return None
    if "options" in element:
        chosen = [o for o in element["options"] if o.get("value") == value]
        return {"selected_option": chosen[0]} if chosen else None
    if value is not None and element.get("value", "") != value:
        return None
    return {key: element[key] for key in ("text", "value", "style") if key in element}
