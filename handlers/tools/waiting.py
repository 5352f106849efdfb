"""Runs that wait for a human, so that one whose time is over ends although nobody comes.

A store cannot be searched, so the names of waiting runs lie in a few rows of their own, by a hash.
What is missed here (a row that is full) still ends when somebody clicks or writes.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from handlers.work.errors import BadJob
from handlers.work.jobs import AgentJob, decode, encode
from handlers.work.ports import JobQueue, StateStore

SHARDS: Final = 16
MOST_A_SHARD: Final = 300
"""A job takes about 600 bytes, and a row 256 KiB."""

KEPT_SECONDS: Final = 60 * 24 * 3600.0
LATE_SECONDS: Final = 5.0
"""Waited beyond the end of an approval, because clocks differ."""

AGAIN_SECONDS: Final = 600.0

_ROUNDS = 8


class Waiting:
    """The runs that wait. All methods raise StoreUnavailable."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    async def add(self, job: AgentJob, expires_at: float) -> None:
        """Remember that the run of ``job`` waits until ``expires_at``, seconds since the epoch."""
        entry = {"job": encode(replace(job, step="")), "until": expires_at}

        def put(held: dict[str, object]) -> None:
            if job.run in held or len(held) < MOST_A_SHARD:
                held[job.run] = entry

        await self._change(_shard(job.run), put)

    async def remove(self, run: str) -> None:
        """Forget a run that waits no longer."""
        await self._change(_shard(run), lambda held: held.pop(run, None))

    async def over(self, now: float) -> list[tuple[AgentJob, float]]:
        """Return a job of each run whose time was over by ``now``, and when it was."""
        found: list[tuple[AgentJob, float]] = []
        for shard in range(SHARDS):
            item = await self._store.get(_key(shard))
            for entry in _held(item.value if item else {}).values():
                job, until = _read(entry)
                if job is not None and until + LATE_SECONDS <= now:
                    found.append((job, until))
        return found

    async def _change(self, shard: int, change: Callable[[dict[str, object]], object]) -> None:
        for _ in range(_ROUNDS):
            item = await self._store.get(_key(shard))
            before = _held(item.value if item else {})
            after = dict(before)
            change(after)
            if after == before:
                return
            value = {"runs": after}
            if item is None:
                written = await self._store.put_if_absent(_key(shard), value, KEPT_SECONDS)
            else:
                written = await self._store.replace(_key(shard), value, KEPT_SECONDS, item.revision)
            if written is not None:
                return


async def expire_runs(
    store: StateStore, queue: JobQueue, *, clock: Callable[[], float] = time.time
) -> int:
    """Have each run go on whose approvals nobody decided about in time; return how many.

    Call it every few minutes. Doing so twice does no harm: the queue knows the job by its step, and
    a run that went on meanwhile finds nothing to do. Raises StoreUnavailable, QueueUnavailable.
    """
    now = clock()
    found = await Waiting(store).over(now)
    for job, until in found:
        # A new name every now and then: one that came too early must not be the last.
        step = f"expired:{until:.0f}:{now // AGAIN_SECONDS:.0f}"
        await queue.put(replace(job, step=step, accepted_at=now, round=""))
    return len(found)


def _read(entry: object) -> tuple[AgentJob | None, float]:
    if not isinstance(entry, Mapping):
        return None, 0.0
    until = entry.get("until")
    try:
        job = decode(str(entry.get("job")))
    except BadJob:
        return None, 0.0
    at = float(until) if isinstance(until, int | float) else 0.0
    return (job if isinstance(job, AgentJob) else None), at


def _held(value: Mapping[str, object]) -> dict[str, object]:
    runs = value.get("runs")
    return dict(runs) if isinstance(runs, dict) else {}


def _shard(run: str) -> int:
    return hashlib.sha256(run.encode("utf-8", "surrogatepass")).digest()[0] % SHARDS


def _key(shard: int) -> str:
    return f"agent-waiting:{shard}"
