"""What is said to the model of an agent, and how tool results reach it: as fenced, numbered data.

Pure but for reading the packaged prompt once. Each result is fenced with a nonce of its own, which
whoever wrote the result cannot know.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Final

from bot.conversation import Question
from handlers.answering.prompt_files import Prompt, read_prompt
from handlers.answering.prompts import as_data, conversation, fenced, passage_text
from handlers.answering.window import MESSAGE_TOKENS, tokens_in
from handlers.tools.fleeting import FLEETING
from handlers.tools.ports import AgentMessage, ToolResult
from index.documents import Chunk, Passage, stable_id

LONGEST_REQUEST: Final = 6000
LONGEST_RESULT: Final = 16_000
"""Characters of one result that the model reads, its passages included."""

LONGEST_PASSAGE: Final = 4000
MOST_PASSAGES: Final = 60
MOST_CHARACTERS: Final = 240_000
"""Of all that a run holds, so that it can be kept between two steps."""

CONCLUDE: Final = (
    "No tool can be called any more. Conclude now from what you have, as the rules say."
)
CUT: Final = "[The rest is left out: it is too long.]"
FULL: Final = "[Left out: this run has read as much as it can. Conclude.]"
OLD: Final = "[Left out to make room. Call the tool again if you need it.]"

_DAYS: Final = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
"""Not by strftime, which says them in the language of the machine."""


@cache
def prompt() -> Prompt:
    """Return the agent's prompt. Raises ValueError like ``read_prompt``."""
    return read_prompt(files(__package__).joinpath("agent_prompt.md").read_text(encoding="utf-8"))


def first_messages(question: Question, *, nonce: str, now: datetime) -> tuple[AgentMessage, ...]:
    """Return how a run begins.

    ``nonce`` is random, letters and digits; ``now`` has the time zone of whoever asks.
    """
    slots = {
        "conversation": conversation(question, nonce),
        "now": f"{_DAYS[now.weekday()]}, {now.isoformat(timespec='minutes')}",
        "request": as_data(question.text.strip()[:LONGEST_REQUEST], nonce),
    }
    agent = prompt()
    return (AgentMessage("system", agent.system), AgentMessage("user", agent.filled(slots)))


@dataclass(frozen=True, slots=True)
class Told:
    """A result as the model reads it, and the passages that can be cited from now on."""

    text: str
    passages: tuple[Passage, ...]


def told(
    result: ToolResult,
    *,
    tool: str,
    known: Sequence[Passage],
    held: int,
    readers: frozenset[str],
    nonce: str,
    fleeting: bool = False,
) -> Told:
    """Return a result for the model.

    Its passages go on with the numbers after those ``known``. A result without passages is one
    itself, since what it says may be cited too; ``readers`` may open it. ``held`` counts the
    characters that the run holds already. The passages of a ``fleeting`` result say by their
    source that they may not be kept.
    """
    room = min(LONGEST_RESULT, MOST_CHARACTERS - held)
    if room < len(FULL):
        return Told(FULL, tuple(known))
    given = [_bounded(one, readers) for one in result.passages]
    if not given and result.text.strip():
        given = [_as_passage(result, tool, readers, len(known), room)]
    given = given[: max(0, MOST_PASSAGES - len(known))]
    if fleeting:
        given = [replace(one, source=FLEETING) for one in given]
    own = bool(result.passages)
    parts = [_cut(as_data(result.text, nonce), room)] if own and result.text.strip() else []
    kept: list[Passage] = []
    for number, passage in enumerate(given, start=len(known) + 1):
        part = passage_text(number, passage, nonce)
        if own and kept and sum(map(len, parts)) + len(part) > room:
            parts.append(CUT)
            break
        parts.append(part if own else f"[{number}] {_cut(as_data(result.text, nonce), room)}")
        kept.append(passage)
    if not parts:
        parts = [_cut(as_data(result.text, nonce), room) or "(nothing)"]
    return Told(fenced("result", "\n\n".join(parts), nonce), (*known, *kept))


def fitted(messages: Sequence[AgentMessage], window: int, reserve: int) -> list[AgentMessage]:
    """Return the messages with the oldest results left out until they fit ``window`` tokens."""
    fitting = list(messages)
    needed = sum(map(tokens_of, fitting)) + reserve
    for place, message in enumerate(fitting):
        if needed <= window:
            break
        if message.role == "tool" and len(message.content) > len(OLD):
            fitting[place] = replace(message, content=OLD)
            needed -= tokens_of(message) - tokens_of(fitting[place])
    return fitting


def tokens_of(message: AgentMessage) -> int:
    """Return about how many tokens a message takes."""
    calls = sum(tokens_in(call.name) + tokens_in(call.arguments) + 8 for call in message.calls)
    return tokens_in(message.content) + calls + MESSAGE_TOKENS


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - len(CUT)]}\n{CUT}"


def _bounded(passage: Passage, readers: frozenset[str]) -> Passage:
    """Return a passage that the run has room for; one that names no readers gets those here."""
    chunk = passage.chunk
    if len(chunk.text) > LONGEST_PASSAGE:
        end = chunk.start + LONGEST_PASSAGE
        chunk = replace(chunk, text=chunk.text[:LONGEST_PASSAGE], end=end)
    return replace(passage, chunk=chunk, readers=passage.readers or readers)


def _as_passage(
    result: ToolResult, tool: str, readers: frozenset[str], number: int, most: int
) -> Passage:
    text = result.text[: min(most, LONGEST_PASSAGE)]
    document = stable_id("tool-result", tool, str(number), text)
    return Passage(
        chunk=Chunk(document, document, 0, (), text, 0, len(text)),
        source="tool",
        title=tool,
        url=result.url,
        score=1.0,
        similarity=1.0,
        readers=readers,
    )
