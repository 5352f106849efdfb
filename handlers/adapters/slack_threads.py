"""What is remembered of threads between two syncs, so that not every one is read each time.

Kept are ids, hashes and times, never words: of each thread what its root said of it (how many
replies, the latest), a hash of the replies as they were read, the ids of the people in it, and when
that was. Slack changes the count or the latest reply with every new or deleted reply, but not when
one is edited; therefore the caller reads again what is ``due``, too.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.listings import word
from handlers.adapters.slack_documents import Digest
from index.documents import stable_id


def news_of(root: Mapping[str, Any]) -> str:
    """Return what differs whenever a reply was added or deleted."""
    count, users = root.get("reply_count"), root.get("reply_users_count")
    return stable_id(str(count), str(users), word(root, "latest_reply"))


@dataclass(frozen=True, slots=True)
class Remembered:
    """The replies of a thread as they were read at ``read`` (seconds since the epoch)."""

    news: str
    replies: Digest
    read: float


class ThreadMemory:
    """The threads of one source in one file. ``recipe`` names how messages are judged."""

    def __init__(self, path: Path, recipe: str) -> None:
        """Nothing is read before ``load``."""
        self._path = path
        self._recipe = recipe
        self._threads: dict[str, Remembered] = {}
        self._seen: set[str] = set()

    def load(self) -> None:
        """Read the file; missing, damaged or of another recipe it holds nothing. Blocks."""
        self._threads, self._seen = {}, set()
        with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
            kept = json.loads(self._path.read_text("utf-8"))
            if kept["recipe"] == self._recipe:
                self._threads = {key: _thread(row) for key, row in kept["threads"].items()}

    def save(self, *, complete: bool = False) -> None:
        """Write the file at once and whole. ``complete`` forgets what was not looked for. Blocks.

        A memory that cannot be kept costs time with the next sync, so it is no error.
        """
        if complete:
            self._threads = {key: self._threads[key] for key in self._seen & self._threads.keys()}
        rows = {key: _row(one) for key, one in self._threads.items()}
        text = json.dumps({"recipe": self._recipe, "threads": rows}, separators=(",", ":"))
        fresh = self._path.with_suffix(".new")
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(text, "utf-8")
            fresh.replace(self._path)

    def due(self, count: int) -> frozenset[str]:
        """Return the ``count`` threads that were read longest ago."""
        oldest = sorted(self._threads, key=lambda key: (self._threads[key].read, key))
        return frozenset(oldest[:count])

    def get(self, key: str, news: str) -> Digest | None:
        """Return the replies of a thread, if no reply came or went since they were read."""
        self._seen.add(key)
        found = self._threads.get(key)
        return found.replies if found is not None and found.news == news else None

    def put(self, key: str, news: str, replies: Digest, now: float) -> None:
        """Remember a thread that was just read."""
        self._seen.add(key)
        self._threads[key] = Remembered(news, replies, now)


def _row(one: Remembered) -> list[Any]:
    replies = one.replies
    return [one.news, replies.value, sorted(replies.named), replies.empty, one.read]


def _thread(row: Any) -> Remembered:
    news, value, named, empty, read = row
    digest = Digest(str(value), frozenset(map(str, named)), bool(empty))
    return Remembered(str(news), digest, float(read))
