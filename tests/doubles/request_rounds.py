"""Which requests waited for each other: rounds, the number that a distance is multiplied by. Pure.

::

    manifest ────┐
                 index of words ────┐           3 rounds: each began when one before it had ended
                 index of readers ─────┐
                                    rows ────┐

What overlaps shares a round. So the number of rounds is the length of the longest chain of requests
each of which began after the one before had been answered.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import unquote

_KINDS = (
    ("list", re.compile(r"[?&]list-type=|/\?|/$")),
    ("manifest", re.compile(r"/_versions/")),
    ("transaction", re.compile(r"/_transactions/")),
    ("deletions", re.compile(r"/_deletions/")),
    ("rows", re.compile(r"/data/")),
    ("index", re.compile(r"/_indices/")),
)
_LISTED = re.compile(r"[?&]prefix=([^&]*)")
_INDEX_FILE = re.compile(r"/_indices/([0-9a-f-]+)/([^?]+)")


class Passed(NamedTuple):
    """A request that was answered: when it came and when its answer was complete, in seconds.

    ``size`` is the number of bytes of the answer to a GET.
    """

    method: str
    path: str
    began: float
    ended: float
    size: int = 0

    @property
    def kind(self) -> str:
        """What was asked for: a listing of what, a manifest, rows, or which file of an index."""
        if index_file := _INDEX_FILE.search(self.path):
            return f"{self.method} index {index_file[2]}"
        kind = next((name for name, pattern in _KINDS if pattern.search(self.path)), "other")
        if listed := _LISTED.search(self.path):
            folder = unquote(listed[1]).strip("/").rpartition("/")[2]
            return f"{self.method} {kind} {folder}".rstrip()
        return f"{self.method} {kind}"


def rounds_of(passed: Iterable[Passed]) -> list[list[Passed]]:
    """Divide requests into rounds: each ends with the first answer after which another began."""
    rounds: list[list[Passed]] = []
    first_answer = float("-inf")
    for one in sorted(passed, key=lambda request: request.began):
        if one.began >= first_answer:
            rounds.append([])
            first_answer = one.ended
        rounds[-1].append(one)
        first_answer = min(first_answer, one.ended)
    return rounds


def told(rounds: Sequence[Sequence[Passed]]) -> list[str]:
    """Return a line a round: when it began, how many requests of which kind, how many bytes."""
    lines = []
    origin = rounds[0][0].began if rounds else 0.0
    for number, one in enumerate(rounds, start=1):
        kinds = Counter(request.kind for request in one)
        size = sum(request.size for request in one)
        what = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
        began = 1_000 * (one[0].began - origin)
        lines.append(f"{number:>3} {began:>6.0f} ms {size / 1e3:>8.0f} kB  {what}")
    return lines
