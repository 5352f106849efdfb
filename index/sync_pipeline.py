"""The moving part of a sync: fetch, embed and commit at the same time, in bounded memory.

    fetchers (parse, chunk) =queue=> windows of chunks =1=> embedder =1=> committer

Each arrow is a bounded queue, so a slow stage holds back those before it, and the embedder, which
costs nearly all the time, finds its next window ready.
"""

import asyncio
import itertools
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from index.chunking import chunk, searchable_text
from index.documents import Chunk, Document, DocumentRef, RawDocument, stable_id
from index.errors import DocumentUnreadable
from index.ports import Embedder, IndexEntry, Opened, Parser, Source, Vector
from index.sync_committing import COMMIT_DOCUMENTS, Committing, Ready, Shelf
from index.sync_progress import Done, Skipped, Telling
from index.sync_reuse import Reuse

FETCHERS = 4
FETCHED_AHEAD = 32
"""Documents that may wait between the fetchers and the next window."""

WINDOW_CHUNKS = 2_048
"""Chunks that are sorted by length together: the longer the window, the less padding."""

EMBED_CHUNKS = 256
"""Chunks a call of the embedder, which can't be interrupted: a few seconds that Ctrl-C may wait."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Prepared:
    document: Document
    chunks: tuple[Chunk, ...]
    text_ids: tuple[str, ...]
    texts: tuple[str, ...]
    known_before: bool


@dataclass(slots=True)
class _Window:
    number: int
    prepared: list[_Prepared]
    vectors: Mapping[str, Vector]

    @property
    def texts(self) -> dict[str, str]:
        """What is to be embedded, by its id; equal texts once."""
        pairs = (zip(one.text_ids, one.texts, strict=True) for one in self.prepared)
        return dict(itertools.chain.from_iterable(pairs))


class Pipeline:
    """One run over the documents of a plan."""

    def __init__(
        self,
        source: Source,
        parser: Parser,
        embedder: Embedder,
        index: Shelf,
        fingerprint_of: Callable[[DocumentRef], str],
        telling: Telling,
    ) -> None:
        """Connect the parts; nothing is read before ``run``."""
        self._source = source
        self._parser = parser
        self._embedder = embedder
        self._index = index
        self._fingerprint_of = fingerprint_of
        self._telling = telling
        self._done = telling.done
        self._reuse = Reuse(index)

    async def run(self, added: Sequence[DocumentRef], changed: Sequence[DocumentRef]) -> Done:
        """Index these documents. Whatever was staged when it fails is forgotten again."""
        behind = self._telling.now.fetched
        self._telling.note(stage="syncing", to_fetch=behind + len(added) + len(changed))
        fetched: asyncio.Queue[_Prepared | None] = asyncio.Queue(FETCHED_AHEAD)
        windows: asyncio.Queue[_Window | None] = asyncio.Queue(1)
        embedded: asyncio.Queue[_Window | None] = asyncio.Queue(1)
        todo = iter([*((ref, True) for ref in changed), *((ref, False) for ref in added)])
        # One thread of its own, for torch sets up its team of threads anew in each that calls it.
        thread = ThreadPoolExecutor(1, thread_name_prefix="embedding")
        try:
            await _together(
                self._fetch_all(todo, fetched),
                self._open_windows(fetched, windows),
                self._embed_all(windows, embedded, thread),
                self._commit_all(embedded),
            )
        except BaseException:
            await self._index.discard()
            raise
        finally:
            thread.shutdown(wait=False)
        return self._done

    async def _fetch_all(
        self, todo: Iterator[tuple[DocumentRef, bool]], into: asyncio.Queue[_Prepared | None]
    ) -> None:
        async def fetch_some() -> None:
            for ref, known_before in todo:
                prepared = await self._prepare(ref, known_before)
                now = self._telling.now
                self._telling.note(fetched=now.fetched + 1)
                if prepared is not None:
                    self._telling.note(known_chunks=now.known_chunks + len(prepared.chunks))
                    await into.put(prepared)

        await _together(*(fetch_some() for _ in range(FETCHERS)))
        await into.put(None)

    async def _prepare(self, ref: DocumentRef, known_before: bool) -> _Prepared | None:
        try:
            raw = await self._source.fetch(ref)
            prepared = await asyncio.to_thread(self._cut, raw, known_before)
        except DocumentUnreadable as error:
            self._skip(ref, str(error))
            return await self._forgotten(ref, known_before)
        if prepared.document.ref.id != ref.id:
            self._skip(ref, "The source answered with another document.")
            return await self._forgotten(ref, known_before)
        if not prepared.chunks:
            self._skip(ref, "The document holds no text to search.")
            # Nothing it said stands in it any more, so an earlier state must not be quoted.
            return prepared if known_before else None
        return prepared

    async def _forgotten(self, ref: DocumentRef, known_before: bool) -> _Prepared | None:
        """Return what drops an unreadable document from the index, if it may have lost readers.

        They would go on finding its earlier state. Where documents have rights of their own that
        are not known without reading them, that one changed may mean just that.
        """
        if not known_before:
            return None
        allowed = self._source.readers
        if not allowed and isinstance(self._source, Opened):
            allowed = await self._source.readers_of(ref)
        held = (await self._index.readers([ref.id])).get(ref.id, frozenset())
        if allowed and held <= allowed:
            return None
        nothing = Document(ref, title="", url="", text="", readers=frozenset())
        return _Prepared(nothing, (), (), (), known_before)

    def _cut(self, raw: RawDocument, known_before: bool) -> _Prepared:
        try:
            document = self._parser.parse(raw)
            chunks = chunk(document)
        except DocumentUnreadable:
            raise
        except Exception as error:
            # One document that the parser trips over must not keep all others out of the index.
            _log.warning("the parser failed on a document: %s", type(error).__name__)
            raise DocumentUnreadable(
                f"The parser failed on this document ({type(error).__name__})."
            ) from error
        texts = tuple(searchable_text(document.title, one) for one in chunks)
        return _Prepared(document, chunks, tuple(map(stable_id, texts)), texts, known_before)

    async def _open_windows(
        self, fetched: asyncio.Queue[_Prepared | None], into: asyncio.Queue[_Window | None]
    ) -> None:
        for number in itertools.count():
            window = _Window(number, [], {})
            size = 0
            last = False
            while size < WINDOW_CHUNKS and len(window.prepared) < COMMIT_DOCUMENTS and not last:
                prepared = await fetched.get()
                if prepared is None:
                    last = True
                else:
                    window.prepared.append(prepared)
                    size += len(prepared.chunks)
            if window.prepared:
                await self._reuse.look_up(number, window.texts)
                await into.put(window)
            if last:
                await into.put(None)
                return

    async def _embed_all(
        self,
        windows: asyncio.Queue[_Window | None],
        into: asyncio.Queue[_Window | None],
        thread: Executor,
    ) -> None:
        loop = asyncio.get_running_loop()
        while (window := await windows.get()) is not None:
            texts = window.texts
            known = self._reuse.known(window.number, texts)
            missing = [(text_id, text) for text_id, text in texts.items() if text_id not in known]
            by_length = sorted(missing, key=lambda item: len(item[1]), reverse=True)
            total = sum(len(one.chunks) for one in window.prepared)
            self._done.reused += total - len(missing)
            self._telling.note(reused_chunks=self._done.reused)
            made: dict[str, Vector] = {}
            for start in range(0, len(by_length), EMBED_CHUNKS):
                some = by_length[start : start + EMBED_CHUNKS]
                inputs = [text for _, text in some]
                rows = await loop.run_in_executor(thread, self._embedder.embed_documents, inputs)
                made |= {text_id: row for (text_id, _), row in zip(some, rows, strict=True)}
                self._done.embedded += len(some)
                self._telling.note(embedded_chunks=self._done.embedded)
            self._reuse.add(window.number, made)
            window.vectors = known | made
            await into.put(window)
        await into.put(None)

    async def _commit_all(self, embedded: asyncio.Queue[_Window | None]) -> None:
        committing = Committing(self._index, self._telling)
        while (window := await embedded.get()) is not None:
            ready = [Ready(self._entry(one, window), one.known_before) for one in window.prepared]
            if await committing.add(ready):
                self._reuse.committed(window.number)
        await committing.flush()

    def _entry(self, one: _Prepared, window: _Window) -> IndexEntry:
        vectors = np.zeros((len(one.chunks), self._embedder.dimensions), dtype=np.float32)
        for row, text_id in enumerate(one.text_ids):
            vectors[row] = window.vectors[text_id]
        return IndexEntry(one.document, self._fingerprint_of(one.document.ref), one.chunks, vectors)

    def _skip(self, ref: DocumentRef, reason: str) -> None:
        self._telling.skip(Skipped(ref.location, reason))


async def _together(*stages: Coroutine[None, None, None]) -> None:
    """Run all. The first failure, or a cancellation, ends the others before it is raised."""
    tasks = [asyncio.ensure_future(stage) for stage in stages]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
