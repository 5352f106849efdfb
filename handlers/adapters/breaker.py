"""Leaves an endpoint alone that keeps failing."""

from dataclasses import dataclass

from handlers.answering.errors import ModelUnavailable


@dataclass(slots=True)
class Breaker:
    """Stops asking an endpoint that failed ``threshold`` times in a row, for ``pause`` seconds.

    After the pause one call may try; its end decides. Times are of the event loop.
    """

    threshold: int = 4
    pause: float = 30.0
    failures: int = 0
    closed_again_at: float = 0.0

    def admit(self, now: float) -> None:
        """Raise ModelUnavailable while the endpoint is left alone."""
        if self.failures < self.threshold:
            return
        if now < self.closed_again_at:
            raise ModelUnavailable(
                "The model endpoint failed repeatedly and is left alone for now."
            )
        self.closed_again_at = now + self.pause

    def record(self, *, worked: bool, now: float) -> None:
        """Note how a call ended."""
        self.failures = 0 if worked else self.failures + 1
        if self.failures >= self.threshold:
            self.closed_again_at = now + self.pause
