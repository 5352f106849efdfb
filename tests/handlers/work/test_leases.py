"""A lease that is kept alive in the background."""

import asyncio

import pytest

from handlers.work.errors import ClaimLost, QueueUnavailable, StoreUnavailable
from handlers.work.leases import kept


class Lease:
    """Counts renewals, and answers each with the next of ``answers``."""

    def __init__(self, *answers: Exception | None) -> None:
        self.answers = list(answers)
        self.renewals = 0
        self._renewed = asyncio.Condition()

    async def renewed(self, times: int) -> None:
        async with self._renewed:
            await self._renewed.wait_for(lambda: self.renewals >= times)

    async def renew(self) -> None:
        async with self._renewed:
            self.renewals += 1
            self._renewed.notify_all()
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer


async def test_a_lease_is_renewed_until_the_block_is_left() -> None:
    lease = Lease()
    async with kept(lease.renew, every=0.01):
        await lease.renewed(3)
    after = lease.renewals
    await asyncio.sleep(0.05)
    assert lease.renewals == after


async def test_a_lost_lease_stops_the_work_and_says_so() -> None:
    lease = Lease(None, ClaimLost("gone"))
    finished = False
    with pytest.raises(ClaimLost, match="gone"):
        async with kept(lease.renew, every=0.01):
            await asyncio.sleep(10)
            finished = True
    assert not finished
    # The task itself is not cancelled: it can go on with something else.
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0


async def test_a_store_that_is_away_for_a_moment_is_asked_again() -> None:
    lease = Lease(StoreUnavailable("away"), QueueUnavailable("away"))
    async with kept(lease.renew, every=0.01):
        await asyncio.wait_for(lease.renewed(4), 10)


async def test_an_error_of_the_work_itself_is_passed_on() -> None:
    lease = Lease()
    with pytest.raises(KeyError):
        async with kept(lease.renew, every=0.01):
            raise KeyError("own")


async def test_a_cancellation_from_outside_stays_a_cancellation() -> None:
    lease = Lease()

    async def work() -> None:
        async with kept(lease.renew, every=0.01):
            await asyncio.sleep(10)

    working = asyncio.create_task(work())
    await asyncio.sleep(0.05)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


async def test_a_mistake_in_the_renewal_is_not_swallowed() -> None:
    lease = Lease(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        async with kept(lease.renew, every=0.01):
            await asyncio.sleep(0.1)
