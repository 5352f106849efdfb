"""What can go wrong with queues and state.

WorkError
├── BadJob              a body that no version of this code wrote
├── BadSeal             sealed text that this key did not seal
├── ClaimLost           the lease lapsed and another worker took over
├── QueueUnavailable    the queue did not answer                         retryable
├── StoreUnavailable    the table did not answer                         retryable
├── WriterBusy          another process writes the index (writer.py)     retryable
└── CloudRefused        AWS refused the operator (adapters/aws_operator.py)
"""

from typing import ClassVar


class WorkError(Exception):
    """Root of the tree. ``retryable`` says whether the same call may succeed later by itself."""

    retryable: ClassVar[bool] = False


class BadJob(WorkError):
    """A queued body cannot be read, now or later."""


class BadSeal(WorkError):
    """Sealed text was changed, or sealed with another key."""


class ClaimLost(WorkError):
    """This worker was too slow: its lease lapsed, and the work belongs to somebody else now."""


class QueueUnavailable(WorkError):
    """The queue did not accept or return a job."""

    retryable = True


class StoreUnavailable(WorkError):
    """The state table did not answer."""

    retryable = True
