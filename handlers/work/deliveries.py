"""A job in the hands of a worker, on whatever queue it came, and how often it may come.

    try 1 … TRIES    the question is answered
    one more         the bot only apologises: each try before ended in an error, or with the death
                     of its worker, and this one must not end so as well

An outage (of Slack, the table, the index) costs no try, so that its questions are answered when it
is over; the queue's own count of deliveries bounds that. What reaches it is set aside.
"""

from typing import Final, Protocol

from handlers.work.jobs import Job

TRIES: Final = 4

DELIVERIES: Final = 20
"""Deliveries of one job before the queue sets it aside; serverless.yml says the same."""

PORTION_DELIVERIES: Final = TRIES + 1
"""The same for a portion of documents. In the last one, whose worker tries nothing, whoever waits
for it is told; then the queue sets it aside. serverless.yml says the same."""

LEASE_SECONDS: Final = 15.0
"""How long a question waits after its worker was killed; living workers renew every third of it."""

OUTAGE_SECONDS: Final = 3600.0
"""Age from which an outage costs tries as well: nobody waits for that answer any more."""

_FIRST_PAUSE = 4.0
_FIRST_OUTAGE_PAUSE = 15.0
_LONGEST_PAUSE = 300.0


class Delivery(Protocol):
    """One delivery of a job, until its lease ends or it is given back."""

    @property
    def job(self) -> Job:
        """The job itself."""
        ...

    @property
    def attempts(self) -> int:
        """How often it was delivered, this time included."""
        ...

    async def extend(self) -> bool:
        """Hold it for ``LEASE_SECONDS`` from now; False when it was lost."""
        ...

    async def done(self) -> bool:
        """Take it off the queue; False when it was lost."""
        ...

    async def release(self, delay: float = 0.0, *, tried: bool = True) -> bool:
        """Let it come again after ``delay`` seconds; False when it was lost.

        ``tried=False`` asks not to count this delivery, where the queue can do that.
        """
        ...


def pause_before(attempts: int, *, outage: bool) -> float:
    """Return the seconds before the next delivery; they grow with each one. Pure."""
    first, factor = (_FIRST_OUTAGE_PAUSE, 3.0) if outage else (_FIRST_PAUSE, 2.0)
    return float(min(_LONGEST_PAUSE, first * factor ** min(attempts - 1, 10)))
