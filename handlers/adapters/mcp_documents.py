"""The documents for other assistants: search, open, ask, each under the rights of one caller.

What comes back is what the bot itself would use: the same search, the same sections, the same
checked answers. It is given as structured content, and again as text for models that read only
that.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from bot.conversation import Answer, Citation, Place, Question, Turn
from bot.notes import instead, notes
from handlers.adapters.mcp_callers import McpCaller
from handlers.adapters.mcp_limits import CallLimits
from handlers.answering.cleaning import one_line
from handlers.answering.finding import Finder
from handlers.answering.finding import Search as Searched
from handlers.answering.ports import Answerer, Finished
from handlers.answering.quotes import deep_link
from handlers.answering.timing import Timing
from handlers.tools.arguments import checked
from handlers.tools.builtin.index_errors import asking_the_index
from handlers.tools.builtin.open_section import OpenSection
from handlers.tools.errors import BadArguments, ToolRefused, ToolUnavailable
from handlers.tools.ports import Caller, ToolContext
from handlers.work.jobs import AnswerJob
from index.audience import Audience
from index.documents import Passage

SECONDS: Final = 90.0
"""How long one call may take, an answer of a slow model included."""

AT_ONCE: Final = 4
"""Calls that are worked on side by side; further ones wait their turn within their time."""

MOST_EARLIER: Final = 10

ASK: Final = "ask"

_QUERY = {
    "type": "string",
    "minLength": 1,
    "maxLength": 500,
    "pattern": r"\S",
}

Run = Callable[[Mapping[str, Any], Audience], Awaitable["Told"]]


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a call: as data, and as text."""

    data: Mapping[str, object]
    text: str


@dataclass(frozen=True, slots=True)
class Way:
    """One of the three ways to the documents."""

    name: str
    description: str
    parameters: Mapping[str, object]
    run: Run


@dataclass(frozen=True, slots=True)
class Documents:
    """The three ways. ``opener`` reads from the index that ``finder`` searches."""

    finder: Finder
    opener: OpenSection
    answerer: Answerer
    limits: CallLimits
    busy: asyncio.Semaphore
    seconds: float = SECONDS

    def ways(self) -> tuple[Way, ...]:
        """Return them, as they are offered."""
        return (
            Way(
                "search",
                "Search the company's documents. Returns the passages that fit best, each with its"
                " words, title and address; open reads on around one of them.",
                _object({"query": {**_QUERY, "description": "A question or key words."}}, "query"),
                self._search,
            ),
            Way(
                "open",
                "Read the whole section around a passage that search or open returned. What comes"
                " after it is opened by the number of its last part and one.",
                OpenSection.parameters,
                self._open,
            ),
            Way(
                ASK,
                "Ask a question about the company's documents. Returns an answer in which every"
                " sentence carries the numbers of its quotes, or says that nothing was found.",
                _object(
                    {
                        "question": {**_QUERY, "description": "The question."},
                        "earlier": {
                            "type": "array",
                            "items": {"type": "string", "maxLength": 500},
                            "maxItems": MOST_EARLIER,
                            "description": "What was asked before it, oldest first.",
                        },
                    },
                    "question",
                ),
                self._ask,
            ),
        )

    async def call(self, name: str, arguments: object, caller: McpCaller) -> Told:
        """Go one of the ways. Raises BadArguments, ToolRefused, TooManyCalls, ToolUnavailable."""
        way = next((one for one in self.ways() if one.name == name), None)
        if way is None:
            raise ToolRefused("There is no such tool; there are search, open and ask.")
        try:
            given = checked(way.parameters, json.dumps(arguments or {}))
        except (TypeError, ValueError) as error:
            raise BadArguments("The arguments hold something that JSON cannot carry.") from error
        try:
            async with asyncio.timeout(self.seconds):
                await self.limits.take(caller, ask=way.name == ASK)
                async with self.busy:
                    return await way.run(given, caller.audience)
        except TimeoutError as error:
            raise ToolUnavailable("It took too long. Try again.") from error

    async def _search(self, given: Mapping[str, Any], audience: Audience) -> Told:
        async with asking_the_index(self._context(audience)):
            found = await self.finder.found(Searched(given["query"]), audience)
        data = {
            "passages": [_passage(one) for one in found.passages],
            "filters": list(found.filters),
            "index_version": found.index_version,
        }
        return Told(data, _as_text(found.passages) or "Nothing was found that you may read.")

    async def _open(self, given: Mapping[str, Any], audience: Audience) -> Told:
        try:
            came = await self.opener.run(given, self._context(audience))
        except ToolRefused as error:
            # Here it goes by another name than among the agent's tools.
            raise ToolRefused(str(error).replace("search_documents", "search")) from error
        data = {"passages": [_passage(one) for one in came.passages]}
        return Told(data, _as_text(came.passages))

    async def _ask(self, given: Mapping[str, Any], audience: Audience) -> Told:
        earlier = tuple(Turn("", "caller", text) for text in given.get("earlier", ()) if text)
        question = Question(given["question"].strip(), earlier)
        search = await self.finder.search_for(question, Timing(_NO_JOB))
        async with asking_the_index(self._context(audience)):
            found = await self.finder.found(search, audience)
        answer: Answer | None = None
        events = self.answerer.answer(question, found.passages, related=found.related)
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Finished):
                    answer = event.answer
        if answer is None:
            raise ToolUnavailable("No answer was finished. Try again.")
        text = answer_text(answer)
        return Told(
            {
                "verdict": answer.verdict.value,
                "answer": text,
                "sentences": [
                    {"text": one.text, "citations": list(one.citations)} for one in answer.sentences
                ],
                "citations": [_citation(one) for one in answer.citations],
                "nearby": [
                    {"title": one.title, "url": one.url, "heading": one.heading}
                    for one in answer.nearby
                ],
                "notes": notes(answer),
                "filters": list(found.filters),
                "model": answer.model,
                "index_version": found.index_version,
            },
            "\n\n".join([text, *_footnotes(answer.citations), *notes(answer)]),
        )

    def _context(self, audience: Audience) -> ToolContext:
        deadline = asyncio.get_running_loop().time() + self.seconds
        return ToolContext(_NOBODY, audience, "", deadline)


_NOBODY = Caller("", "", "", "", Place.DIRECT)
_NO_JOB = AnswerJob("", "", "", "", "", Place.DIRECT.value)
"""A call comes from no message, so its times are nobody's."""


def answer_text(answer: Answer) -> str:
    """Return an answer as one text, each sentence with the numbers of its quotes. Pure."""
    if not answer.sentences:
        return instead(answer)
    body = ""
    for one in answer.sentences:
        marks = "".join(f"[{number}]" for number in one.citations)
        body += f"{one.lead}{one.text}{' ' if marks else ''}{marks}"
    return body.strip()


def _footnotes(citations: Sequence[Citation]) -> list[str]:
    lines = []
    for one in citations:
        where = " > ".join(part for part in (one.title, one.heading) if part)
        lines.append("\n".join(filter(None, (f"[{one.number}] {where}", one.quote, one.url))))
    return lines


def _as_text(passages: Sequence[Passage]) -> str:
    """Return a block for each passage: where it stands, what opens it, and its words."""
    blocks = []
    for one in passages:
        where = [one_line(part) for part in (one.title, *one.chunk.heading_path)]
        label = " > ".join(dict.fromkeys(part for part in where if part))
        opens = f"(document {one.chunk.document_id}, part {one.chunk.ordinal})"
        blocks.append(f"{label} {opens}\n{one.chunk.text}")
    return "\n\n".join(blocks)


def _citation(one: Citation) -> dict[str, object]:
    return {
        "number": one.number,
        "title": one.title,
        "heading": one.heading,
        "url": one.url,
        "quote": one.quote,
        "page": one.page,
        "updated_at": one.updated_at.isoformat() if one.updated_at else None,
        "document": one.document_id,
    }


def _passage(one: Passage) -> dict[str, object]:
    return {
        "document": one.chunk.document_id,
        "part": one.chunk.ordinal,
        "title": one.title,
        "headings": list(one.chunk.heading_path),
        "url": deep_link(one.url, one.chunk.anchor, one.chunk.text),
        "quote": one.chunk.text,
        "page": one.chunk.page,
        "source": one.source,
        "updated_at": one.updated_at.isoformat() if one.updated_at else None,
    }


def _object(properties: Mapping[str, object], *required: str) -> Mapping[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }
