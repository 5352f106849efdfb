"""State in a SQLite file: the laptop's DynamoDB."""

import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from handlers.adapters.sqlite_file import SqliteFile
from handlers.work.errors import StoreUnavailable
from handlers.work.ports import Item
from handlers.work.values import check_key, check_ttl, decode_value, encode_value

SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL,
    revision TEXT NOT NULL,
    expires_at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS items_by_expiry ON items (expires_at)
"""

_PURGE_AT_ONCE = 100


class SqliteStore:
    """A StateStore in ``path``. Nothing is opened before the first call.

    Every write also removes some items that are past their time, so the file stays as large as its
    busiest day.
    """

    def __init__(self, path: Path | str, *, clock: Callable[[], float] = time.time) -> None:
        self._file = SqliteFile(Path(path), schema=SCHEMA, unavailable=StoreUnavailable)
        self._clock = clock

    async def close(self) -> None:
        """Close the file."""
        await self._file.close()

    async def get(self, key: str) -> Item | None:
        """Return the item, or None when it is absent or past its time to live."""
        check_key(key)
        now = self._clock()

        def work(db: sqlite3.Connection) -> tuple[str, str] | None:
            found: tuple[str, str] | None = db.execute(
                "SELECT value, revision FROM items WHERE key = ? AND expires_at > ?", (key, now)
            ).fetchone()
            return found

        row = await self._file.run(work)
        if row is None:
            return None
        try:
            return Item(decode_value(row[0]), row[1])
        except ValueError as error:
            raise StoreUnavailable(f"The file {self._file.path} holds a damaged item.") from error

    async def put_if_absent(self, key: str, value: Mapping[str, object], ttl: float) -> str | None:
        """Write for ``ttl`` seconds unless the key is there; return the revision if written."""
        return await self._upsert(key, value, ttl, only_if_absent=True)

    async def put(self, key: str, value: Mapping[str, object], ttl: float) -> None:
        """Write for ``ttl`` seconds, whatever was there."""
        await self._upsert(key, value, ttl, only_if_absent=False)

    async def replace(
        self, key: str, value: Mapping[str, object], ttl: float, revision: str
    ) -> str | None:
        """Overwrite only at ``revision``; return the new revision if it was written."""
        check_key(key)
        check_ttl(ttl)
        text, now, fresh = encode_value(value), self._clock(), _new_revision()

        def work(db: sqlite3.Connection) -> str | None:
            written = db.execute(
                "UPDATE items SET value = ?, revision = ?, expires_at = ?"
                " WHERE key = ? AND revision = ? AND expires_at > ?",
                (text, fresh, now + ttl, key, revision, now),
            )
            return fresh if written.rowcount else None

        return await self._file.write(work)

    async def delete(self, key: str, revision: str | None = None) -> bool:
        """Delete, only at ``revision`` if one is given; tell whether something was deleted."""
        check_key(key)
        now = self._clock()

        def work(db: sqlite3.Connection) -> bool:
            deleted = db.execute(
                "DELETE FROM items WHERE key = ? AND expires_at > ?"
                " AND revision = ifnull(?, revision)",
                (key, now, revision),
            )
            return deleted.rowcount > 0

        return await self._file.write(work)

    async def keys(self, prefix: str) -> list[str]:
        """Return the keys that begin with ``prefix``, in any order."""
        now = self._clock()

        def work(db: sqlite3.Connection) -> list[str]:
            rows = db.execute(
                "SELECT key FROM items WHERE substr(key, 1, ?) = ? AND expires_at > ?",
                (len(prefix), prefix, now),
            )
            return [key for (key,) in rows]

        return await self._file.run(work)

    async def _upsert(
        self, key: str, value: Mapping[str, object], ttl: float, *, only_if_absent: bool
    ) -> str | None:
        check_key(key)
        check_ttl(ttl)
        text, now, fresh = encode_value(value), self._clock(), _new_revision()

        def work(db: sqlite3.Connection) -> str | None:
            _purge(db, now)
            written = db.execute(
                "INSERT INTO items (key, value, revision, expires_at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (key) DO UPDATE SET value = excluded.value,"
                " revision = excluded.revision, expires_at = excluded.expires_at"
                " WHERE items.expires_at <= ? OR NOT ?",
                (key, text, fresh, now + ttl, now, only_if_absent),
            )
            return fresh if written.rowcount else None

        return await self._file.write(work)


def _new_revision() -> str:
    # Random rather than counted: a key that was deleted and written again must not come back with
    # a revision that somebody still holds.
    return secrets.token_hex(12)


def _purge(db: sqlite3.Connection, now: float) -> None:
    db.execute(
        "DELETE FROM items WHERE key IN (SELECT key FROM items WHERE expires_at <= ? LIMIT ?)",
        (now, _PURGE_AT_ONCE),
    )
