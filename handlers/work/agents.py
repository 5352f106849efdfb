"""The way from a mention to the agent, for whoever accepts mentions. Nothing of tools stands here.

How the agent is addressed and who decides about its proposals is given by whoever puts the program
together, because this folder knows no tools.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.conversation import Mention, Place
from bot.proposals import Decided, Decision, Proposal
from handlers.work.jobs import AgentJob, AnswerJob
from handlers.work.ports import JobQueue


class Desk(Protocol):
    """Where proposals of the agent are decided. All methods raise WorkError."""

    async def decided(self, decision: Decision) -> Decided:
        """Take a decision, and have the run go on when nothing of its proposal is pending."""
        ...

    async def proposal(self, approval_ids: Sequence[str]) -> Proposal | None:
        """Return what is proposed under these ids, or None when it is no longer kept."""
        ...

    async def undo(self, team: str, channel: str, run: str, call: str, user: str) -> str:
        """Have what a call did taken back; return a sentence for whoever clicked."""
        ...

    async def stopped(self, team: str, channel: str, thread_ts: str, user: str) -> None:
        """Have the run of a thread stop."""
        ...


@dataclass(frozen=True, slots=True)
class Agents:
    """The queue of the agent, and how a mention is recognised that is meant for it.

    ``addressed`` returns what is asked of the agent, None for a question.
    """

    queue: JobQueue
    addressed: Callable[[str], str | None]

    def take(self, mention: Mention) -> bool:
        """Tell whether the agent works on this mention, and not whoever answers questions.

        A slash command leaves no thread behind in which something could be proposed.
        """
        return mention.place is not Place.COMMAND and self.addressed(mention.text) is not None


@dataclass(frozen=True, slots=True)
class AgentDoor:
    """What the Slack door needs of the agent."""

    agents: Agents
    desk: Desk


def job_of(
    mention: Mention,
    agents: Agents | None,
    *,
    trace: str,
    accepted_at: float,
    sealed: str = "",
) -> AnswerJob | AgentJob:
    """Return the job of a mention; without ``agents`` each is a question.

    ``sealed`` is what has to travel with it.
    """
    if agents is not None and agents.take(mention):
        return AgentJob.of(mention, trace=trace, accepted_at=accepted_at, sealed=sealed)
    return AnswerJob.of(mention, trace=trace, accepted_at=accepted_at, sealed=sealed)


async def put(job: AnswerJob | AgentJob, queue: JobQueue, agents: Agents | None) -> None:
    """Put the job on its queue. Raises QueueUnavailable."""
    if agents is not None and isinstance(job, AgentJob):
        queue = agents.queue
    await queue.put(job)
