"""Answer late rather than never: find questions that Slack could not deliver, and queue them.

    watermark ────────────────── a sweep: since ──── until ──── 7 minutes ──── now
                                                               └ Slack may still deliver these

A row in the state table holds the window of the sweep that is under way and how far it came. A run
does a bounded part of it and the next run goes on there; when the sweep is through, the next window
begins where this one ended. So no message is skipped, the row stays small, and a run that dies in
the middle only makes the next one look at something twice.

Slack may fail at one conversation while it answers for all the others. The sweep goes on without
it, the row keeps from when on it is still to be read (``failed``), and the next sweep begins there
that early (``behind``), until Slack gives it out or its questions are a day old. Trouble with all
of Slack (no connection, 429, 5xx) ends the run instead, and the next one goes on at the same place.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from slack_sdk.web.async_client import AsyncWebClient

from bot.missed import CALLS, Bookmark, Sweep
from handlers.work.agents import Agents, job_of
from handlers.work.agents import put as put_job
from handlers.work.claims import was_taken
from handlers.work.errors import QueueUnavailable
from handlers.work.jobs import AgentJob, AnswerJob
from handlers.work.outcomes import read
from handlers.work.ports import JobQueue, StateStore

EARLY_SECONDS = 7 * 60.0
"""Slack's own retries are over after 6 minutes; before that a question is not lost."""

NEXT_SECONDS = 5 * 60.0
"""A new sweep begins no sooner after the last, however often it is called: call it every minute or
two, because where the bot is in hundreds of conversations one sweep takes many runs."""

LATE_SECONDS = 24 * 3600.0
"""After a day nobody waits for the answer any more, and claims are forgotten."""

KEPT_SECONDS = 90 * 24 * 3600.0
"""How long a laptop may sleep and still know where it had stopped."""

_ROW = "reconciliation"
_START = Bookmark()

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What one run did, in numbers.

    ``looked_at`` counts messages, ``conversations`` those read to the end, ``unreadable`` those and
    the threads that Slack refused or failed at. ``found`` questions had left no trace here, and
    ``put`` of them are on the queue now; where the worker is behind, a question that still waits in
    the queue counts as well. ``incomplete`` tells that the sweep goes on with the next run.
    """

    looked_at: int = 0
    conversations: int = 0
    unreadable: int = 0
    found: int = 0
    put: int = 0
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class _Progress:
    """The window of the sweep under way, ``until`` 0.0 when there is none, and how far it came.

    By conversation: ``behind`` tells where its window begins earlier because the last sweep failed
    there, ``failed`` where it begins for the next sweep because this one did.
    """

    since: float
    until: float = 0.0
    bookmark: Bookmark = _START
    behind: Mapping[str, float] = field(default_factory=dict)
    failed: Mapping[str, float] = field(default_factory=dict)

    def at(self, now: float) -> "_Progress":
        """Return the sweep to do now: the one under way, or the next if it is time for it.

        What is too old is left out.
        """
        late = now - LATE_SECONDS
        since = max(self.since, late)
        behind = {channel: max(then, late) for channel, then in self.behind.items()}
        if since < self.until:
            failed = {channel: max(then, late) for channel, then in self.failed.items()}
            return _Progress(since, self.until, self.bookmark, behind, failed)
        until = now - EARLY_SECONDS
        return _Progress(since, until if until - since >= NEXT_SECONDS else 0.0, behind=behind)

    def row(self) -> dict[str, object]:
        return {
            "since": self.since,
            "until": self.until,
            "conversation": self.bookmark.conversation,
            "before": self.bookmark.before,
            "behind": dict(self.behind),
            "failed": dict(self.failed),
        }


async def reconcile_once(
    client: AsyncWebClient,
    queue: JobQueue,
    store: StateStore,
    *,
    agents: Agents | None = None,
    clock: Callable[[], float] = time.time,
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    calls: int = CALLS,
) -> Reconciliation:
    """Look at the next part of what was said between 24 hours and 7 minutes ago.

    Call it every minute or two; most calls find that there is nothing to do yet. The first of all
    only notes the time: a table that remembers nothing cannot tell what was answered. A question is
    lost when it has no outcome (so a failed one is not repeated) and was never claimed (so one that
    killed its workers stays where ``footnote redrive`` finds it). Two runs at once do no harm: a
    question that is queued twice is answered by whoever claims it first.

    What is meant for the agent goes to its queue, if there are ``agents``. ``calls`` is the most
    reads of history and threads; ``clock`` is in seconds since the epoch.
    Raises ConversationUnreadable when the bot may not list its conversations, StoreUnavailable.
    """
    now = clock()
    item = await store.get(_ROW)
    if item is None:
        await store.put_if_absent(_ROW, _Progress(now - EARLY_SECONDS).row(), KEPT_SECONDS)
        return Reconciliation()
    progress = _read(item.value, now).at(now)
    if progress.until <= progress.since:
        return Reconciliation()  # there is nothing to do yet
    sweep = Sweep(
        client,
        since=progress.since,
        until=progress.until,
        start=progress.bookmark,
        behind=progress.behind,
        failed=progress.failed,
        calls=calls,
        pause=pause,
    )
    found = put = 0
    try:
        async with aclosing(sweep.mentions()) as mentions:
            async for mention in mentions:
                job = job_of(mention, agents, trace=uuid.uuid4().hex, accepted_at=clock())
                if await _left_a_trace(store, job):
                    continue
                found += 1
                await put_job(job, queue, agents)
                put += 1
                log.info("a question that Slack did not deliver", extra={"trace": job.trace})
    except QueueUnavailable as error:
        # The bookmark stands before this question, so the next run finds it again.
        log.error("a lost question has to wait: %s", error)
    if sweep.failed:
        log.warning("conversations left to the next sweep by Slack's fault: %d", len(sweep.failed))
    if sweep.finished:
        progress = _Progress(since=progress.until, behind=sweep.failed)
    else:
        progress = replace(progress, bookmark=sweep.bookmark, failed=sweep.failed)
    # Where another run was faster, its row stands; the next run goes on from there.
    await store.replace(_ROW, progress.row(), KEPT_SECONDS, item.revision)
    return Reconciliation(
        looked_at=sweep.messages,
        conversations=sweep.conversations,
        unreadable=sweep.unreadable,
        found=found,
        put=put,
        incomplete=not sweep.finished,
    )


async def _left_a_trace(store: StateStore, job: AnswerJob | AgentJob) -> bool:
    """Tell whether the job ended, or whether a worker ever took it.

    What was answered as a question while agent mode was off must not begin to act a day later.
    """
    keys = {job.key, job.run} if isinstance(job, AgentJob) else {job.key}
    for key in keys:
        if await read(store, key) is not None or await was_taken(store, key):
            return True
    return False


def _read(row: Mapping[str, object], now: float) -> _Progress:
    """Read the row; what another version left there counts as a day without a look."""
    since, until = row.get("since"), row.get("until")
    if not isinstance(since, int | float):
        return _Progress(now - LATE_SECONDS)
    if not isinstance(until, int | float):
        return _Progress(since)
    bookmark = Bookmark(str(row.get("conversation", "")), str(row.get("before", "")))
    return _Progress(since, until, bookmark, _moments(row, "behind"), _moments(row, "failed"))


def _moments(row: Mapping[str, object], name: str) -> dict[str, float]:
    found = row.get(name)
    if not isinstance(found, dict):
        return {}
    return {str(channel): then for channel, then in found.items() if isinstance(then, int | float)}
