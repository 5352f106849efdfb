"""Slack's limits as numbers, and its rate tiers as token buckets.

Sources: the method and Block Kit pages of docs.slack.dev, and what was measured where these are
silent (the size and life of a stream, the size of all blocks of a message).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
MESSAGE_BLOCK_CHARACTERS = 13_200  # all text of all blocks of a message; measured, not documented
POST_TEXT = 40_000
UPDATE_TEXT = 4_000
MARKDOWN_TEXT = 12_000  # one argument, and all markdown blocks of one message together
STREAM_BYTES = 11_000  # UTF-8 of one streamed message; measured
STREAM_SECONDS = 300.0  # life of one stream; measured
TRIGGER_SECONDS = 3.0
ACK_SECONDS = 3.0
RESPONSE_URL_USES = 5
RESPONSE_URL_SECONDS = 1_800.0
VIEW_STACK = 3
VIEW_TITLE = 24
PRIVATE_METADATA = 3_000
CALLBACK_ID = 255
EXTERNAL_ID = 255
VIEW_BYTES = 250_000
LOADING_MESSAGES = 10
SESSION_TITLE = 255


@dataclass(frozen=True, slots=True)
class Tier:
    """``per_minute`` calls a minute on average, ``burst`` at once; ``by_channel``: each channel."""

    per_minute: float
    burst: int
    by_channel: bool = False


def tier(per_minute: int) -> Tier:
    """Return an ordinary tier: the whole minute may be spent at once."""
    return Tier(per_minute, per_minute)


TIER_1 = tier(5)
TIER_2 = tier(20)
TIER_3 = tier(50)
TIER_4 = tier(100)
SPECIAL = tier(600)
OUTSIDE_MARKETPLACE = tier(1)
OUTSIDE_MARKETPLACE_PAGE = 15
SLOW_OUTSIDE_MARKETPLACE = ("conversations.history", "conversations.replies")
POSTING = Tier(60, 5, by_channel=True)  # one a second a channel; short bursts are let through


class RateLimiter:
    """Token buckets, one a method (and channel, where the tier says so)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def retry_after(self, method: str, tier: Tier, channel: str = "") -> int:
        """Take one call. Return 0, or the whole seconds to wait when there was none to take."""
        key = (method, channel if tier.by_channel else "")
        now = self._clock()
        tokens, then = self._buckets.get(key, (float(tier.burst), now))
        rate = tier.per_minute / 60
        tokens = min(tier.burst, tokens + max(0.0, now - then) * rate)
        if tokens < 1:
            self._buckets[key] = (tokens, now)
            return max(1, math.ceil((1 - tokens) / rate))
        self._buckets[key] = (tokens - 1, now)
        return 0
