"""Which mentions are for the agent: those that begin with its name. Pure."""

import re

_MENTION = re.compile(r"\A(?:\s*<@[A-Z0-9]+(?:\|[^>]*)?>)+")
_NAME = re.compile(r"\A\s*agent(?:\s*[:,]\s*|\s+|\Z)", re.I)


def agent_request(text: str) -> str | None:
    """Return what is asked of the agent, or None when the text is a question.

    ``text`` begins with "agent" or "agent:", in any case, behind the mention of the bot if that is
    still there. A request may be empty.
    """
    words = _MENTION.sub("", text)
    named = _NAME.match(words)
    return words[named.end() :].strip() if named else None
