"""A sync whose documents are prepared by others, and committed by the one who asked for them.

::

    committer   plan ─▶ portions ─▶ requests, jobs ─ ─ waits, commits what comes ─▶ deletes it
    workers                              └─▶ fetch, parse, cut, embed ─▶ one result each ─┘

What was committed is planned no more, what was prepared and not committed is found by the next run,
and what did not come is asked for again by then. So each of them may die at any point.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from index.documents import DocumentRef
from index.errors import PreparedBroken
from index.pacing import Paced
from index.portion_files import Prepared, Request, decode_prepared, encode_request
from index.portions import Asked, Portion, portions
from index.ports import Source
from index.staging import ASKED, PREPARED, Staging, file_of, folder_of, portion_of
from index.sync_committing import Committing, Ready, Shelf
from index.sync_pipeline import Pipeline
from index.sync_progress import Done, Telling

STALLED_SECONDS: Final = 300.0
"""How long nothing at all may come before the committer stops waiting: a worker's whole time."""

AT_ONCE: Final = 16
"""Requests that are written at the same time."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FanOut:
    """How documents are prepared elsewhere.

    ``ask`` tells the workers the name of a source and the id of a portion that was staged, and may
    do so twice. ``remembered`` are versions that vectors may be taken from. ``may_write`` raises
    when another committer has taken over, to whom what is staged belongs then. A plan of at most
    ``most`` documents is not worth asking anybody. ``until`` is when to stop waiting, by ``clock``.
    """

    staging: Staging
    ask: Callable[[str, str], Awaitable[None]]
    remembered: Callable[[], Sequence[tuple[str, int]]]
    may_write: Callable[[], Awaitable[None]]
    most: int
    until: float = math.inf
    look_every: float = 2.0
    stalled_after: float = STALLED_SECONDS
    clock: Callable[[], float] = time.monotonic


async def keep_only(by: FanOut, sources: Collection[str]) -> None:
    """Delete what is staged of all sources but these. Raises IndexUnavailable."""
    theirs = tuple(f"{folder_of(one)}/" for one in sources)
    if others := [one for one in await by.staging.names() if not one.startswith(theirs)]:
        await by.may_write()
        await by.staging.delete(others)


class FannedOut:
    """One run over the documents of a plan, like Pipeline."""

    def __init__(
        self,
        by: FanOut,
        source: Source,
        recipe: str,
        index: Shelf,
        pipeline: Pipeline,
        fingerprint_of: Callable[[DocumentRef], str],
        telling: Telling,
    ) -> None:
        """``pipeline`` does what is not worth asking others; nothing is read before ``run``."""
        self._by, self._staging = by, by.staging
        self._source, self._folder = source, folder_of(source.name)
        self._recipe = recipe
        self._index = index
        self._pipeline = pipeline
        self._fingerprint_of = fingerprint_of
        self._telling, self._done = telling, telling.done
        self._committing = Committing(index, telling)
        self._wanted: dict[str, Asked] = {}
        self._asked: dict[str, Portion] = {}
        self._taken: set[str] = set()

    async def run(self, added: Sequence[DocumentRef], changed: Sequence[DocumentRef]) -> Done:
        """Index these documents. Whatever was staged when it fails is forgotten again."""
        self._telling.note(stage="syncing", to_fetch=len(added) + len(changed))
        for refs, known in ((added, False), (changed, True)):
            asked = [Asked(ref, self._fingerprint_of(ref), known) for ref in refs]
            self._wanted |= {one.token: one for one in asked}
        try:
            names = await self._staging.names(self._folder)
            await self._take_all(names)
            await self._commit()
            if elsewhere := self._is_worth_asking():
                made = portions(self._wanted.values(), self._recipe, self._by.most)
                self._asked = {one.id: one for one in made}
            await self._clear(names)
            if elsewhere:
                await self._ask(list(self._asked.values()))
                await self._wait()
                await self._commit()
                await self._clear(await self._staging.names(self._folder))
                self._done.missing = len(self._wanted)
                return self._done
        except BaseException:
            await self._index.discard()
            raise
        left = self._wanted.values()
        return await self._pipeline.run(
            [one.ref for one in left if not one.known_before],
            [one.ref for one in left if one.known_before],
        )

    def _is_worth_asking(self) -> bool:
        paced = isinstance(self._source, Paced) and self._source.paced
        return len(self._wanted) > self._by.most and not paced

    async def _ask(self, some: Sequence[Portion]) -> None:
        await self._by.may_write()
        remembered = tuple(self._by.remembered())

        async def ask(portion: Portion) -> None:
            name = file_of(self._source.name, portion.id, ASKED)
            request = Request(self._source.name, portion, remembered)
            await self._staging.write(name, encode_request(request))
            await self._by.ask(self._source.name, portion.id)

        for begin in range(0, len(some), AT_ONCE):
            await asyncio.gather(*map(ask, some[begin : begin + AT_ONCE]))

    async def _wait(self) -> None:
        clock = self._by.clock
        heard = clock()
        while self._asked and clock() < min(self._by.until, heard + self._by.stalled_after):
            if await self._take_all(await self._staging.names(self._folder)):
                heard = clock()
            elif self._asked:
                await asyncio.sleep(self._by.look_every)

    async def _take_all(self, names: Sequence[str]) -> int:
        """Take all results among these files; return how many could be read."""
        taken = 0
        for name in names:
            if name.endswith(PREPARED) and name not in self._taken:
                taken += await self._take(name)
        return taken

    async def _take(self, name: str) -> bool:
        try:
            content = await self._staging.read(name) or b""
            prepared = await asyncio.to_thread(decode_prepared, content)
            if prepared.portion != portion_of(name):
                raise PreparedBroken("A result bears the name of another portion.")
        except PreparedBroken as error:
            _log.warning("a result is made again: %s", error)
            await self._delete([name])
            if portion := self._asked.get(portion_of(name)):
                await self._ask([portion])
            return False
        self._taken.add(name)
        portion = self._asked.pop(prepared.portion, None)
        covered = [self._wanted.pop(one) for one in prepared.covered if one in self._wanted]
        if prepared.given_up and portion is not None:
            self._done.reasons.append(prepared.given_up)
            return True
        if await self._committing.add(self._counted(prepared, covered)):
            await self._commit()
        left = [one for one in portion.asked if one.token in self._wanted] if portion else []
        if left and covered:
            # It had no time or no room for them.
            rest = portions(left, self._recipe, self._by.most)
            self._asked |= {one.id: one for one in rest}
            await self._ask(rest)
        return True

    def _counted(self, prepared: Prepared, covered: Sequence[Asked]) -> Sequence[Ready]:
        now = self._telling.now
        self._done.embedded += prepared.embedded
        self._done.reused += prepared.reused
        self._telling.note(
            fetched=now.fetched + len(covered),
            known_chunks=now.known_chunks + prepared.embedded + prepared.reused,
            embedded_chunks=self._done.embedded,
            reused_chunks=self._done.reused,
        )
        known = {one.ref.id: one.known_before for one in covered}
        places = {one.ref.location for one in covered}
        self._telling.skip(*(one for one in prepared.skipped if one.location in places))
        entries = [(entry.document.ref.id, entry) for entry in prepared.entries]
        return [Ready(entry, known[document]) for document, entry in entries if document in known]

    async def _commit(self) -> None:
        """Commit what was taken, and only then delete it, the requests first."""
        await self._committing.flush()
        taken, self._taken = sorted(self._taken), set()
        asked = [file_of(self._source.name, portion_of(name), ASKED) for name in taken]
        await self._delete([*asked, *taken])

    async def _clear(self, names: Sequence[str]) -> None:
        """Delete all of these files that nobody waits for any more: they hold private text."""
        kept = {
            file_of(self._source.name, one, kind)
            for one in self._asked
            for kind in (ASKED, PREPARED)
        }
        await self._delete([name for name in names if name not in kept])

    async def _delete(self, names: Sequence[str]) -> None:
        if names:
            await self._by.may_write()
            await self._staging.delete(names)
