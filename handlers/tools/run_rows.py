"""Runs in the store: versioned JSON, packed and sealed, because they hold what people wrote.

A row is written only at the revision that was read or written last, which is the fence that keeps
out a worker whose place was taken.
"""

import base64
import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Final, TypeVar

from bot.conversation import Mention, Place, Question, Turn
from handlers.tools.errors import RunTooLarge
from handlers.tools.fleeting import to_keep
from handlers.tools.limits import Bound, Spent
from handlers.tools.ports import AgentMessage, ToolCall
from handlers.tools.runs import CallState, Fate, Phase, Run, RunCall
from handlers.work.errors import ClaimLost, StoreUnavailable
from handlers.work.ports import StateStore
from handlers.work.seal import Seal
from handlers.work.values import MAX_VALUE_BYTES
from index.documents import Chunk, Passage

VERSION: Final = 1

KEPT_SECONDS: Final = 30 * 24 * 3600.0
"""How long a run can be taken up again, and what it did be undone."""

LARGEST: Final = MAX_VALUE_BYTES - 1024

_T = TypeVar("_T")


class RunRow:
    """A run and its place in the store.

    ``run`` is what was written last, with what may be read and not kept.
    """

    def __init__(self, runs: "Runs", run: Run, revision: str) -> None:
        self.run = run
        self._runs = runs
        self._revision = revision

    async def save(self, run: Run) -> None:
        """Write the run. Raises ClaimLost when another worker wrote it, RunTooLarge."""
        if run == self.run:
            return
        self._revision = await self._runs.replace(run, self._revision)
        self.run = run


class Runs:
    """Keeps runs for 30 days after their last step. All methods raise StoreUnavailable."""

    def __init__(self, store: StateStore, seal: Seal) -> None:
        self._store = store
        self._seal = seal

    async def load(self, run: str) -> RunRow | None:
        """Return the run with this name, or None when it is not kept. Raises BadSeal."""
        item = await self._store.get(_key(run))
        if item is None:
            return None
        if item.value.get("version") != VERSION:
            raise StoreUnavailable("A run was written by another version of this program.")
        packed = self._seal.open(str(item.value.get("sealed", "")))
        text = zlib.decompress(base64.b64decode(packed)).decode("utf-8", "surrogatepass")
        return RunRow(self, from_value(json.loads(text)), item.revision)

    async def begin(self, run: Run) -> RunRow:
        """Write a new run; where there is one by that name already, return that one."""
        revision = await self._store.put_if_absent(_key(run.id), self._value(run), KEPT_SECONDS)
        if revision is not None:
            return RunRow(self, run, revision)
        found = await self.load(run.id)
        if found is None:
            raise StoreUnavailable("A run came and went at the same moment.")
        return found

    async def replace(self, run: Run, revision: str) -> str:
        """Overwrite only at ``revision``; return the new one. Raises ClaimLost, RunTooLarge."""
        value = self._value(run)
        written = await self._store.replace(_key(run.id), value, KEPT_SECONDS, revision)
        if written is None:
            raise ClaimLost("Another worker goes on with this run.")
        return written

    def _value(self, run: Run) -> Mapping[str, object]:
        held = asdict(to_keep(run))
        text = json.dumps(held, default=_plain, separators=(",", ":"), ensure_ascii=False)
        packed = base64.b64encode(zlib.compress(text.encode("utf-8", "surrogatepass")))
        sealed = self._seal.seal(packed.decode("ascii"))
        if len(sealed) > LARGEST:
            raise RunTooLarge("The run holds more than can be kept between two of its steps.")
        return {"version": VERSION, "sealed": sealed}


def from_value(data: Mapping[str, Any]) -> Run:
    """Read a run back. Fields that older code did not write take their default."""
    mention = _made(Mention, data["mention"], place=Place(data["mention"]["place"]))
    question = data["question"]
    return _made(
        Run,
        data,
        mention=mention,
        phase=Phase(data["phase"]),
        question=question
        and Question(question["text"], tuple(Turn(**turn) for turn in question["history"])),
        messages=tuple(
            AgentMessage(
                one["role"],
                one["content"],
                tuple(ToolCall(**call) for call in one["calls"]),
                one["call_id"],
            )
            for one in data["messages"]
        ),
        calls=tuple(
            _made(RunCall, one, state=CallState(one["state"]), fate=Fate(one["fate"]))
            for one in data["calls"]
        ),
        passages=tuple(_passage(one) for one in data["passages"]),
        spent=_made(Spent, data["spent"]),
        limit=Bound(data["limit"]) if data["limit"] else None,
        posted=tuple(data["posted"]),
    )


def _passage(data: Mapping[str, Any]) -> Passage:
    chunk = _made(Chunk, data["chunk"], heading_path=tuple(data["chunk"]["heading_path"]))
    at = data["updated_at"]
    return _made(
        Passage,
        data,
        chunk=chunk,
        readers=frozenset(data["readers"]),
        updated_at=datetime.fromisoformat(at) if at else None,
    )


def _made(kind: type[_T], data: Mapping[str, Any], **given: object) -> _T:
    known = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**({name: value for name, value in data.items() if name in known} | given))


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"A run cannot hold a {type(value).__name__}.")


def _key(run: str) -> str:
    return f"agent-run:{run}"
