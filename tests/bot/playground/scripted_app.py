"""A small app behind a real HTTP server: it streams one scripted answer with footnotes."""

import asyncio
from typing import Any

from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.playground import Playground
from tests.bot.playground.receiver import App

TITLES = ("Annual leave", "Carry-over of unused days")
ANSWER = (
    "You get **28 days** of paid leave a year. [1]\n\n"
    "- Up to *five* unused days carry over. [2]\n"
    "- Ask your manager `two weeks` ahead. [1]"
)
QUOTE = "Every employee has 28 days of paid leave in each calendar year."


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def rows() -> list[dict[str, Any]]:
    """Return the footnotes of the answer."""
    return [
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": f"*[{number}]* {title}\nupdated 3 weeks ago"},
            "accessory": {
                "type": "button",
                "action_id": "open",
                "text": _plain("Open quote"),
                "value": str(number),
            },
        }
        for number, title in enumerate(TITLES, start=1)
    ]


def thumbs() -> dict[str, Any]:
    """Return the buttons that ask whether the answer helped."""
    good, bad = {"text": _plain("Good"), "value": "up"}, {"text": _plain("Bad"), "value": "down"}
    buttons = {"positive_button": good, "negative_button": bad, "action_id": "vote"}
    return {"type": "context_actions", "elements": [{"type": "feedback_buttons", **buttons}]}


def view(number: str) -> dict[str, Any]:
    """Return the modal of one footnote."""
    quote = {"type": "rich_text_quote", "elements": [{"type": "text", "text": QUOTE}]}
    return {
        "type": "modal",
        "title": _plain(f"Footnote {number}"),
        "close": _plain("Close"),
        "blocks": [
            {"type": "header", "text": _plain(TITLES[int(number) - 1])},
            {"type": "rich_text", "elements": [quote]},
        ],
    }


class ScriptedApp(App):
    """Answers mentions, direct messages, /ask and clicks. ``may_answer`` lets the stream begin."""

    def __init__(self, slack: Playground) -> None:
        super().__init__()
        self.team = slack.team
        self.client = AsyncWebClient(token="xoxb-playground", base_url=slack.api_url)
        self.may_answer = asyncio.Event()
        self.may_finish = asyncio.Event()
        self.tasks: list[asyncio.Task[None]] = []
        self.votes: list[tuple[str, str]] = []

    async def take(self, request: web.Request) -> web.Response:
        """Acknowledge first, work afterwards."""
        await super().take(request)
        body = self.received[-1].body
        if body.get("type") == "block_actions" and body["actions"][0]["action_id"] == "vote":
            self.votes.append((body["user"]["id"], body["actions"][0]["value"]))
        elif body.get("type") == "block_actions":
            number = body["actions"][0]["value"]
            await self.client.views_open(trigger_id=body["trigger_id"], view=view(number))
        elif body.get("command"):
            self.tasks.append(asyncio.create_task(self.whisper(body["response_url"])))
        elif self.asks(body.get("event", {})):
            self.tasks.append(asyncio.create_task(self.answer(body["event"])))
        return web.Response()

    def asks(self, event: dict[str, Any]) -> bool:
        """Tell whether the event is a question, by the one of its two events that is enough."""
        direct = event.get("channel_type") == "im" and event.get("type") == "message"
        by_person = "bot_id" not in event and "subtype" not in event
        return by_person and (direct or event.get("type") == "app_mention")

    async def whisper(self, url: str) -> None:
        """Answer a command in private."""
        blocks = [{"type": "markdown", "text": ANSWER}, *rows()]
        await AsyncWebhookClient(url).send(text=ANSWER, blocks=blocks)

    async def answer(self, event: dict[str, Any]) -> None:
        """Show a status, stream the answer, put the footnotes below."""
        root = event.get("thread_ts") or event["ts"]
        channel = event["channel"]
        await self.client.assistant_threads_setStatus(
            channel_id=channel, thread_ts=root, status="is searching the documents…"
        )
        await self.may_answer.wait()
        stream = await self.client.chat_stream(
            channel=channel,
            thread_ts=root,
            recipient_user_id=event["user"],
            recipient_team_id=self.team,
            buffer_size=1,
        )
        await stream.append(markdown_text=ANSWER[:60])
        await self.may_finish.wait()
        await stream.append(markdown_text=ANSWER[60:])
        await stream.stop(blocks=[*rows(), thumbs()])
