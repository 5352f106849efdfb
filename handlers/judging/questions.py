"""What is asked, and what is known about a right answer: one shape for both kinds of folders.

A judged set in the BEIR layout brings its own documents. A folder of cases (cases.py) is asked of
the real index, and knows its documents by an address or a location.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urldefrag

from bot.conversation import Question, Turn
from index.documents import Passage, stable_id
from index.evaluation import distinct
from index.sources.judged import JudgedQuery, JudgedSet


@dataclass(frozen=True, slots=True)
class GoldPage:
    """A document that answers the question, for people who read the report."""

    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One judged question.

    ``gold`` maps document ids to gains; ``expects`` are addresses or locations instead, where the
    ids are not known. An ``impossible`` question is answered rightly by a refusal. The figures of
    an answer need ``answers`` or ``gold_sentences`` (one list for each way to answer).
    """

    id: str
    question: Question
    gold: Mapping[str, int] = field(default_factory=dict)
    expects: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    gold_sentences: tuple[tuple[str, ...], ...] = ()
    impossible: bool = False
    gold_pages: tuple[GoldPage, ...] = ()

    @property
    def earlier(self) -> tuple[str, ...]:
        """What the user said before, oldest first."""
        return tuple(turn.text for turn in self.question.history if not turn.by_bot)

    @property
    def judgements(self) -> Mapping[str, int]:
        """Document id, or what is expected, -> gain."""
        return self.gold or dict.fromkeys(self.expects, 1)

    def ranked(self, passages: Sequence[Passage]) -> list[str]:
        """Return the ids of the documents, best first, as ``judgements`` calls them."""
        return distinct(self.key(passage) for passage in passages)

    def key(self, passage: Passage) -> str:
        """Return what ``judgements`` calls the document of a passage."""
        return next((e for e in self.expects if _is_at(passage, e)), passage.chunk.document_id)


def _is_at(passage: Passage, expected: str) -> bool:
    address = passage.url if "#" in expected else urldefrag(passage.url)[0]
    by_location = stable_id(passage.source, expected) == passage.chunk.document_id
    return by_location or (bool(address) and address == expected)


def questions_of(judged: JudgedSet, *, last_turn: bool = False) -> list[Asked]:
    """Return the questions of a set that say something: those judged, and the impossible ones.

    With ``last_turn`` the conversation before a question is left out.
    """
    pages = {document.id: document for document in judged.documents}

    def asked(query: JudgedQuery) -> Asked:
        gains = {d: gain for d, gain in judged.qrels.get(query.id, {}).items() if gain > 0}
        said = () if last_turn else query.earlier
        turns = tuple(
            Turn(str(n), "user" if turn.by_user else "", turn.text) for n, turn in enumerate(said)
        )
        return Asked(
            id=query.id,
            question=Question(query.text, turns),
            gold={}
            if query.is_impossible
            else {stable_id(judged.name, d): gains[d] for d in gains},
            answers=query.answers,
            gold_sentences=query.gold_sentences,
            impossible=query.is_impossible,
            gold_pages=tuple(GoldPage(pages[d].title or d, pages[d].text) for d in gains),
        )

    every = [asked(query) for query in judged.queries]
    return [one for one in every if one.gold or one.impossible]


def sample(questions: Sequence[Asked], limit: int | None) -> list[Asked]:
    """Return ``limit`` of the questions, always the same ones, in their order.

    A file may hold all impossible questions at its end, so its first lines are no sample; these are
    the questions whose ids have the smallest hashes.
    """
    if limit is None or limit >= len(questions):
        return list(questions)
    chosen = sorted(questions, key=_hash)[:limit]
    ids = {one.id for one in chosen}
    return [one for one in questions if one.id in ids]


def _hash(asked: Asked) -> bytes:
    return hashlib.sha256(asked.id.encode("utf-8", "surrogatepass")).digest()
