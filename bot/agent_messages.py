"""Every sentence that the agent itself says, in English. Titles are made harmless here."""

from bot.markup import inert_markdown, one_line, web_url
from bot.messages import APOLOGY, MEMBERS_ONLY, STOPPED

__all__ = ["APOLOGY", "MEMBERS_ONLY", "STOPPED"]

# Instead of an answer
NO_TOOLS = (
    "I cannot work as an agent here: the language model that is configured cannot call tools. "
    "Whoever runs me can name one that does; questions are answered as before."
)
ALL_STOPPED = "An administrator has stopped all agents, so I stopped here. Nothing more will run."
STOPPED_CARD = "This run was stopped, so nothing of what was proposed here will run."
TOO_LARGE = "This grew too large for one run, so I stopped here. Please ask for a part of it."
NO_COMMANDS = (
    "I can work as an agent only where there is a thread to ask you in. Mention me in a channel, "
    "or write to me directly, and begin with `agent`."
)
WHAT_TO_DO = (
    "Tell me what to do behind the word `agent`, for example: "
    "`agent: find what changed in the travel rules and open an issue for it`."
)

# Beside an answer
NOTHING_MORE = (
    "That is all that was done. What the language model wrote about it could not be traced to a "
    "source, so it is not shown."
)
LIMITS = {
    "turns": "I stopped because I had reached the most steps that one run may take.",
    "tokens": "I stopped because I had reached the most words that one run may read and write.",
    "seconds": "I stopped because I had reached the longest time that one run may work.",
    "cost": "I stopped because I had reached the most money that one run may cost.",
}
NOTHING_AT_LIMIT = "There is no answer yet. Ask for less at a time, and I will get further."


def done(title: str, url: str) -> str:
    """Say that a call worked, and where what it made can be seen."""
    where = web_url(url)
    return f"Done: {_name(title)}." + (f" <{where}>" if where else "")


def unknown(title: str) -> str:
    """Say that nobody knows whether a call happened."""
    return (
        f"{_name(title)} was interrupted while it ran. I do not know whether it happened, and will "
        "not do it again. Please look yourself."
    )


def not_run(title: str) -> str:
    """Say that an approved call was lost before it ran."""
    return (
        f"{_name(title)} was approved, but I was interrupted before it ran. It was not done, and "
        "an approval counts once: please ask again if you still want it."
    )


def failed(title: str) -> str:
    """Say that a call did not work."""
    return f"{_name(title)} did not work, and nothing was changed by it."


def changed(title: str) -> str:
    """Say that a tool is not what it was when the call was proposed."""
    return f"{_name(title)} has changed since it was proposed, so it was not run."


def expired(title: str) -> str:
    """Say that nobody decided in time."""
    return f"Nobody decided in time about {_name(title)}, so it was not run."


def undone(title: str) -> str:
    """Say that a call was taken back."""
    return f"Taken back: {_name(title)}."


def not_undone(title: str) -> str:
    """Say that a call could not be taken back."""
    return f"{_name(title)} could not be taken back. Please do it yourself."


def undo_unknown(title: str) -> str:
    """Say that nobody knows whether a call was taken back."""
    return (
        f"I was interrupted while I took back {_name(title)}, and do not know whether it worked. "
        "Please look yourself."
    )


def _name(title: str) -> str:
    return f"“{inert_markdown(one_line(title))}”"
