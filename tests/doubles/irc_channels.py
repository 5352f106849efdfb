"""Real support chat, poured into the playground as channels.

A nick becomes a person, what hangs together by reply links a thread, who enters or leaves the room
a notice of Slack's. The real logs lie in shared/data/irc-chat, beside the checkout.
"""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from bot.playground import Playground
from bot.playground.workspace import Conversation, User
from tests.doubles.clocks import ManualClock

LOGS = Path(__file__).parents[2].parent / "shared" / "data" / "irc-chat" / "logs.jsonl"
MIDNIGHT = 1_799_971_200.0
_LINE = re.compile(
    r"(?:\S+ (?P<date>\d{4}-\d\d-\d\d) )?\[(?P<hour>\d\d):(?P<minute>\d\d)(?::\d\d)?\]"
    r" (?:<(?P<name>[^>]+)>| \* (?P<actor>\S+)) ?\t?(?P<text>.*)",
    re.DOTALL,
)


@dataclass
class Poured:
    """One channel. ``spoken`` maps each message's ts to its author's name and words."""

    id: str
    spoken: dict[str, tuple[str, str]] = field(default_factory=dict)
    threads: dict[str, list[str]] = field(default_factory=dict)
    talk: list[str] = field(default_factory=list)


def logs() -> list[dict[str, Any]]:
    """Return the real logs: rows with ``messages`` and ``reply_links``."""
    with LOGS.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def pour(
    slack: Playground,
    clock: ManualClock,
    log: dict[str, Any],
    number: int,
    *,
    private: bool = False,
) -> Poured:
    """Pour a log into a channel of its own, with the bot in it."""
    workspace = slack.workspace
    channel = f"{'G' if private else 'C'}IRC{number:04}"
    kind = "private" if private else "channel"
    place = Conversation(channel, f"irc-{number}", kind, [workspace.bot.id])  # type: ignore[arg-type]
    workspace.add_conversation(place)
    poured = Poured(channel)
    roots = _roots(log)
    posted: dict[int, str] = {}
    day, before = 0.0, -1.0
    began: date | None = None
    for index, raw in enumerate(log["messages"]):
        found = _LINE.fullmatch(raw)
        if found is None:
            notice = {"user": "UALICE", "subtype": "channel_join", "text": raw}
            workspace.post(channel, notice)
            continue
        minute = int(found["hour"]) * 60.0 + int(found["minute"])
        if found["date"]:
            today = date.fromisoformat(found["date"])
            began = began or today
            day = (today - began).days * 86_400.0
        elif minute < before - 60:
            day += 86_400.0
        before = minute
        clock.now = max(clock.now, MIDNIGHT + day + minute * 60)
        name, text = found["name"] or found["actor"], found["text"]
        more = {"subtype": "me_message"} if found["actor"] else {}
        person = _person(slack, place, name)
        root = posted.get(roots.get(index, index), "")
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        said = workspace.post(channel, {"user": person, "text": escaped, **more}, thread_ts=root)
        posted[index] = ts = str(said["ts"])
        if text.strip():
            poured.spoken[ts] = (name, text)
        if root:
            poured.threads.setdefault(root, []).append(ts)
    replies = {ts for thread in poured.threads.values() for ts in thread}
    poured.talk = [ts for ts in poured.spoken if ts not in replies | poured.threads.keys()]
    return poured


def _person(slack: Playground, place: Conversation, name: str) -> str:
    identity = "UIRC" + hashlib.sha256(name.encode()).hexdigest()[:12].upper()
    if identity not in slack.workspace.users:
        # Without direct messages to the bot, of which a workspace with 5,000 people has no need.
        slack.workspace.users[identity] = User(identity, name, name)
    if identity not in place.members:
        place.members.append(identity)
    return identity


def _roots(log: dict[str, Any]) -> dict[int, int]:
    """Return for each message in a conversation the first one of it that is spoken."""
    parents: dict[int, int] = {}

    def top(index: int) -> int:
        while parents.get(index, index) != index:
            index = parents[index]
        return index

    for one, other in log["reply_links"]:
        low, high = sorted((top(one), top(other)))
        parents[high] = low
    groups: dict[int, list[int]] = {}
    for index in sorted({index for link in log["reply_links"] for index in link}):
        if _LINE.fullmatch(log["messages"][index]):
            groups.setdefault(top(index), []).append(index)
    return {index: group[0] for group in groups.values() for index in group}
