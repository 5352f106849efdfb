"""What the tries before have left in the claim of a question, and which errors cost none."""

import re

from bot.errors import SlackUnreachable, TokenRefused
from handlers.work.claims import Claim
from handlers.work.errors import QueueUnavailable, StoreUnavailable
from index.errors import IndexUnavailable

_OUTAGES = (
    SlackUnreachable,
    TokenRefused,
    StoreUnavailable,
    QueueUnavailable,
    IndexUnavailable,
)


def is_outage(error: Exception) -> bool:
    """Tell whether something that the question cannot help did not answer, so that waiting may."""
    return isinstance(error, _OUTAGES)


def tries_in(claim: Claim, this_round: str) -> int:
    """Return how often the question was tried since it was last put on the queue."""
    tries = claim.notes.get("tries")
    known = claim.notes.get("round", "") == this_round
    return int(tries) if known and isinstance(tries, int | float) else 0


def posted_in(claim: Claim) -> list[str]:
    """Return the ts of all messages that were noted as begun."""
    posted = claim.notes.get("posted")
    return [str(ts) for ts in posted] if isinstance(posted, list) else []


def word_of(error: Exception) -> str:
    """Return the class of an error as the short machine word that outcomes allow."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", type(error).__name__).lower()
