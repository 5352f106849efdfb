"""What a person does: says something, runs a command, clicks, submits, closes."""

import re
from typing import Any

from bot.playground import payloads
from bot.playground.delivery import Courier
from bot.playground.errors import PlaygroundMisuse, SlackRefusal
from bot.playground.method import LocalSlack
from bot.playground.methods_chat import bot_fields, message_fields
from bot.playground.sessions import stopped
from bot.playground.submissions import check_errors, entered
from bot.playground.surfaces import View
from bot.playground.validation import check_view
from bot.playground.workspace import Change, Conversation, Message

_REFERENCE = re.compile(r"(<[@#][A-Z0-9]+(?:\|[^<>]*)?>|<https?://[^<>\s]+>)")


class Gestures:
    """The hands of everybody in the workspace."""

    def __init__(self, slack: LocalSlack, courier: Courier) -> None:
        self._slack = slack
        self._workspace = slack.workspace
        self._courier = courier

    def place(self, user: str, channel: str) -> tuple[str, Conversation]:
        """Return ids of a person and a conversation they are in; ``dm`` is the bot's own."""
        person = self._workspace.user(user).id
        if channel in ("dm", self._workspace.bot.id, f"@{self._workspace.bot.name}"):
            return person, self._workspace.direct(person)
        conversation = self._workspace.conversation(channel)
        if person not in conversation.members:
            raise PlaygroundMisuse(f"{user} is not in {channel}")
        return person, conversation

    def written(self, text: str) -> str:
        """Return typed text as Slack sends it: names become mentions, the rest is escaped."""
        pieces = _REFERENCE.split(text)
        return "".join(
            piece if number % 2 else self._plain(piece) for number, piece in enumerate(pieces)
        )

    def _plain(self, text: str) -> str:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        for user in self._workspace.users.values():
            name = rf"(?<![\w@])@(?:{re.escape(user.name)}|{re.escape(user.real_name)})\b"
            text = re.sub(name, f"<@{user.id}>", text, flags=re.IGNORECASE)
        return text

    def say(self, user: str, channel: str, text: str, thread_ts: str = "") -> str:
        """Write a message and return its ts."""
        person, conversation = self.place(user, channel)
        if not text.strip():
            raise PlaygroundMisuse("there is nothing to say")
        if thread_ts:
            found = self._workspace.find(conversation.id, thread_ts)
            if found is None:
                raise PlaygroundMisuse("there is no such thread")
            thread_ts = found.get("thread_ts", thread_ts)
        fields: Message = {"user": person, "text": self.written(text)}
        message = self._workspace.post(conversation.id, fields, thread_ts=thread_ts)
        bot = self._workspace.bot
        if f"<@{bot.id}>" in fields["text"] and bot.id not in conversation.members:
            self._workspace.whisper(
                conversation.id,
                person,
                {
                    "user": "USLACKBOT",
                    "text": f"<@{bot.id}> is not in this channel, so it did not see that.",
                },
            )
        return str(message["ts"])

    async def command(self, user: str, channel: str, name: str, text: str) -> dict[str, Any]:
        """Run a slash command and show its immediate answer; raise NotAcknowledged."""
        person, conversation = self.place(user, channel)
        payload = payloads.command(self._slack, person, conversation, name, text)
        answer = await self._courier.ask("slash_commands", payload)
        if answer:
            self.respond(person, conversation.id, answer)
        return answer

    async def click(
        self,
        user: str,
        channel: str,
        message_ts: str,
        action_id: str,
        value: str | None = None,
        *,
        block_id: str = "",
    ) -> dict[str, Any]:
        """Press a button of a message this person sees; raise PlaygroundMisuse if it is not there.

        ``value`` picks among elements with one action id. Raise NotAcknowledged.
        """
        person, conversation = self.place(user, channel)
        message = self._workspace.find(conversation.id, message_ts) or self._workspace.whispered(
            conversation.id, person, message_ts
        )
        if message is None:
            raise PlaygroundMisuse("there is no such message")
        now = self._workspace.next_ts()
        blocks = message.get("blocks", [])
        action = payloads.action_in(blocks, action_id, value, block_id, now)
        if action is None:
            raise PlaygroundMisuse(f"the message has no element {action_id!r} with that value")
        payload = payloads.click_in_message(self._slack, person, conversation, message, action)
        return await self._courier.ask("interactive", payload)

    async def click_view(
        self, user: str, action_id: str, value: str | None = None, *, block_id: str = ""
    ) -> dict[str, Any]:
        """Press a button of the topmost modal, or of the Home tab when none is open."""
        person = self._workspace.user(user).id
        stack = self._slack.surfaces.stack(person)
        view = stack[-1] if stack else self._slack.surfaces.home(person)
        if view is None:
            raise PlaygroundMisuse("there is no open view")
        now = self._workspace.next_ts()
        action = payloads.action_in(view["blocks"], action_id, value, block_id, now)
        if action is None:
            raise PlaygroundMisuse(f"the view has no element {action_id!r} with that value")
        payload = payloads.click_in_view(self._slack, person, view, action)
        return await self._courier.ask("interactive", payload)

    async def submit(self, user: str, values: dict[str, Any]) -> dict[str, Any]:
        """Submit the topmost modal; ``values`` is ``{block_id: {action_id: state}}``.

        What is left out keeps its initial value. Follow the ``response_action`` of the answer and
        return it.
        """
        person = self._workspace.user(user).id
        view = self._top(person)
        values = entered(view, values)
        payload = payloads.view_submission(self._slack, person, view, values)
        answer = await self._courier.ask("interactive", payload)
        surfaces = self._slack.surfaces
        match answer.get("response_action"):
            case None:
                surfaces.close(person)
            case "errors":
                check_errors(view, answer.get("errors"))
            case "clear":
                surfaces.close(person, everything=True)
            case "update":
                surfaces.replace(person, view["id"], check_view(answer.get("view"), "modal"))
            case "push":
                surfaces.push(person, check_view(answer.get("view"), "modal"))
        return answer

    async def close_view(self, user: str) -> None:
        """Close the topmost modal; the app is told if the view asked for it."""
        person = self._workspace.user(user).id
        view = self._top(person)
        everything = bool(view.get("clear_on_close"))
        self._slack.surfaces.close(person, everything=everything)
        if view.get("notify_on_close"):
            payload = payloads.view_closed(self._slack, person, view, everything)
            await self._courier.ask("interactive", payload)

    def stop_session(self, user: str, channel: str, thread_ts: str) -> None:
        """Press Stop, which is there while a session is processing."""
        person, conversation = self.place(user, channel)
        event = stopped(self._slack, person, conversation, thread_ts)
        self._courier.send(payloads.envelope(self._slack, event))

    def open_home(self, user: str, tab: str = "home") -> None:
        """Open the app's Home (or Messages) tab."""
        event = payloads.app_home_opened(self._slack, self._workspace.user(user).id, tab)
        self._courier.send(payloads.envelope(self._slack, event))

    def respond(
        self, user: str, channel: str, answer: dict[str, Any], thread_ts: str = ""
    ) -> Message:
        """Show what the app answered to a command or sent to a ``response_url``."""
        fields = {**bot_fields(self._slack, {}), **message_fields(answer)}
        if answer.get("response_type") == "in_channel":
            return self._workspace.post(channel, fields, thread_ts=thread_ts)
        return self._workspace.whisper(channel, user, fields, thread_ts=thread_ts)

    def respond_to_address(self, name: str, answer: dict[str, Any]) -> None:
        """Follow a post to a ``response_url``; raise SlackRefusal."""
        if not isinstance(answer.get("text", ""), str):
            raise SlackRefusal("invalid_arguments", status=400)
        address = self._slack.surfaces.spend_address(name)
        user, channel, ts = address.user, address.channel, address.message_ts
        if answer.get("delete_original"):
            if address.is_ephemeral:
                self._workspace.replace_whisper(channel, user, ts, None)
            elif self._workspace.find(channel, ts):
                self._workspace.delete(channel, ts)
        elif answer.get("replace_original") and ts:
            fields = {"blocks": [], **message_fields(answer)}
            if address.is_ephemeral:
                self._workspace.replace_whisper(channel, user, ts, fields)
            elif self._workspace.find(channel, ts):
                self._workspace.change(channel, ts, fields, by=self._workspace.bot.id)
        else:
            thread = str(answer.get("thread_ts") or "")
            self.respond(user, channel, answer, thread)

    def notice(self, user: str, text: str) -> None:
        """Tell one person what went wrong, in passing."""
        self._workspace.tell(Change("notice", user=user, detail={"text": text}))

    def _top(self, person: str) -> View:
        stack = self._slack.surfaces.stack(person)
        if not stack:
            raise PlaygroundMisuse("there is no open view")
        return stack[-1]
