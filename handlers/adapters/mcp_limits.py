"""How often one caller may use the documents: questions cost tokens of a model, looking does not.

Each caller is counted alone, so that none can use up what another may, and a call is counted before
it is worked on, so that a crash makes none free.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from handlers.adapters.mcp_callers import McpCaller
from handlers.tools.errors import ToolError, ToolUnavailable
from handlers.work.errors import StoreUnavailable
from handlers.work.ports import StateStore
from handlers.work.rates import DAY, HOUR, Rate, Rates, Spent

_WINDOWS: Final = {HOUR: "an hour", DAY: "a day"}

log = logging.getLogger(__name__)


class TooManyCalls(ToolError):
    """A caller is at its limit. In ``seconds`` one more call is let through."""

    retryable = True

    def __init__(self, sentence: str, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Limit:
    """Most calls of a caller in any hour and in any day; 0 sets no limit."""

    hour: int
    day: int

    def rates(self) -> tuple[Rate, ...]:
        """Return what is to be counted."""
        both = ((self.hour, HOUR), (self.day, DAY))
        return tuple(Rate(most, seconds) for most, seconds in both if most)


class CallLimits:
    """Lets calls through: ``asks`` are questions to be answered, ``looks`` search and open."""

    def __init__(
        self,
        store: StateStore,
        asks: Limit,
        looks: Limit,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._asks = Rates(store, asks.rates(), clock=clock)
        self._looks = Rates(store, looks.rates(), clock=clock)
        self._clock = clock

    async def take(self, caller: McpCaller, *, ask: bool) -> None:
        """Count one call. Raises TooManyCalls, and ToolUnavailable where it cannot be counted."""
        kind, rates = ("ask", self._asks) if ask else ("look", self._looks)
        try:
            spent = await rates.take(f"mcp:{kind}:{caller.key}")
        except StoreUnavailable as error:
            log.warning("a call over MCP was not counted", extra={"reason": str(error)})
            raise ToolUnavailable(
                "Calls cannot be counted at the moment, so none is let through. Try again later."
            ) from error
        if spent is not None:
            log.warning(
                "a caller over MCP is at its limit",
                extra={"caller": caller.name, "kind": kind, "seconds": math.ceil(spent.seconds)},
            )
            raise self._refusal(spent, ask=ask)

    def _refusal(self, spent: Spent, *, ask: bool) -> TooManyCalls:
        seconds = max(1, math.ceil(spent.seconds))
        at = datetime.fromtimestamp(self._clock() + seconds, UTC)
        window = _WINDOWS[spent.rate.seconds]
        what = "questions" if ask else "calls of search and open"
        return TooManyCalls(
            f"That was too much: {spent.rate.most} {what} in {window} are the most. Come back in"
            f" {_in_words(seconds)}, at {at:%Y-%m-%d %H:%M:%S} UTC.",
            seconds,
        )


def _in_words(seconds: int) -> str:
    for name, length in (("hours", HOUR), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{math.ceil(seconds / length)} {name}"
    return f"{seconds} seconds"
