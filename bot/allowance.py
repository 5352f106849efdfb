"""How much may be asked of Slack in one go by work that can wait, so that answers need not."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bot.errors import TROUBLE, code_of, reading_error

CALL_SECONDS = 30.0
"""One call takes no longer, the wait that Slack asks for and a second try included."""

logger = logging.getLogger(__name__)


class Enough(Exception):
    """Go on another time: calls or time are spent, or Slack is slow, down or asks to wait."""


class Allowance:
    """``calls`` that are counted, begun within ``seconds``. ``clock`` counts seconds."""

    def __init__(
        self, calls: int, seconds: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._calls = calls
        self._clock = clock
        self._end = clock() + seconds

    async def ask(
        self, method: Callable[..., Awaitable[Any]], *, counted: bool = True, **arguments: Any
    ) -> Any:
        """Call a method of the client. Raises Enough, and what ``reading_error`` makes of a no."""
        if self._clock() >= self._end or (counted and self._calls <= 0):
            raise Enough
        self._calls -= counted
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return await method(**arguments)
        except TROUBLE as error:
            trouble = reading_error(error)
            if not trouble.retryable:
                raise trouble from error
            logger.info("reading stopped: %s", code_of(error) or type(error).__name__)
            raise Enough from error
