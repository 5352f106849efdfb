"""Where a run is at home: the job that began it, found again by its name or by its thread."""

from typing import Final

from handlers.work.errors import BadJob
from handlers.work.jobs import AgentJob, decode, encode
from handlers.work.ports import StateStore

KEPT_SECONDS: Final = 30 * 24 * 3600.0


class RunJobs:
    """Remembers for 30 days which job a run came from. Raises StoreUnavailable."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    async def keep(self, job: AgentJob) -> None:
        """Remember the job of its run, and as the newest of its thread."""
        value = {"job": encode(job)}
        await self._store.put(_run(job.run), value, KEPT_SECONDS)
        await self._store.put(_thread(job.team, job.channel, job.thread_ts), value, KEPT_SECONDS)

    async def of_run(self, run: str) -> AgentJob | None:
        """Return a job of the run, or None."""
        return await self._read(_run(run))

    async def of_thread(self, team: str, channel: str, thread_ts: str) -> AgentJob | None:
        """Return a job of the newest run of a thread, or None."""
        return await self._read(_thread(team, channel, thread_ts))

    async def _read(self, key: str) -> AgentJob | None:
        item = await self._store.get(key)
        try:
            job = decode(str(item.value.get("job"))) if item else None
        except BadJob:
            return None
        return job if isinstance(job, AgentJob) else None


def _run(run: str) -> str:
    return f"agent-job:{run}"


def _thread(team: str, channel: str, thread_ts: str) -> str:
    return f"agent-thread:{team}:{channel}:{thread_ts}"
