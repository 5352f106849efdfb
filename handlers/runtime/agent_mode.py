"""Whether the agent works here, and what to say to somebody who calls for it where it does not."""

import re

from handlers.runtime.settings import Settings
from handlers.tools.addressed import agent_request

_WITH_COLON = re.compile(r"\s*agent\s*:", re.IGNORECASE)

OFF = (
    "I can't act here, because agent mode is off. Whoever runs me turns it on with "
    "`FOOTNOTE_AGENT=ON`. Questions about the documents I answer as always."
)
NO_MODEL = (
    "I can only act with a language model that calls tools, and none is set. Whoever runs me sets "
    "`OPENAI_MODEL`, with `OPENAI_API_KEY` or `OPENAI_BASE_URL`; then please ask again."
)
NO_THREAD = (
    "I can't act on a command, because nobody could see there what I propose. Mention me in a "
    "channel instead, or write to me directly."
)


def is_on(settings: Settings) -> bool:
    """Tell whether what is asked of the agent goes to the agent."""
    return settings.agent == "ON" and bool(settings.openai_model)


def why_not(settings: Settings, text: str) -> str:
    """Return the answer to ``text`` if it asks the agent for something, "" for a question.

    Only for those who answer questions: with agent mode on they get none but slash commands.
    """
    if agent_request(text) is None:
        return ""
    if settings.agent != "ON":
        # People who never heard of an agent ask "Agent fees?" and want an answer.
        return OFF if _WITH_COLON.match(text) else ""
    return NO_THREAD if is_on(settings) else NO_MODEL
