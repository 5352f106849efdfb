"""A durable queue in a SQLite file: the laptop's SQS FIFO queue."""

import asyncio
import logging
import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from handlers.adapters.sqlite_file import SqliteFile
from handlers.work.errors import BadJob, QueueUnavailable
from handlers.work.jobs import Job, decode, encode, opaque

logger = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL,
    in_group TEXT NOT NULL,
    body TEXT NOT NULL,
    dead INTEGER NOT NULL DEFAULT 0,
    visible_at REAL NOT NULL,
    receipt TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    changed_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS jobs_in_order ON jobs (dead, in_group, id);
CREATE INDEX IF NOT EXISTS jobs_by_key ON jobs (key);
CREATE TABLE IF NOT EXISTS seen (
    key TEXT PRIMARY KEY,
    until REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_by_time ON seen (until)
"""

DEAD_SECONDS = 14 * 24 * 3600
"""How long a job that nobody could handle is kept: as long as SQS can keep one."""

POLL_SECONDS = 0.25
"""How soon a job that another process put is noticed."""

# The oldest living job of each group, if nobody holds it: first in, first out within a group, any
# number of groups at once.
_NEXT = """
SELECT id, body, attempts FROM jobs AS job
WHERE dead = 0 AND visible_at <= ? AND NOT EXISTS (
    SELECT 1 FROM jobs AS older
    WHERE older.dead = 0 AND older.in_group = job.in_group AND older.id < job.id
)
ORDER BY id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """Jobs that wait, that a worker holds, and that were given up."""

    waiting: int
    held: int
    dead: int


class Delivery:
    """A job in the hands of one worker, until its visibility lease ends."""

    def __init__(self, queue: "SqliteQueue", row_id: int, receipt: str, job: Job, attempts: int):
        self._queue = queue
        self._row_id = row_id
        self._receipt = receipt
        self.job = job
        self.attempts = attempts

    async def done(self) -> bool:
        """Remove the job; False when the lease had ended and another worker has it now."""
        return await self._queue._finish(self._row_id, self._receipt)

    async def extend(self, seconds: float | None = None) -> bool:
        """Hold the job for ``seconds`` from now (the queue's lease by default); False when lost."""
        return await self._queue._extend(self._row_id, self._receipt, seconds)

    async def release(self, delay: float = 0.0, *, tried: bool = True) -> bool:
        """Put the job back, to come again after ``delay`` seconds; False when it was lost.

        ``tried=False`` gives the attempt back as well: the job itself was not at fault.
        """
        return await self._queue._release(self._row_id, self._receipt, delay, tried)


class SqliteQueue:
    """A JobQueue in ``path``, with its receiving side. Nothing is opened before the first call.

    A delivery is leased for ``lease_seconds``; if its worker dies the job comes back after that,
    and a worker that may take longer keeps it alive with ``Delivery.kept``. A job that was
    delivered ``max_attempts`` times without being done is set aside as dead, counted and kept for
    14 days. Use one instance in one event loop; any number of processes may share the file.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        lease_seconds: float = 30.0,
        max_attempts: int = 5,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._file = SqliteFile(Path(path), schema=SCHEMA, unavailable=QueueUnavailable)
        self.lease_seconds = lease_seconds
        self._max_attempts = max_attempts
        self._clock = clock
        self._changed = asyncio.Event()

    async def close(self) -> None:
        """Close the file."""
        await self._file.close()

    async def put(self, job: Job) -> None:
        """Return when the job is on the disk. One that is known already is accepted and dropped."""
        body, now = encode(job), self._clock()
        key, group = opaque(job.key), opaque(job.group)

        def work(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM seen WHERE until <= ?", (now,))
            db.execute("DELETE FROM jobs WHERE dead AND changed_at <= ?", (now - DEAD_SECONDS,))
            waiting = db.execute(
                "SELECT 1 FROM jobs WHERE key = ? AND NOT dead AND receipt = ''", (key,)
            ).fetchone()
            seen = db.execute("SELECT 1 FROM seen WHERE key = ?", (key,)).fetchone()
            if waiting or seen:
                return
            db.execute(
                "INSERT INTO jobs (key, in_group, body, visible_at, changed_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (key, group, body, now, now),
            )
            if job.dedupe_seconds:
                db.execute("INSERT INTO seen VALUES (?, ?)", (key, now + job.dedupe_seconds))

        await self._file.write(work)
        self._wake()

    async def receive(self, *, wait: float = 0.0) -> Delivery | None:
        """Return the next job, waiting up to ``wait`` seconds for one. Raises QueueUnavailable."""
        give_up = asyncio.get_running_loop().time() + wait
        while True:
            changed = self._changed
            delivery = await self._take()
            if delivery is not None:
                return delivery
            left = give_up - asyncio.get_running_loop().time()
            if left <= 0:
                return None
            try:
                async with asyncio.timeout(min(left, POLL_SECONDS)):
                    await changed.wait()
            except TimeoutError:
                continue

    async def counts(self) -> QueueCounts:
        """Count what is in the queue."""
        now = self._clock()

        def work(db: sqlite3.Connection) -> QueueCounts:
            row = db.execute(
                "SELECT count(*) FILTER (WHERE NOT dead),"
                " count(*) FILTER (WHERE NOT dead AND receipt <> '' AND visible_at > ?),"
                " count(*) FILTER (WHERE dead) FROM jobs",
                (now,),
            ).fetchone()
            return QueueCounts(waiting=row[0] - row[1], held=row[1], dead=row[2])

        return await self._file.run(work)

    async def redrive(self) -> int:
        """Let every job that was set aside come again, with all its tries; return how many."""
        now = self._clock()

        def work(db: sqlite3.Connection) -> int:
            return db.execute(
                "UPDATE jobs SET dead = 0, attempts = 0, receipt = '', visible_at = ?,"
                " changed_at = ?, body = CASE WHEN json_valid(body)"
                " THEN json_set(body, '$.round', ?) ELSE body END WHERE dead",
                (now, now, secrets.token_hex(8)),
            ).rowcount

        moved = await self._file.write(work)
        self._wake()
        return moved

    async def _take(self) -> Delivery | None:
        # Asking needs no lock; only taking does.
        while await self._file.run(self._next):
            taking = asyncio.ensure_future(self._file.write(self._lease_next))
            try:
                taken = await asyncio.shield(taking)
            except asyncio.CancelledError:
                # The thread goes on; what it took must not wait for its lease to end.
                with suppress(QueueUnavailable):
                    late = await taking
                    if late is not None:
                        await self._release(late[0], late[1], 0.0, tried=False)
                raise
            if taken is None:
                continue
            row_id, receipt, body, attempts = taken
            if attempts > self._max_attempts:
                await self._bury(row_id, receipt, "it failed too often")
                continue
            try:
                return Delivery(self, row_id, receipt, decode(body), attempts)
            except BadJob as error:
                await self._bury(row_id, receipt, str(error))
        return None

    def _next(self, db: sqlite3.Connection) -> tuple[int, str, int] | None:
        row: tuple[int, str, int] | None = db.execute(_NEXT, (self._clock(),)).fetchone()
        return row

    def _lease_next(self, db: sqlite3.Connection) -> tuple[int, str, str, int] | None:
        row = self._next(db)
        if row is None:
            return None
        now = self._clock()
        row_id, body, attempts = row
        receipt = secrets.token_hex(8)
        db.execute(
            "UPDATE jobs SET receipt = ?, attempts = ?, visible_at = ?, changed_at = ?"
            " WHERE id = ?",
            (receipt, attempts + 1, now + self.lease_seconds, now, row_id),
        )
        return row_id, receipt, body, attempts + 1

    async def _bury(self, row_id: int, receipt: str, reason: str) -> None:
        now = self._clock()
        await self._change(
            "UPDATE jobs SET dead = 1, changed_at = ? WHERE id = ? AND receipt = ?",
            (now, row_id, receipt),
        )
        logger.error("A job was set aside: %s", reason)

    async def _finish(self, row_id: int, receipt: str) -> bool:
        return await self._change(
            "DELETE FROM jobs WHERE id = ? AND receipt = ? AND NOT dead", (row_id, receipt)
        )

    async def _extend(self, row_id: int, receipt: str, seconds: float | None) -> bool:
        until = self._clock() + (self.lease_seconds if seconds is None else seconds)
        return await self._change(
            "UPDATE jobs SET visible_at = ? WHERE id = ? AND receipt = ? AND NOT dead",
            (until, row_id, receipt),
        )

    async def _release(self, row_id: int, receipt: str, delay: float, tried: bool) -> bool:
        return await self._change(
            "UPDATE jobs SET visible_at = ?, receipt = '', attempts = attempts - ?"
            " WHERE id = ? AND receipt = ? AND NOT dead",
            (self._clock() + delay, 0 if tried else 1, row_id, receipt),
        )

    async def _change(self, statement: str, values: tuple[object, ...]) -> bool:
        changed = await self._file.write(lambda db: db.execute(statement, values).rowcount > 0)
        self._wake()
        return changed

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
