"""One approval as it lies in the store: a call, bound to all that may be decided about it. Pure.

::

    pending ── approve, with or without an edit ──► approved ── consume ──► consumed
       └────── reject ──► rejected

Each arrow is one write on the revision that was read, so each is gone once. Past ``expires_at``
none is gone any more. What cannot be read counts as absent: nothing can be decided about it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from types import UnionType
from typing import Final

from bot.proposals import Proposal, ProposedCall, Ruling
from handlers.tools.provenance import Mark
from handlers.work.errors import BadJob
from handlers.work.jobs import AgentJob, decode
from index.documents import stable_id

VERSION: Final = 1

MAX_SCHEMA_BYTES: Final = 64 * 1024
"""Of a larger schema nothing is kept, and its arguments cannot be edited at the door."""

MAX_MARKS_BYTES: Final = 32 * 1024


class State(StrEnum):
    """How far an approval has come."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    CONSUMED = "consumed"


@dataclass(frozen=True, slots=True)
class Record:
    """One approval. It binds one call of one run, and lies in the store under ``id``.

    ``group`` are the ids of all calls that were proposed together, in their order. ``job`` is the
    encoded job that the run was at. ``arguments`` are canonical, ``edited`` when they are what
    ``decided_by`` made of those that were proposed. ``consumed_by`` is the token of the one call of
    ``consume`` that came first. Times are seconds since the epoch.
    """

    id: str
    group: tuple[str, ...]
    job: str
    call: str
    tool: str
    title: str
    effect: str
    digest: str
    schema: str
    arguments: str = field(repr=False)
    approvers: tuple[str, ...]
    expires_at: float
    nonce: str
    marks: tuple[Mark, ...] = field(default=(), repr=False)
    state: State = State.PENDING
    decided_by: str = ""
    decided_at: float = 0.0
    edited: bool = False
    consumed_by: str = ""

    @property
    def at(self) -> AgentJob:
        """The job that the run was at: who asked, and where."""
        job = decode(self.job)
        assert isinstance(job, AgentJob)
        return job

    def ruling(self, now: float) -> Ruling:
        """Say how the approval stands."""
        if self.state is State.REJECTED:
            return Ruling.REJECTED
        if self.state is State.CONSUMED:
            return Ruling.APPROVED
        if now >= self.expires_at:
            return Ruling.EXPIRED
        return Ruling.APPROVED if self.state is State.APPROVED else Ruling.PENDING

    def shown(self) -> ProposedCall:
        """Return the call as a card shows it."""
        return ProposedCall(
            approval=self.id,
            nonce=self.nonce,
            tool=self.tool,
            title=self.title,
            effect=self.effect,
            arguments=self.arguments,
            origins=tuple(dict.fromkeys(mark.origin for mark in self.marks if mark.origin)),
            warnings=tuple(dict.fromkeys(mark.warning for mark in self.marks if mark.warning)),
        )


def approval_id(run: str, call: str, tool: str, digest: str, arguments: str) -> str:
    """Return the id of the approval of a call: the same whenever the same call is proposed.

    All that was proposed is part of it. A model that gives two calls one id gets two approvals.
    """
    return stable_id("approval", run, call, tool, digest, arguments)


def proposal_of(records: Sequence[Record]) -> Proposal:
    """Return calls that were proposed together, as one card shows them."""
    first = records[0]
    return Proposal(
        requester=first.at.user,
        approvers=first.approvers,
        expires_at=datetime.fromtimestamp(min(one.expires_at for one in records), UTC),
        calls=tuple(one.shown() for one in records),
    )


def schema_text(schema: Mapping[str, object]) -> str:
    """Return a schema as it is kept, "" for one that is too large."""
    text = json.dumps(schema, separators=(",", ":"), default=dict)
    return text if len(json.dumps(text)) <= MAX_SCHEMA_BYTES else ""


def bounded(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """Return as many marks as the store has room for, beside the longest arguments."""
    kept: list[Mark] = []
    left = MAX_MARKS_BYTES
    for mark in marks:
        left -= len(json.dumps(asdict(mark)))
        if left < 0:
            break
        kept.append(mark)
    return tuple(kept)


def as_value(record: Record) -> Mapping[str, object]:
    """Return the record as the store keeps it."""
    return {"version": VERSION, **asdict(record)}


def from_value(key: str, value: Mapping[str, object]) -> Record | None:
    """Read the record with the id ``key``; None for anything that no version of this code wrote."""
    try:
        if value["version"] != VERSION or value["id"] != key:
            return None
        held = {one.name: value[one.name] for one in fields(Record)}
        held["marks"] = tuple(Mark(**mark) for mark in _list(held["marks"]))
        for name in ("group", "approvers"):
            held[name] = tuple(map(str, _list(held[name])))
        record = Record(**{**held, "state": State(str(held["state"]))})  # type: ignore[arg-type]
        return record if _typed(record) and isinstance(decode(record.job), AgentJob) else None
    except (KeyError, TypeError, ValueError, BadJob):
        return None


def _typed(record: Record) -> bool:
    kinds: dict[object, type | UnionType] = {str: str, bool: bool, float: int | float}
    return all(
        isinstance(getattr(record, one.name), kinds.get(one.type, object)) for one in fields(Record)
    )


def _list(value: object) -> list[dict[str, str]]:
    if not isinstance(value, list):
        raise TypeError("A list was expected.")
    return value
