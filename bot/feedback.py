"""The two buttons below an answer that ask whether it helped, and what a click on them says. Pure.

Limits: text and label of a button have 75 characters each, its value 2,000
(https://docs.slack.dev/reference/block-kit/block-elements/feedback-buttons-element). A value here
has at most 210.
"""

import re
from collections.abc import Mapping
from typing import Any

from bot import messages
from bot.conversation import Vote

FEEDBACK = "answer.feedback"

_KEY = r"(?P<team>[A-Za-z0-9_-]{1,64}):(?P<channel>[A-Za-z0-9_-]{1,64}):[0-9]{1,16}\.[0-9]{1,9}"
_VALUE = re.compile(rf"(?P<word>yes|no) (?P<key>{_KEY})")
_USER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CLICKED = re.compile(r"[0-9]{1,16}\.[0-9]{1,9}")


def feedback_blocks(key: str) -> list[dict[str, Any]]:
    """Return the buttons below the answer to mention ``key``; none for a key of another form."""
    if not _VALUE.fullmatch(f"yes {key}"):
        return []
    buttons = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK,
        "positive_button": _button(messages.HELPFUL, messages.HELPFUL_LABEL, f"yes {key}"),
        "negative_button": _button(messages.NOT_HELPFUL, messages.NOT_HELPFUL_LABEL, f"no {key}"),
    }
    return [{"type": "context_actions", "elements": [buttons]}]


def read_vote(action: Mapping[str, Any], *, team: str, channel: str, user: object) -> Vote | None:
    """Return the vote of a click by ``user`` in ``channel``, or None for what we did not write.

    Nobody votes on an answer from within another conversation.
    """
    value, clicked = action.get("value"), action.get("action_ts")
    if not (isinstance(value, str) and isinstance(clicked, str) and isinstance(user, str)):
        return None
    found = _VALUE.fullmatch(value)
    if not (found and _CLICKED.fullmatch(clicked) and _USER.fullmatch(user)):
        return None
    if (found["team"], found["channel"]) != (team, channel):
        return None
    return Vote(key=found["key"], user=user, helpful=found["word"] == "yes", clicked_at=clicked)


def _button(text: str, label: str, value: str) -> dict[str, Any]:
    return {
        "text": {"type": "plain_text", "text": text, "emoji": False},
        "accessibility_label": label,
        "value": value,
    }
