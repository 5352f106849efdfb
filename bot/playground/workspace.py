"""The state of the local workspace: people, conversations, messages, statuses. In memory.

Whoever needs to know what happens (the page, the events for the app, a waiting test) subscribes;
each change is told once, as a ``Change``, right after it was made.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from bot.playground.errors import PlaygroundMisuse, SlackRefusal
from bot.playground.people import User, UserGroup

Message = dict[str, Any]
ChangeKind = Literal["posted", "changed", "deleted", "ephemeral", "status", "surface", "notice"]


@dataclass(slots=True)
class Conversation:
    """A public or private channel, or the direct messages of a person and the bot."""

    id: str
    name: str
    kind: Literal["channel", "private", "im"] = "channel"
    members: list[str] = field(default_factory=list)
    topic: str = ""
    shared: bool = False
    archived: bool = False

    @property
    def is_direct(self) -> bool:
        """Tell whether it is a direct message."""
        return self.kind == "im"


@dataclass(frozen=True, slots=True)
class Change:
    """Something happened. ``user`` is set when only that person may see it."""

    kind: ChangeKind
    channel: str = ""
    user: str = ""
    message: Message = field(default_factory=dict)
    previous: Message = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class ThreadStatus:
    """What a thread shows under its messages: ``text`` ("is searching...") and session state."""

    text: str = ""
    session: str = ""
    title: str = ""
    loading_messages: list[str] = field(default_factory=list)


class Workspace:
    """One Slack team. ``clock`` gives seconds since the epoch."""

    def __init__(self, *, clock: Callable[[], float], team: str, bot_user: str, bot_name: str):
        self.clock = clock
        self.team = team
        self.domain = "playground"
        self.bot = User(bot_user, bot_name.lower(), bot_name, is_bot=True)
        self.bot_id = "B" + bot_user[1:]
        self.app_id = "A" + bot_user[1:]
        self.users: dict[str, User] = {bot_user: self.bot}
        self.groups: dict[str, UserGroup] = {}
        self.conversations: dict[str, Conversation] = {}
        self.ephemerals: list[tuple[str, str, Message]] = []  # (user, channel, message)
        self.statuses: dict[tuple[str, str], ThreadStatus] = {}
        self.scheduled: dict[str, Message] = {}  # what waits to be posted, by its id
        self.action_tokens: dict[str, str] = {}  # token -> the user it lets search
        self._messages: dict[str, dict[str, Message]] = {}
        self._listeners: list[Callable[[Change], None]] = []
        self._last_ts = 0

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call ``listener`` with every change from now on; return what ends that."""
        self._listeners.append(listener)

        def stop() -> None:
            with suppress(ValueError):
                self._listeners.remove(listener)

        return stop

    def tell(self, change: Change) -> None:
        """Tell everybody who subscribed."""
        for listener in list(self._listeners):
            listener(change)

    def next_ts(self) -> str:
        """Return a message timestamp greater than every earlier one, as Slack writes it."""
        self._last_ts = max(int(self.clock() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    # People and conversations

    def add_user(self, user: User) -> User:
        """Add a person; people of this company get direct messages with the bot."""
        self.users[user.id] = user
        if not user.is_bot and not user.stranger:
            self.direct(user.id)
        return user

    def add_conversation(self, conversation: Conversation) -> Conversation:
        """Add a conversation."""
        self.conversations[conversation.id] = conversation
        return conversation

    def user(self, name: str) -> User:
        """Return the user with this id or name; raise PlaygroundMisuse."""
        for user in self.users.values():
            if name in (user.id, user.name, user.real_name):
                return user
        raise PlaygroundMisuse(f"there is nobody called {name!r} in the workspace")

    def direct(self, user: str) -> Conversation:
        """Return the direct messages of a person and the bot, opened on first use."""
        found = self.conversations.get("D" + user[1:])
        return found or self.add_conversation(
            Conversation("D" + user[1:], user, "im", [user, self.bot.id])
        )

    def conversation(self, name: str) -> Conversation:
        """Return the conversation with this id or channel name; raise PlaygroundMisuse."""
        for found in self.conversations.values():
            if name.lstrip("#") in (found.id, found.name):
                return found
        raise PlaygroundMisuse(f"there is no conversation called {name!r}")

    def visible(self, channel: str) -> Conversation:
        """Return a conversation that the bot may know of; else refuse: channel_not_found."""
        found = self.conversations.get(channel)
        if found is None or (found.kind != "channel" and self.bot.id not in found.members):
            raise SlackRefusal("channel_not_found")
        return found

    def joined(self, channel: str) -> Conversation:
        """Return a conversation that the bot is in; else refuse: not_in_channel."""
        found = self.visible(channel)
        if self.bot.id not in found.members:
            raise SlackRefusal("not_in_channel")
        return found

    # Messages

    def post(self, channel: str, fields: Message, *, thread_ts: str = "") -> Message:
        """Add a message, in a thread if ``thread_ts`` names its root, and tell."""
        ts = self.next_ts()
        message: Message = {"type": "message", "ts": ts, "team": self.team, **fields}
        if thread_ts:
            root = self._messages[channel][thread_ts]
            message |= {"thread_ts": thread_ts, "parent_user_id": root.get("user", "")}
            root["thread_ts"] = thread_ts
        self._messages.setdefault(channel, {})[ts] = message
        if thread_ts:
            self._recount(channel, thread_ts)
            self._settle_status(channel, thread_ts, message)
        self.tell(Change("posted", channel, message=copy.deepcopy(message)))
        return message

    def change(self, channel: str, ts: str, fields: Message, *, by: str = "") -> Message:
        """Replace fields of a message (None removes one); ``by`` marks it as edited."""
        message = self._messages[channel][ts]
        previous = copy.deepcopy(message)
        message.update(fields)
        for key in [key for key, value in message.items() if value is None]:
            del message[key]
        if by:
            message["edited"] = {"user": by, "ts": self.next_ts()}
        self.tell(Change("changed", channel, message=copy.deepcopy(message), previous=previous))
        return message

    def delete(self, channel: str, ts: str) -> None:
        """Remove a message; the root of a thread leaves a tombstone, as in Slack."""
        message = self._messages[channel][ts]
        previous = copy.deepcopy(message)
        root = message.get("thread_ts", ts)
        if root == ts and message.get("reply_count"):
            kept = ("type", "ts", "thread_ts", "reply_count", "reply_users", "latest_reply")
            tombstone = {key: message[key] for key in kept if key in message}
            self._messages[channel][ts] = {
                **tombstone,
                "subtype": "tombstone",
                "user": "USLACKBOT",
                "text": "This message was deleted.",
                "hidden": True,
            }
        else:
            del self._messages[channel][ts]
            if root != ts:
                self._recount(channel, root)
        self.tell(Change("deleted", channel, previous=previous, detail={"ts": ts}))

    def find(self, channel: str, ts: str) -> Message | None:
        """Return the message itself, or None."""
        return self._messages.get(channel, {}).get(ts)

    def thread(self, channel: str, root: str) -> list[Message]:
        """Return the root and its replies, oldest first."""
        return [m for m in self.all(channel) if m["ts"] == root or m.get("thread_ts") == root]

    def top_level(self, channel: str) -> list[Message]:
        """Return the messages of a channel without the replies in threads, oldest first."""
        return [m for m in self.all(channel) if m.get("thread_ts", m["ts"]) == m["ts"]]

    def all(self, channel: str) -> Iterator[Message]:
        """Yield every message of a conversation, oldest first."""
        yield from self._messages.get(channel, {}).values()

    def whisper(self, channel: str, user: str, fields: Message, *, thread_ts: str = "") -> Message:
        """Show a message to one person only."""
        message: Message = {
            "type": "message",
            "ts": self.next_ts(),
            "is_ephemeral": True,
            **({"thread_ts": thread_ts} if thread_ts else {}),
            **fields,
        }
        self.ephemerals.append((user, channel, message))
        self.tell(Change("ephemeral", channel, user, copy.deepcopy(message)))
        return message

    def whispered(self, channel: str, user: str, ts: str) -> Message | None:
        """Return a message that only this person sees, or None."""
        for owner, place, message in self.ephemerals:
            if (owner, place, message["ts"]) == (user, channel, ts):
                return message
        return None

    def replace_whisper(self, channel: str, user: str, ts: str, fields: Message | None) -> None:
        """Change a message that only this person sees, or take it away (None)."""
        for entry in list(self.ephemerals):
            if entry[:2] == (user, channel) and entry[2]["ts"] == ts:
                if fields is None:
                    self.ephemerals.remove(entry)
                else:
                    entry[2].update(fields)
                gone = {} if fields is None else copy.deepcopy(entry[2])
                self.tell(Change("ephemeral", channel, user, gone, detail={"ts": ts}))

    # What a thread shows while the app is at work

    def set_status(self, channel: str, thread_ts: str, **fields: Any) -> ThreadStatus:
        """Change what the thread shows and tell."""
        status = self.statuses.setdefault((channel, thread_ts), ThreadStatus())
        for name, value in fields.items():
            setattr(status, name, value)
        self.tell(Change("status", channel, detail={"thread_ts": thread_ts}))
        return status

    def _settle_status(self, channel: str, root: str, message: Message) -> None:
        """Take the status text away when the app answers, as Slack does by itself."""
        status = self.statuses.get((channel, root))
        if status and status.text and message.get("bot_id") == self.bot_id:
            self.set_status(channel, root, text="", loading_messages=[])

    def _recount(self, channel: str, root_ts: str) -> None:
        root = self._messages[channel].get(root_ts)
        if root is None:
            return
        replies = [m for m in self.thread(channel, root_ts) if m["ts"] != root_ts]
        if replies:
            people = list(dict.fromkeys(m.get("user", "") for m in replies))
            root |= {
                "reply_count": len(replies),
                "reply_users": people,
                "reply_users_count": len(people),
                "latest_reply": replies[-1]["ts"],
            }
        else:
            for key in ("reply_count", "reply_users", "reply_users_count", "latest_reply"):
                root.pop(key, None)
