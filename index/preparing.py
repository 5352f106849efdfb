"""What a worker makes of a portion: the pipeline of a sync, whose entries go into one result.

It is that very pipeline, so whatever it decides about a document is decided alike here and there:
another version than was listed, what cannot be read, what may have lost readers. Only the shelf is
another one, which takes known vectors from the index and keeps the entries to itself. A text that
is new in two portions at the same moment is embedded in both: their workers do not know each other.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final, Protocol

from index.chunking import searchable_text
from index.documents import DocumentRef, fingerprint, stable_id
from index.errors import NothingPrepared, PreparedBroken
from index.portion_files import Prepared, decode_request, encode_prepared
from index.portions import Asked, Portion
from index.ports import Embedder, IndexEntry, Parser, Source, Vector
from index.recipes import recipe
from index.staging import ASKED, PREPARED, Staging, file_of, folder_of
from index.sync_committing import COMMIT_CHUNKS, Shelf
from index.sync_pipeline import Pipeline
from index.sync_progress import Done, Telling

RECIPE_CHANGED: Final = (
    "Its documents were asked for by another version of the program or of the catalog."
)

FIRST_STEP: Final = 4
LONGEST_STEP: Final = 64
"""Documents that are prepared together: few at first, so that a portion of slow ones gets ahead."""


class Followed(Shelf, Protocol):
    """What a worker reads of the index, without changing anything."""

    async def follow(self, recipe: str, remembered: Sequence[tuple[str, int]]) -> None:
        """See from now on what the writer sees in its run, which remembers these versions."""
        ...


async def prepare_asked(
    staging: Staging,
    portion_id: str,
    source: Source,
    parser: Parser,
    embedder: Embedder,
    index: Followed,
    *,
    seconds: float | None = None,
) -> bool:
    """Prepare a portion of a source that was asked for, and stage what was made of it.

    Returns False if nobody waits for it any more. Doing it again changes nothing. Raises what
    ``prepare`` raises, and PreparedBroken for a request that this program cannot fulfil.
    """
    made_by, readers = recipe(parser, embedder), source.readers
    asked = await staging.read(file_of(source.name, portion_id, ASKED))
    if asked is None:
        return False
    result = file_of(source.name, portion_id, PREPARED)
    if result in await staging.names(folder_of(source.name)):
        return True
    request = decode_request(asked)
    portion = request.portion

    def fingerprint_of(ref: DocumentRef) -> str:
        return fingerprint(ref.version, readers, made_by)

    if any(one.fingerprint != fingerprint_of(one.ref) for one in portion.asked):
        raise PreparedBroken(RECIPE_CHANGED)
    await index.follow(portion.recipe, request.remembered)
    made = await prepare(
        portion, source, parser, embedder, index, fingerprint_of=fingerprint_of, seconds=seconds
    )
    return await _staged(staging, source.name, made)


async def give_up(staging: Staging, source: str, portion_id: str, reason: str) -> bool:
    """Tell the committer that a portion does not come; False if it does not wait for it."""
    return await _staged(staging, source, Prepared(portion_id, given_up=reason))


async def _staged(staging: Staging, source: str, made: Prepared) -> bool:
    # What was removed meanwhile must not lie there; who still wants it has left its request.
    if await staging.read(file_of(source, made.portion, ASKED)) is None:
        return False
    content = await asyncio.to_thread(encode_prepared, made)
    await staging.write(file_of(source, made.portion, PREPARED), content)
    return True


async def prepare(
    portion: Portion,
    source: Source,
    parser: Parser,
    embedder: Embedder,
    index: Shelf,
    *,
    fingerprint_of: Callable[[DocumentRef], str],
    seconds: float | None = None,
) -> Prepared:
    """Prepare the documents of a portion, or as many as ``seconds`` and memory allow.

    Nothing is changed. Raises SourceUnavailable, EmbedderUnavailable, EmbedderUnreachable,
    EmbedderMismatch, IndexUnavailable; NothingPrepared if the time was too short for anything.
    """
    ends = None if seconds is None else time.monotonic() + seconds
    kept, covered, done = _Kept(index), list[Asked](), Done()
    for step in _steps(portion.asked):
        telling = Telling(None)
        pipeline = Pipeline(source, parser, embedder, kept, fingerprint_of, telling)
        added = [one.ref for one in step if not one.known_before]
        changed = [one.ref for one in step if one.known_before]
        try:
            async with asyncio.timeout(None if ends is None else ends - time.monotonic()):
                await pipeline.run(added, changed)
        except TimeoutError:
            if ends is None or time.monotonic() < ends:
                raise
            break
        covered += step
        done.embedded += telling.done.embedded
        done.reused += telling.done.reused
        done.skipped += telling.done.skipped
        if kept.chunks >= COMMIT_CHUNKS:
            break
    if not covered:
        raise NothingPrepared(
            f"Not one of {len(portion.asked)} documents of {source.name} could be prepared in"
            f" {seconds or 0:.0f} seconds. See whether the source answers slowly."
        )
    return Prepared(
        portion=portion.id,
        covered=frozenset(one.token for one in covered),
        entries=tuple(kept.entries),
        skipped=tuple(done.skipped),
        embedded=done.embedded,
        reused=done.reused,
    )


def _steps(asked: Sequence[Asked]) -> Iterator[Sequence[Asked]]:
    begin, size = 0, FIRST_STEP
    while begin < len(asked):
        yield asked[begin : begin + size]
        begin, size = begin + size, min(2 * size, LONGEST_STEP)


class _Kept:
    """A Shelf that reads from an index and keeps what is brought to it."""

    def __init__(self, index: Shelf) -> None:
        self._index = index
        self._staged: list[IndexEntry] = []
        self._vectors: dict[str, Vector] = {}
        self.entries: list[IndexEntry] = []
        self.chunks = 0

    async def readers(self, document_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        return await self._index.readers(document_ids)

    async def vectors(self, text_ids: Collection[str]) -> Mapping[str, Vector]:
        mine = {one: self._vectors[one] for one in text_ids if one in self._vectors}
        theirs = await self._index.vectors([one for one in text_ids if one not in mine])
        return {**mine, **theirs}

    async def stage(self, entries: Sequence[IndexEntry]) -> None:
        self._staged += entries

    async def commit(self) -> int:
        for entry in self._staged:
            title = entry.document.title
            for chunk, vector in zip(entry.chunks, entry.vectors, strict=True):
                self._vectors[stable_id(searchable_text(title, chunk))] = vector
            self.chunks += len(entry.chunks)
        self.entries += self._staged
        self._staged = []
        return 0

    async def discard(self) -> None:
        self._staged = []
