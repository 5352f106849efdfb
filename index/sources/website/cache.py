"""What earlier visits found, in one SQLite file that may vanish at any time.

It only saves requests: without it, or if it cannot be written, every page is fetched again. Bodies
are packed, and bounded in sum; the oldest go first. What is forgotten is overwritten, for a page
that was deleted must not go on lying here.
"""

import json
import logging
import sqlite3
import sys
import threading
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)

_FILE = "pages.sqlite"
_GONE = "gone:"
_TABLES = """
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = OFF;
    PRAGMA secure_delete = ON;
    CREATE TABLE IF NOT EXISTS page (
        key TEXT PRIMARY KEY, record TEXT NOT NULL, size INTEGER NOT NULL DEFAULT 0,
        stored REAL NOT NULL DEFAULT 0, body BLOB
    );
    CREATE INDEX IF NOT EXISTS by_age ON page (stored) WHERE body IS NOT NULL;
    CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Visited:
    """What the latest visit to an address found.

    ``checked`` is when, in seconds since the epoch, and ``round`` in which round. ``version`` is
    empty if there is no document: a redirect (``alias``), or a page that asks not to be indexed.
    ``lastmod`` is what the sitemap said then.
    """

    url: str
    checked: float
    version: str = ""
    media_type: str = ""
    etag: str = ""
    last_modified: str = ""
    links: tuple[str, ...] = ()
    canonical: str = ""
    alias: bool = False
    lastmod: str = ""
    round: int = 0


class PageCache:
    """The file; open it in a ``with``. Blocking, safe to use from several threads.

    ``recipe`` names everything that decides what is kept: a file of another recipe begins anew.
    ``largest`` bounds the bodies in bytes, packed; those put since ``began`` (seconds since the
    epoch) make way for no other, since they are about to be fetched.
    """

    def __init__(self, folder: Path, *, recipe: str, largest: int, began: float = 0.0) -> None:
        """Describe it; nothing is opened yet."""
        self._began = began
        self._path = folder / _FILE
        self._recipe = recipe
        self._largest = largest
        self._lock = threading.RLock()
        self._file: sqlite3.Connection | None = None
        self._given_up = False
        self._size: int | None = None

    def __enter__(self) -> "PageCache":
        """Open the file when it is first used."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it, for good: what still comes from other threads is not kept."""
        with self._lock:
            self._given_up = True
            self._abandon()

    def round(self) -> int:
        """Return the number of the round that is not complete yet; the first is 1."""
        rows = self._all("SELECT value FROM fact WHERE name = 'round'")
        return int(rows[0][0]) if rows else 1

    def visited(self) -> dict[str, Visited]:
        """Return all visits, by address."""
        rows = self._all("SELECT record FROM page WHERE key LIKE 'http%'")
        found = (_visited(record) for (record,) in rows)
        return {one.url: one for one in found if one is not None}

    def gone(self) -> set[str]:
        """Return the addresses at which this round has found no document."""
        rows = self._all("SELECT key FROM page WHERE key LIKE 'gone:%'")
        return {key.removeprefix(_GONE) for (key,) in rows}

    def note_gone(self, url: str) -> None:
        """Forget what was at an address, and remember for this round that nothing is."""
        self.drop([url])
        self._do("INSERT OR REPLACE INTO page (key, record) VALUES (?, '')", (_GONE + url,))

    def end_round(self) -> None:
        """Note that everything was visited; the next listing begins a new round."""
        number = self.round()
        self._do("DELETE FROM page WHERE key LIKE 'gone:%'")
        self._do("INSERT OR REPLACE INTO fact VALUES ('round', ?)", (str(number + 1),))

    def one(self, key: str) -> tuple[Visited, bytes | None] | None:
        """Return one visit and its body, if it was kept."""
        rows = self._all("SELECT record, body FROM page WHERE key = ?", (key,))
        for record, body in rows:
            visited = _visited(record)
            try:
                plain = None if body is None else zlib.decompress(body)
            except zlib.error:
                plain = None
            return None if visited is None else (visited, plain)
        return None

    def put(self, key: str, visited: Visited, body: bytes | None = None) -> None:
        """Keep a visit; without a body the one that was kept stays."""
        record = json.dumps(asdict(visited))
        if body is None:
            self._do(
                "INSERT INTO page (key, record) VALUES (?, ?)"
                " ON CONFLICT (key) DO UPDATE SET record = excluded.record",
                (key, record),
            )
            return
        packed: bytes | None = zlib.compress(body, 1)
        size = len(packed or b"")
        with self._lock:
            self._forget_body(key)
            if not self._has_room(size):
                packed, size = None, 0
            self._do(
                "INSERT OR REPLACE INTO page VALUES (?, ?, ?, ?, ?)",
                (key, record, size, visited.checked, packed),
            )
            self._size = (self._size or 0) + size

    def drop(self, keys: Iterable[str]) -> None:
        """Forget visits and their bodies."""
        with self._lock:
            for key in keys:
                self._forget_body(key)
                self._do("DELETE FROM page WHERE key = ?", (key,))

    def _has_room(self, wanted: int) -> bool:
        """Make room for a body, if older ones may go."""
        if self._size is None:
            self._size = sum(size for (size,) in self._all("SELECT sum(size) FROM page") if size)
        while self._size + wanted > self._largest:
            oldest = self._all(
                "SELECT key FROM page WHERE body IS NOT NULL AND stored < ?"
                " ORDER BY stored LIMIT 1",
                (self._began,),
            )
            if not oldest:
                return False
            self._forget_body(oldest[0][0])
        return True

    def _forget_body(self, key: str) -> None:
        for (size,) in self._all("SELECT size FROM page WHERE key = ? AND size > 0", (key,)):
            self._do("UPDATE page SET body = NULL, size = 0 WHERE key = ?", (key,))
            self._size = None if self._size is None else self._size - size

    def _all(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            try:
                file = self._opened()
                return [] if file is None else file.execute(query, values).fetchall()
            except (OSError, sqlite3.Error) as error:
                self._give_up(error)
        return []

    def _do(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._all(statement, values)

    def _opened(self) -> sqlite3.Connection | None:
        if self._file is None and not self._given_up:
            try:
                self._open()
            except sqlite3.DatabaseError:
                # A damaged file: what it knew is lost, and found again.
                self._abandon()
                self._path.unlink(missing_ok=True)
                self._open()
        return self._file

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = file = sqlite3.connect(
            self._path, timeout=10, isolation_level=None, check_same_thread=False
        )
        file.executescript(_TABLES)
        recipe = file.execute("SELECT value FROM fact WHERE name = 'recipe'").fetchone()
        if recipe != (self._recipe,):
            file.executescript("DELETE FROM page; DELETE FROM fact;")
            file.execute("INSERT INTO fact VALUES ('recipe', ?)", (self._recipe,))

    def _give_up(self, error: Exception) -> None:
        _log.warning("the cache of a website cannot be used: %s", type(error).__name__)
        self._given_up = True
        self._abandon()

    def _abandon(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _visited(record: str) -> Visited | None:
    try:
        fields = json.loads(record)
        return Visited(**{**fields, "links": tuple(map(sys.intern, fields["links"]))})
    except (KeyError, TypeError, ValueError):
        return None
