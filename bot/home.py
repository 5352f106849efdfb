"""The Home tab. Pure builders."""

from typing import Any

from bot import messages


def home_view(*, agents: bool = False) -> dict[str, Any]:
    """Return what somebody sees who opens the bot's Home: what it is and how to ask.

    With ``agents`` also how to have something done.
    """
    how = [messages.HOME_HOW, *([messages.HOME_HOW_AGENT] if agents else [])]
    return {
        "type": "home",
        "blocks": [
            _header(messages.HOME_TITLE),
            _section(messages.HOME_WHAT),
            {"type": "divider"},
            _header(messages.HOME_HOW_TITLE),
            _section("\n".join(how)),
            {
                "type": "context",
                "elements": [{"type": "plain_text", "text": messages.HOME_HONEST, "emoji": False}],
            },
        ],
    }


def _header(text: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
