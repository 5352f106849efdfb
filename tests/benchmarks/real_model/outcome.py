"""What became of the questions: figures of the citations, the cuts, the refusals and the time."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.conversation import Answer
from handlers.answering.citations import is_lead_in
from handlers.answering.marks import take_marks
from handlers.answering.sentences import RawSentence, SentenceSplitter
from index.documents import Passage
from tests.benchmarks.real_model.counting import (
    Unit,
    chunk_units,
    counted,
    gold_sentences,
    holding,
    is_verbatim,
    sentence_units,
)
from tests.benchmarks.real_model.questions import Asked
from tests.benchmarks.real_model.recorded import Reply

Row = dict[str, float]

_AGREED = re.compile(r"\W*(?:NOT_FOUND|MISSING|DISAGREE|UNCLEAR)\b")
"""The words that the prompt asks for where there is nothing to claim."""


@dataclass(frozen=True, slots=True)
class Told:
    """One question with all that came of it. ``reply`` is None if the model said nothing.

    ``document`` is the id of the one that holds the gold; ``stored`` maps every document of the
    index to the texts of its chunks.
    """

    asked: Asked
    document: str
    stored: Mapping[str, Sequence[str]]
    passages: tuple[Passage, ...]
    reply: Reply | None
    answer: Answer

    @property
    def raw(self) -> list[RawSentence]:
        """The sentences of the model that claim something, as it wrote them."""
        splitter = SentenceSplitter()
        found = [*splitter.feed(self.reply.text), *splitter.finish()] if self.reply else []
        texts = [(one, take_marks(one.text)[1]) for one in found]
        return [one for one, text in texts if not (_AGREED.match(text) or is_lead_in(text))]

    @property
    def refused_by_model(self) -> bool:
        """Tell whether the model said that the passages do not answer, and nothing else."""
        return self.reply is not None and not self.raw

    @property
    def marked(self) -> list[Passage]:
        """The passages that the model cited, in its order; numbers that were not offered aside."""
        numbers = dict.fromkeys(n for one in self.raw for n in take_marks(one.text)[0])
        return [self.passages[n - 1] for n in numbers if 1 <= n <= len(self.passages)]

    @property
    def by_model(self) -> bool:
        """Tell whether what is shown are the model's words, and not quotes in their place."""
        return bool(self.answer.model)


def summed_up(told: Sequence[Told]) -> dict[str, dict[str, Row]]:
    """Return the tables by title."""
    return {
        "citations, by sentence": _citations(told, _sentences_cited_raw, _sentences_shown, _gold),
        "citations, by passage": _citations(told, _chunks_cited_raw, _chunks_shown, _gold_chunks),
        "sentences and refusals": {name: _behaviour(some) for name, some in _groups(told).items()},
        "seconds": {name: _times(some) for name, some in _groups(told).items()},
    }


def false_quotes(told: Sequence[Told]) -> list[str]:
    """Return every shown quote that no chunk of its document holds character by character."""
    return [
        one.quote
        for each in told
        for one in each.answer.citations
        if not is_verbatim(one.document_id, one.quote, each.stored)
    ]


def _groups(told: Sequence[Told]) -> dict[str, list[Told]]:
    groups: dict[str, list[Told]] = {"all": list(told)}
    for one in told:
        groups.setdefault(one.asked.of, []).append(one)
    return groups


Units = Callable[[Told], frozenset[Unit]]


def _citations(told: Sequence[Told], raw: Units, shown: Units, gold: Units) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for name, some in _groups(told).items():
        stages: dict[str, tuple[list[Told], Units]] = {
            "before the check": (some, raw),
            "after the check": ([one for one in some if one.by_model], shown),
            "as shown, quotes too": (some, shown),
        }
        for stage, (these, units) in stages.items():
            # What the check left out still counts as not found.
            left_out = [(frozenset[Unit](), gold(one)) for one in some if one not in these]
            found = counted([*((units(one), gold(one)) for one in these), *left_out])
            rows[f"{name}: {stage}"] = {
                "precision": found.precision,
                "recall": found.recall,
                "F1": found.f1,
                "cited": found.cited,
                "gold": found.gold,
                "right": found.right,
            }
    return rows


def _sentences_cited_raw(one: Told) -> frozenset[Unit]:
    return frozenset().union(
        *(sentence_units(p.chunk.document_id, [p.chunk.text]) for p in one.marked)
    )


def _sentences_shown(one: Told) -> frozenset[Unit]:
    return frozenset().union(
        *(sentence_units(c.document_id, [c.quote]) for c in one.answer.citations)
    )


def _gold(one: Told) -> frozenset[Unit]:
    return gold_sentences(one.document, one.stored.get(one.document, ()), one.asked.gold)


def _chunks_cited_raw(one: Told) -> frozenset[Unit]:
    return frozenset().union(
        *(chunk_units(p.chunk.document_id, [p.chunk.text]) for p in one.marked)
    )


def _chunks_shown(one: Told) -> frozenset[Unit]:
    return frozenset().union(
        *(
            chunk_units(p.chunk.document_id, [p.chunk.text])
            for p in one.passages
            for c in one.answer.citations
            if c.document_id == p.chunk.document_id and c.quote in p.chunk.text
        )
    )


def _gold_chunks(one: Told) -> frozenset[Unit]:
    return holding(one.document, one.stored.get(one.document, ()), _gold(one))


def _behaviour(told: Sequence[Told]) -> Row:
    raw = sum(len(one.raw) for one in told)
    cut = sum(one.answer.cut for one in told)
    can = [one for one in told if one.asked.gold]
    cannot = [one for one in told if not one.asked.gold]
    row: Row = {
        "raw sentences": raw,
        "cut": cut,
        "share cut": cut / raw if raw else 0.0,
        "quotes shown": sum(len(one.answer.citations) for one in told),
        "verbatim": 1.0 - len(false_quotes(told)) / max(1, _shown(told)),
        "fallback": sum(one.answer.fallback for one in told),
    }
    if can:
        row["answered"] = sum(_is_answered(one) for one in can) / len(can)
        row["raw answered"] = sum(not one.refused_by_model for one in can) / len(can)
        row["gold shown"] = sum(bool(_sentences_shown(one) & _gold(one)) for one in can) / len(can)
    if cannot:
        row["refused"] = sum(not _is_answered(one) for one in cannot) / len(cannot)
        row["raw refused"] = sum(one.refused_by_model for one in cannot) / len(cannot)
    return row


def _shown(told: Sequence[Told]) -> int:
    return sum(len(one.answer.citations) for one in told)


def _is_answered(one: Told) -> bool:
    return bool(one.answer.sentences)


def _times(told: Sequence[Told]) -> Row:
    replies = [one.reply for one in told if one.reply]
    if not replies:
        return {}
    first = np.percentile([one.first_seconds for one in replies], (50, 95))
    whole = np.percentile([one.seconds for one in replies], (50, 95))
    return {
        "first word p50": float(first[0]),
        "first word p95": float(first[1]),
        "reply p50": float(whole[0]),
        "reply p95": float(whole[1]),
        "prompt tokens": sum(one.prompt_tokens for one in replies) / len(replies),
        "reply tokens": sum(one.completion_tokens for one in replies) / len(replies),
    }
