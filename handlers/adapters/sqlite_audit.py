"""The audit log in a SQLite file: the laptop's table of entries."""

import secrets
import sqlite3
from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from pathlib import Path

from handlers.adapters.sqlite_file import SqliteFile
from handlers.tools.audit import AuditEntry, decode_entry, encode_entry, stamp
from handlers.work.errors import StoreUnavailable

SCHEMA = """
CREATE TABLE IF NOT EXISTS audit (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    id TEXT NOT NULL,
    entry TEXT NOT NULL,
    UNIQUE (at, id)
)
"""

_AT_ONCE = 200


class SqliteAudit:
    """An AuditLog in ``path``. Nothing is opened before the first call."""

    def __init__(self, path: Path | str) -> None:
        self._file = SqliteFile(Path(path), schema=SCHEMA, unavailable=StoreUnavailable)

    async def close(self) -> None:
        """Close the file."""
        await self._file.close()

    async def append(self, entry: AuditEntry) -> None:
        """Return when the entry is on the disk."""
        row = (stamp(entry.at), entry.id or secrets.token_hex(12), encode_entry(entry))

        def work(db: sqlite3.Connection) -> None:
            db.execute("INSERT OR IGNORE INTO audit (at, id, entry) VALUES (?, ?, ?)", row)

        await self._file.write(work)

    async def read(self, since: datetime, until: datetime) -> AsyncIterator[AuditEntry]:
        """Yield entries in the order of their times, from ``since`` to before ``until``."""
        begins, ends = stamp(since), stamp(until)
        after = (begins, -1)
        while True:
            rows = await self._file.run(partial(_page, after=after, ends=ends))
            for at, position, entry in rows:
                after = (at, position)
                yield self._decoded(entry)
            if len(rows) < _AT_ONCE:
                return

    def _decoded(self, entry: str) -> AuditEntry:
        try:
            return decode_entry(entry)
        except ValueError as error:
            raise StoreUnavailable(f"The file {self._file.path} holds a damaged entry.") from error


def _page(db: sqlite3.Connection, after: tuple[str, int], ends: str) -> list[tuple[str, int, str]]:
    return db.execute(
        "SELECT at, position, entry FROM audit WHERE (at, position) > (?, ?) AND at < ?"
        " ORDER BY at, position LIMIT ?",
        (*after, ends, _AT_ONCE),
    ).fetchall()
