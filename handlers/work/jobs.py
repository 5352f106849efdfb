"""What waits in a queue, as versioned JSON.

A job names a message, a source or documents; it never carries their text.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import ClassVar, Self

from bot.conversation import Mention, Place
from handlers.work.errors import BadJob

DEDUPE_SECONDS = 24 * 3600
"""How long a handled mention is remembered: Slack's last retry outlasts the 5 minutes of FIFO."""


@dataclass(frozen=True, slots=True)
class MentionJob:
    """Work that begins with a mention, whose text stays in Slack and is read again by the worker.

    What cannot be read again travels in ``sealed``, which only the holder of the key can open.
    ``round`` changes when a job that was set aside is put back, and gives it all its tries again.
    """

    version: ClassVar[int] = 1
    dedupe_seconds: ClassVar[int] = DEDUPE_SECONDS

    team: str
    channel: str
    user: str
    ts: str
    thread_ts: str
    place: str
    sealed: str = ""
    trace: str = ""
    accepted_at: float = 0.0
    round: str = ""

    @property
    def group(self) -> str:
        """Jobs of one thread are done one after the other."""
        return f"{self.team}:{self.channel}:{self.thread_ts}"

    @classmethod
    def of(cls, mention: Mention, *, trace: str, accepted_at: float, sealed: str = "") -> Self:
        """Make the job for a mention; its text is left behind."""
        return cls(
            team=mention.team,
            channel=mention.channel,
            user=mention.user,
            ts=mention.ts,
            thread_ts=mention.thread_ts,
            place=mention.place.value,
            sealed=sealed,
            trace=trace,
            accepted_at=accepted_at,
        )

    def mention(self, text: str = "") -> Mention:
        """Return the mention again, with the text that was read back."""
        return Mention(
            team=self.team,
            channel=self.channel,
            user=self.user,
            ts=self.ts,
            thread_ts=self.thread_ts,
            place=Place(self.place),
            text=text,
        )


@dataclass(frozen=True, slots=True)
class AnswerJob(MentionJob):
    """Answer one mention.

    A slash command has no message to read, so ``sealed`` holds its text and response_url.
    """

    kind: ClassVar[str] = "answer"

    @property
    def key(self) -> str:
        """The same for every delivery of the same message: (team, channel, ts)."""
        return f"{self.team}:{self.channel}:{self.ts}"


@dataclass(frozen=True, slots=True)
class SyncJob:
    """Bring one source in step.

    It is forgotten as soon as it starts, so that the next one can be asked for at any time; only
    while it waits does a second one add nothing.
    """

    kind: ClassVar[str] = "sync"
    version: ClassVar[int] = 1
    dedupe_seconds: ClassVar[int] = 0

    source: str
    trace: str = ""

    @property
    def key(self) -> str:
        """One sync of a source at a time."""
        return f"sync:{self.source}"

    @property
    def group(self) -> str:
        """One committer a table, so all syncs form one group."""
        return "sync"


@dataclass(frozen=True, slots=True)
class PrepareJob:
    """Prepare a portion of the documents of a source; which ones stands beside the index.

    It is forgotten as soon as it is put, for what was lost or broken is asked for again. One
    portion is one group, so that no two workers are ever given the same one at the same time.
    """

    kind: ClassVar[str] = "prepare"
    version: ClassVar[int] = 1
    dedupe_seconds: ClassVar[int] = 0

    source: str
    portion: str

    @property
    def key(self) -> str:
        """The same whenever the same portion is asked for."""
        return f"prepare:{self.source}:{self.portion}"

    @property
    def group(self) -> str:
        """Portions are prepared side by side."""
        return self.key


@dataclass(frozen=True, slots=True)
class AgentJob(MentionJob):
    """Begin, or go on with, one run of the agent.

    A run begins with a mention, as an answer does, and is named after it. ``step`` is empty then;
    it names what the run waited for when it is taken up again: an approval that was decided or
    expired, or an undo. Its state is in the store; ``sealed`` may hold Slack's leave to search on
    behalf of the asker.
    """

    kind: ClassVar[str] = "agent"

    step: str = ""

    @property
    def run(self) -> str:
        """The run: (team, channel, ts) of the mention that began it."""
        return f"{self.team}:{self.channel}:{self.ts}"

    @property
    def key(self) -> str:
        """The same for every delivery of the same step."""
        return f"agent:{self.run}:{self.step}"


Job = AnswerJob | SyncJob | PrepareJob | AgentJob

LATEST = 1e11
"""Seconds since the epoch: the year 5138. What is later was not written by a clock."""


def opaque(text: str) -> str:
    """Return 64 hex digits for a key or a group, which may hold any character, in any length."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


_KINDS: dict[str, type[AnswerJob] | type[SyncJob] | type[PrepareJob] | type[AgentJob]] = {
    kind.kind: kind for kind in (AnswerJob, SyncJob, PrepareJob, AgentJob)
}


def encode(job: Job) -> str:
    """Return the job as one line of JSON."""
    return json.dumps({"kind": job.kind, "version": job.version, **asdict(job)}, sort_keys=True)


def decode(body: str) -> Job:
    """Read a job back. Raises BadJob for anything that no version of this code wrote.

    Fields added later are ignored by older code, and take their default when an older job is read,
    so that a deployment loses nothing that is queued. ``version`` grows only when a field changes
    its meaning; what is ahead goes back to the queue, until code that knows it is deployed.
    """
    try:
        data = json.loads(body)
        job_type = _KINDS[data["kind"]]
        ahead = data.get("version", job_type.version) > job_type.version
        known = {f.name: f.type for f in fields(job_type)}
        job = job_type(**{name: value for name, value in data.items() if name in known})
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise BadJob("The queue holds a job that this version does not understand.") from error
    if ahead:
        raise BadJob("The queue holds a job that a later version wrote.")
    for name, wanted in known.items():
        value = getattr(job, name)
        fits = _is_time(value) if wanted is float else isinstance(value, str)
        if not fits:
            raise BadJob(f"The queue holds a job whose {name} has the wrong type.")
    if isinstance(job, MentionJob) and job.place not in set(Place):
        raise BadJob("The queue holds a job for a place that does not exist.")
    return job


def _is_time(value: object) -> bool:
    # JSON does not keep 5 and 5.0 apart, and Python reads 1e400 as infinity.
    return type(value) in (float, int) and -LATEST <= value <= LATEST  # type: ignore[operator]
