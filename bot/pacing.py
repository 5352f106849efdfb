"""Asks Slack at the pace that it allows, for reading that takes minutes and must not end half-way.

Work that can be put off uses ``bot.allowance`` instead.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from bot.errors import TROUBLE, SlackUnreachable, code_of, reading_error, wait_of

LONGEST_WAIT: Final = 300.0
"""Seconds that a 429 may ask to wait; whoever is sent away for longer comes back another time."""

MOST_WAITS: Final = 10
"""429s in a row on one call: then somebody else takes all that Slack gives."""

MOST_TRIES: Final = 3
"""Tries of one call while Slack, or the way to it, fails."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` calls at once, then ``per_minute`` a minute."""

    per_minute: float
    burst: int


RATES: Final = {
    "conversations_history": Rate(30, 10),
    "conversations_replies": Rate(30, 5),
    "conversations_info": Rate(30, 10),
    "users_conversations": Rate(30, 5),
    "users_list": Rate(10, 5),
}
"""By the client's methods. Slack allows 50 a minute of each, 20 of users.list
(https://docs.slack.dev/apis/web-api/rate-limits); the rest is left to answers, which read threads
as well, and to the search for lost questions.
"""


class Pacer:
    """One a workspace: whoever reads there shares it. ``clock`` counts seconds."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Remember the time; nothing is asked here."""
        self._clock = clock
        self._pause = pause
        self._queues: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tokens: dict[str, tuple[float, float]] = {}

    async def ask(self, method: Callable[..., Awaitable[Any]], **arguments: Any) -> Any:
        """Call a method of the client, when its turn has come.

        A 429 is waited out, as long as it says and then whoever else waits for this method. Raises
        what ``reading_error`` makes of a no, and SlackUnreachable when waiting does not help.
        """
        name = getattr(method, "__name__", "")
        waits, tries = 0, 0
        while True:
            await self._turn(name)
            try:
                return await method(**arguments)
            except TROUBLE as error:
                trouble = reading_error(error)
                if not trouble.retryable or code_of(error) not in _PASSING:
                    raise trouble from error
                if code_of(error) in _LIMITED:
                    waits += 1
                    await self._wait_as_told(name, error, waits)
                    continue
                tries += 1
                if tries >= MOST_TRIES:
                    raise trouble from error
                await self._pause(2.0**tries)

    async def _turn(self, name: str) -> None:
        """Return when a call is due; those that come later wait behind it."""
        rate = RATES.get(name)
        if rate is None:
            return
        async with self._queues[name]:
            while (wait := self._take(name, rate)) > 0:
                await self._pause(wait)

    def _take(self, name: str, rate: Rate) -> float:
        now = self._clock()
        tokens, then = self._tokens.get(name, (float(rate.burst), now))
        tokens = min(rate.burst, tokens + max(0.0, now - then) * rate.per_minute / 60)
        short = 1 - tokens
        self._tokens[name] = (tokens if short > _HAIR else tokens - 1, now)
        return short * 60 / rate.per_minute if short > _HAIR else 0.0

    async def _wait_as_told(self, name: str, error: BaseException, waits: int) -> None:
        wait = wait_of(error)
        if wait > LONGEST_WAIT or waits > MOST_WAITS:
            raise SlackUnreachable(
                f"Slack lets the bot read no more for now ({wait:.0f} s); try again later."
            ) from error
        logger.info("Slack asks to wait %.0f s with %s", wait, name)
        async with self._queues[name]:
            await self._pause(wait)


_LIMITED = ("ratelimited", "rate_limited")
_PASSING = (
    "",
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    *_LIMITED,
)
_HAIR = 1e-6  # what floating point may lack of a token that has just been waited for
