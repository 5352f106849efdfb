"""Bring the index in line with a source: list, plan, perform.

    list -> plan -> remove what is gone -> fetch, parse, chunk -> embed -> commit -> maintain

Only the plan decides, and it is pure. A document carries its fingerprint in each of its rows and is
committed whole, so a run that dies anywhere leaves the documents it had committed and the old state
of all others; the next run plans the rest, and the index ends the same.
"""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from index.documents import DocumentRef, fingerprint
from index.errors import DocumentsMissing, SuspiciousDeletion
from index.fan_out import FannedOut, FanOut
from index.ports import Embedder, Outgoing, Parser, Source, VectorIndex
from index.recipes import recipe
from index.sync_pipeline import Pipeline
from index.sync_progress import Done, Skipped, SyncProgress, Telling

__all__ = ["Skipped", "SyncPlan", "SyncProgress", "SyncReport", "plan", "recipe", "sync"]

SMALL_SOURCE = 20
"""Below this many documents, losing more than half of them is everyday life."""


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What differs between a listing and the index. ``removed`` holds document ids."""

    added: tuple[DocumentRef, ...]
    changed: tuple[DocumentRef, ...]
    removed: tuple[str, ...]
    unchanged: tuple[DocumentRef, ...]

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, in documents and chunks.

    A skipped document is in none of the other counts; what the index held of it stays searchable,
    unless it has no text any more, or rights of its own that may have changed. ``awaited`` are the
    sources that a new index still waits for before it answers. ``chunks_per_second`` is embedded
    chunks by the whole time.
    """

    source: str
    added: int
    changed: int
    removed: int
    unchanged: int
    chunks_embedded: int
    chunks_reused: int
    skipped: tuple[Skipped, ...]
    seconds: float
    chunks_per_second: float
    index_version: int
    awaited: tuple[str, ...] = ()


def plan(
    listed: Sequence[DocumentRef],
    indexed: Mapping[str, str],
    *,
    fingerprint_of: Callable[[DocumentRef], str],
    confirm_deletion: bool = False,
) -> SyncPlan:
    """Compare a listing with the fingerprints in the index, document id -> fingerprint.

    A ref that is listed twice counts once, as it was listed last. Raises SuspiciousDeletion when
    nothing is listed, or when more than half of at least ``SMALL_SOURCE`` indexed documents are
    gone, unless ``confirm_deletion``: a lost mount or login looks just like that.
    """
    refs = {ref.id: ref for ref in listed}
    added, changed, unchanged = [], [], []
    for identity, ref in refs.items():
        if identity not in indexed:
            added.append(ref)
        elif indexed[identity] != fingerprint_of(ref):
            changed.append(ref)
        else:
            unchanged.append(ref)
    removed = tuple(sorted(indexed.keys() - refs.keys()))
    todo = SyncPlan(tuple(added), tuple(changed), removed, tuple(unchanged))
    if not confirm_deletion and (doubt := doubted(todo)):
        raise doubt
    return todo


def doubted(todo: SyncPlan) -> SuspiciousDeletion | None:
    """Return why the deletions of a plan should be confirmed first, if they should."""
    gone = len(todo.removed)
    known = gone + len(todo.changed) + len(todo.unchanged)
    emptied = gone == known and not todo.added
    halved = known >= SMALL_SOURCE and 2 * gone > known
    if not gone or not (emptied or halved):
        return None
    return SuspiciousDeletion(
        f"{gone} of {known} documents are no longer listed. If they are really gone, sync again "
        "and confirm the deletion; if not, check the source."
    )


def missing(done: Done) -> DocumentsMissing:
    """Return the error for documents that others were asked to prepare and that did not come."""
    told = (
        f"{done.missing} documents have not been prepared yet; the next sync asks for them again."
    )
    return DocumentsMissing(" ".join([told, *sorted(set(done.reasons))]))


def outgoing_plan(
    listed: Sequence[DocumentRef], readers: frozenset[str], old: Outgoing
) -> SyncPlan:
    """Compare a listing with an outgoing index. Only what it must not show any more counts.

    That is what is gone, and what has changed, for then nobody knows without reading it whether it
    has lost readers. Where the outgoing index is too old to tell, nothing counts as changed.
    """
    todo = plan(
        listed,
        old.fingerprints,
        fingerprint_of=lambda ref: fingerprint(ref.version, readers, old.recipe),
        confirm_deletion=True,
    )
    return (
        todo if old.recipe else replace(todo, changed=(), unchanged=todo.unchanged + todo.changed)
    )


async def sync(
    source: Source,
    parser: Parser,
    embedder: Embedder,
    index: VectorIndex,
    *,
    progress: Callable[[SyncProgress], None] | None = None,
    confirm_deletion: bool = False,
    catalog: Collection[str] | None = None,
    fan_out: FanOut | None = None,
) -> SyncReport:
    """Make the index hold what the source lists now, and embed only what is new.

    Another recipe than that of the index builds a new index beside it, which answers when every
    source of the old one was brought in; of those, only sources that are in ``catalog`` count.
    Until then the old one loses what the source deleted or changed, and gains nothing.

    Cancelling is safe at any point: nothing is ever half committed. ``progress`` is called on the
    event loop and must not block. With ``fan_out`` others prepare the documents of a large plan.

    Raises SourceUnavailable, EmbedderUnavailable, EmbedderMismatch, IndexUnavailable,
    WriterConflict; SuspiciousDeletion once all but the deletions is done, and DocumentsMissing
    once all is done that others have prepared. One unreadable document raises nothing: it is
    skipped.
    """
    began = time.monotonic()
    made_by, readers = recipe(parser, embedder), source.readers

    def fingerprint_of(ref: DocumentRef) -> str:
        return fingerprint(ref.version, readers, made_by)

    telling = Telling(progress)
    pipeline = Pipeline(source, parser, embedder, index, fingerprint_of, telling)
    listed: list[DocumentRef] = []
    async for ref in source.list():
        listed.append(ref)
        telling.note(listed=len(listed))

    async def planned() -> tuple[SyncPlan, tuple[str, ...], SuspiciousDeletion | None]:
        indexed = await index.fingerprints(source.name)
        todo = plan(listed, indexed, fingerprint_of=fingerprint_of, confirm_deletion=True)
        outgoing = await index.outgoing(source.name)
        old = outgoing_plan(listed, readers, outgoing) if outgoing else SyncPlan((), (), (), ())
        doubt = None if confirm_deletion else doubted(todo) or doubted(old)
        if doubt is not None:
            # What has changed may have lost readers: that must not wait for somebody to confirm.
            todo, old = replace(todo, removed=()), replace(old, removed=())
        return todo, (*old.removed, *(ref.id for ref in old.changed)), doubt

    await index.begin(made_by)
    todo, old, doubt = await planned()
    if (todo.changes or old) and await index.take_over():
        # An earlier writer has ended what it had under way.
        todo, old, doubt = await planned()
    await index.retire(old)
    if todo.removed:
        await index.remove(todo.removed)
    work: Pipeline | FannedOut = pipeline
    if fan_out is not None:
        work = FannedOut(fan_out, source, made_by, index, pipeline, fingerprint_of, telling)
    done = await work.run(todo.added, todo.changed)
    if todo.changes:
        telling.note(stage="finishing")
        await index.maintain()
    if doubt is not None:
        raise doubt
    if done.missing:
        raise missing(done)
    awaited = await index.finish(source.name, catalog)
    version = await index.version()
    telling.note(stage="done")
    seconds = time.monotonic() - began
    return SyncReport(
        source=source.name,
        added=done.added,
        changed=done.changed,
        removed=len(todo.removed),
        unchanged=len(todo.unchanged),
        chunks_embedded=done.embedded,
        chunks_reused=done.reused,
        skipped=tuple(sorted(done.skipped, key=lambda one: one.location)),
        seconds=seconds,
        chunks_per_second=done.embedded / seconds if seconds > 0 else 0.0,
        index_version=version,
        awaited=tuple(sorted(awaited)),
    )
