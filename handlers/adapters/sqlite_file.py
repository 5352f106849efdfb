"""One SQLite file, used by several processes, without blocking the event loop."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from handlers.work.errors import QueueUnavailable, StoreUnavailable

T = TypeVar("T")

BUSY_SECONDS = 10.0
"""How long to wait for another process that writes; a write takes milliseconds."""

FILE_VERSION = 1
"""Kept in ``PRAGMA user_version``; a later format gets the next number."""


class SqliteFile:
    """A connection that lives in one thread of its own; opened on first use.

    Every statement runs in that thread, one after the other, so that an fsync never stops the
    event loop. The journal is a WAL and every commit is synced: what was committed survives the
    death of the process and of the machine. Whatever goes wrong is raised as ``unavailable``, with
    a sentence for the person who owns the file.
    """

    def __init__(
        self,
        path: Path,
        *,
        schema: str,
        unavailable: type[QueueUnavailable] | type[StoreUnavailable],
        busy_seconds: float = BUSY_SECONDS,
    ) -> None:
        self.path = path
        self._schema = schema
        self._unavailable = unavailable
        self._busy_seconds = busy_seconds
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` with the connection, in autocommit mode.

        A caller that is cancelled does not stop ``work``, which is allowed to finish.
        """
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` in one transaction that no other writer can interleave with."""

        def in_transaction(connection: sqlite3.Connection) -> T:
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return result

        return await self.run(in_transaction)

    async def close(self) -> None:
        """Close the file. It opens again when it is used again."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._drop)

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return work(self._open())
        except (sqlite3.Error, OSError) as error:
            # The next call opens afresh, so that a repaired disk or permission is noticed.
            self._drop()
            raise self._unavailable(self._explain(error)) from error

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._identity == self._on_disk():
            return self._connection
        # Also here when somebody removed or replaced the file: rows would go to a file that no
        # longer has a name, and be lost with this process.
        self._drop()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=self._busy_seconds, isolation_level=None)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection, self._identity = connection, self._on_disk()
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # Processes that switch a new file to WAL at once collide in a way that SQLite's own busy
        # handler does not wait for: 2 of 480 failed with "database is locked", eight at a time.
        give_up = time.monotonic() + self._busy_seconds
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL").fetchone()
                break
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > give_up:
                    raise
                time.sleep(0.02)
        connection.execute("PRAGMA synchronous=FULL")
        # After a checkpoint the journal is cut to this size, so that it does not stay at its peak.
        connection.execute("PRAGMA journal_size_limit=4194304")
        connection.execute("BEGIN IMMEDIATE")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > FILE_VERSION:
            connection.execute("ROLLBACK")
            raise sqlite3.DatabaseError("it was written by a newer version of Footnote")
        for statement in self._schema.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version={FILE_VERSION}")
        connection.execute("COMMIT")

    def _on_disk(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _explain(self, error: Exception) -> str:
        said = (error.strerror if isinstance(error, OSError) else None) or str(error)
        if "locked" in said or "busy" in said:
            hint = "Another process is holding it; try again, or stop that process."
        elif "not a database" in said or "malformed" in said:
            hint = "The file is damaged. Move it away and start again; Footnote makes a new one."
        elif "newer version" in said:
            hint = "Update Footnote, or choose another folder with FOOTNOTE_HOME."
        elif "disk is full" in said or "No space left" in said or "too large" in said:
            hint = "Free some space on that disk."
        else:
            hint = "Check that the folder can be written, or choose another with FOOTNOTE_HOME."
        return f"The file {self.path} cannot be used: {said}. {hint}"
