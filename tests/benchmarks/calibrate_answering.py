"""Fits what the answerer that quotes goes by, on judged sets, and measures it on left-out articles.

    python -m tests.benchmarks.calibrate_answering ../shared/data/clapnq ../shared/data/squad2-dev

prints the numbers of handlers/answering/evidence.py and refusal.py, and how well they do. A set is
in the BEIR layout with ``gold_passage`` for each question; answerable ones have ``answers`` or
``selected_sentences``. It embeds
some 22,000 sentences, which takes a while.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.conversation import Question
from handlers.answering import evidence
from handlers.answering.calibration import (
    balanced_accuracy,
    balancing_floor,
    floor_within,
    refused,
)
from handlers.answering.extractive import ExtractiveAnswerer, Weighed
from handlers.runtime.settings import Settings
from index.audience import Audience
from index.context import decided, in_reading_order
from index.documents import Passage, stable_id
from index.ports import Embedder, Vector, Vectors
from index.retrieval import PER_DOCUMENT, Retrieval
from index.sources.judged import JudgedSet

Floats = NDArray[np.float64]
FALSE_REFUSALS = 0.05
CHARACTERS, PASSAGES = 6000, 8
"""The defaults of the settings."""
OWN, ELSEWHERE = "own", "elsewhere"
SENTENCE_WEIGHT = {"selected_sentences": 4.0}
"""A question of the smaller set counts as much more as there are fewer of them."""


@dataclass(frozen=True)
class Asked:
    """One question, put to the passages that were found.

    ``where`` is ``ELSEWHERE`` when all that belongs to the gold passage's article was left out.
    """

    name: str
    group: str
    where: str
    answerable: bool
    row: dict[str, Any]
    passages: tuple[Passage, ...]
    weighed: Weighed

    def gold(self) -> Floats:
        """Return 1 for each offered sentence that answers, else 0."""
        document = stable_id(self.name, self.row["gold_passage"])
        return np.array(
            [
                float(
                    self.passages[one.passage].chunk.document_id == document
                    and _answers(self.row, one.text)
                )
                for one in self.weighed.offered
            ]
        )


def _answers(row: dict[str, Any], sentence: str) -> bool:
    picked = row.get("selected_sentences")
    if picked:
        own = "".join(sentence.split())
        votes = [any(own in g or g in own for g in map(_squeezed, one)) for one in picked]
        return sum(votes) * 2 >= len(votes)
    return any(normal(answer) in normal(sentence) for answer in row["answers"])


def _squeezed(text: str) -> str:
    return "".join(text.split())


def normal(text: str) -> str:
    """Return a text as SQuAD compares answers: lower case, no articles, no punctuation."""
    words = "".join(c for c in text.lower() if c.isalnum() or c.isspace()).split()
    return " ".join(word for word in words if word not in {"a", "an", "the"})


class Remembering:
    """An Embedder that embeds each text once."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[str, Vector] = {}
        self.name, self.dimensions = embedder.name, embedder.dimensions

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        new = sorted({text for text in texts if text not in self._known}, key=len)
        if new:
            vectors = self._embedder.embed_documents(new)
            self._known.update(zip(new, vectors, strict=True))
        return np.stack([self._known[text] for text in texts])

    def embed_query(self, text: str) -> Vector:
        return self._embedder.embed_query(text)


async def asked(folder: Path, home: Path) -> list[Asked]:
    """Index a set and put all of its questions, each with and without the gold article."""
    from handlers.runtime import wiring
    from handlers.runtime.commands import sync_documents

    judged = JudgedSet.load(folder)
    settings = Settings.load({}).replaced(home=home, index=str(home / judged.name))
    embedder = Remembering(wiring.query_embedder(settings))
    answerer = ExtractiveAnswerer(embedder)
    await sync_documents(settings, judged.source(), wiring.indexing_embedder(settings))
    rows = [json.loads(line) for line in (folder / "queries.jsonl").open(encoding="utf-8")]
    found: list[Asked] = []
    async with wiring.opened_index(settings, embedder) as index:
        retriever = wiring.retriever(settings, index, embedder)
        for row in rows:
            result = await retriever.retrieve(row["text"], Audience.everyone())
            found += put(judged.name, row, result, answerer)
    return found


def put(
    name: str, row: dict[str, Any], result: Retrieval, answerer: ExtractiveAnswerer
) -> Iterator[Asked]:
    """Yield one question, with the gold article and, if it can be answered, without."""
    can = bool(row.get("answers"))
    group = row["gold_passage"].partition("#")[0]
    offered = [(OWN, result.passages)]
    if can:
        offered.append((ELSEWHERE, without_article(name, row, result)))
    for where, passages in offered:
        weighed = answerer.weigh(Question(row["text"]), passages)
        if weighed is not None:
            answerable = can and where == OWN
            yield Asked(name, group, where, answerable, row, tuple(passages), weighed)


def without_article(name: str, row: dict[str, Any], result: Retrieval) -> tuple[Passage, ...]:
    """Return what would be offered if the article of the gold passage were not there."""
    gold = stable_id(name, row["gold_passage"])
    title = next((p.title for p in result.ranking if p.chunk.document_id == gold), None)
    others = [p for p in result.ranking if p.title != title and p.chunk.document_id != gold]
    return tuple(
        in_reading_order(
            decided(others, characters=CHARACTERS, per_document=PER_DOCUMENT, limit=PASSAGES)
        )
    )


def logistic(signs: Floats, labels: Floats, weights: Floats) -> Floats:
    """Return weights and, last, the bias of a logistic regression, by Newton's method.

    A ridge of 1 on standardised signs keeps it finite.
    """
    mean, spread = signs.mean(axis=0), signs.std(axis=0) + 1e-9
    table = np.column_stack([(signs - mean) / spread, np.ones(len(signs))])
    ridge = np.diag([1.0] * signs.shape[1] + [0.0])
    fitted = np.zeros(table.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-table @ fitted))
        slope = table.T @ (weights * (labels - p)) - ridge @ fitted
        bend = (table * (weights * p * (1 - p))[:, None]).T @ table + ridge
        step = np.linalg.solve(bend, slope)
        fitted += step
        if np.abs(step).max() < 1e-8:
            break
    raw = fitted[:-1] / spread
    return np.append(raw, fitted[-1] - raw @ mean)


def fit_evidence(cases: Sequence[Asked]) -> Floats:
    """Return the weights of evidence.py, bias last, from the answerable questions."""
    own = [case for case in cases if case.answerable]
    signs = np.concatenate([case.weighed.signs for case in own])
    each = [np.full(len(c.weighed.offered), SENTENCE_WEIGHT.get(_kind(c.row), 1.0)) for c in own]
    return logistic(signs, np.concatenate([case.gold() for case in own]), np.concatenate(each))


def _kind(row: dict[str, Any]) -> str:
    return "selected_sentences" if row.get("selected_sentences") else "answers"


def fit_refusal(cases: Sequence[Asked]) -> Floats:
    """Return the weights of refusal.py, bias last.

    In each set, the questions that can be answered weigh as much as those that cannot: half of that
    for the tempting ones, half for those about other pages.
    """
    kinds = [(case.name, case.where, case.answerable) for case in cases]
    share = {kind: (1.0 if kind[2] else 0.5) / kinds.count(kind) for kind in set(kinds)}
    weights = np.array([share[kind] for kind in kinds])
    signs = np.array([astuple(case.weighed.refusal_signs) for case in cases])
    labels = np.array([float(case.answerable) for case in cases])
    return logistic(signs, labels, weights * len(cases) / weights.sum())


def probabilities(fitted: Floats, cases: Sequence[Asked]) -> Floats:
    """Return the certainty of each question under these weights."""
    signs = np.array([astuple(case.weighed.refusal_signs) for case in cases])
    return np.asarray(1 / (1 + np.exp(-(signs @ fitted[:-1] + fitted[-1]))))


def left_out(cases: Sequence[Asked], parts: int = 5) -> tuple[Floats, list[tuple[float, float]]]:
    """Return for each question its certainty and two floors, all from other articles alone.

    The floors are the balancing one of its set, and the one within the budget of every set.
    Articles are divided into ``parts`` groups; each is judged by what the others give.
    """
    part = np.array([int(stable_id(case.group), 16) % parts for case in cases])
    values = np.zeros(len(cases))
    floors: list[tuple[float, float]] = [(0.0, 0.0)] * len(cases)
    for one in range(parts):
        train = [case for case, p in zip(cases, part, strict=True) if p != one]
        test = [i for i in range(len(cases)) if part[i] == one]
        if not test:
            continue
        fitted = fit_refusal(train)
        values[test] = probabilities(fitted, [cases[i] for i in test])
        balancing, within = chosen_floors(train, probabilities(fitted, train))
        for i in test:
            floors[i] = (balancing[cases[i].name], within)
    return values, floors


def chosen_floors(cases: Sequence[Asked], certainties: Floats) -> tuple[dict[str, float], float]:
    """Return the balancing floor of each set, and the highest within the budget of every set."""
    balancing: dict[str, float] = {}
    within: list[float] = []
    for name in sorted({case.name for case in cases}):
        own = [
            (float(x), case.answerable)
            for case, x in zip(cases, certainties, strict=True)
            if case.name == name and case.where == OWN
        ]
        values, can = [x for x, _ in own], [kind for _, kind in own]
        balancing[name] = balancing_floor(values, can)
        within.append(floor_within(values, can, false_refusals=FALSE_REFUSALS))
    return balancing, min(within)


def report(
    cases: Sequence[Asked], certainties: Floats, floors: Sequence[tuple[float, float]]
) -> None:
    """Print for each set how questions fare that had no part in weights and floors."""
    for name in sorted({case.name for case in cases}):
        for where in (OWN, ELSEWHERE):
            rows = [
                (x, case.answerable, both)
                for case, x, both in zip(cases, certainties, floors, strict=True)
                if case.name == name and (case.answerable or case.where == where)
            ]
            x, can = [row[0] for row in rows], [row[1] for row in rows]
            own = floor_within(x, can, false_refusals=FALSE_REFUSALS)
            line = [
                f"{name:12} {where:9} {sum(can)} + {len(can) - sum(can)}",
                f"auc {auc(x, can):.3f}",
            ]
            for place, label in enumerate(("balancing", "budget")):
                # Each question has the floor that the other articles gave: compare the distances.
                over = [row[0] - row[2][place] for row in rows]
                kept = 1 - refused([v for v, c in zip(over, can, strict=True) if c], 0.0)
                gone = refused([v for v, c in zip(over, can, strict=True) if not c], 0.0)
                line.append(
                    f"{label}: kept {kept:.3f} refused {gone:.3f} mean {(kept + gone) / 2:.3f}"
                )
            cannot = [v for v, c in zip(x, can, strict=True) if not c]
            alone = balanced_accuracy(x, can, balancing_floor(x, can))
            line += [f"best floor {alone:.3f}", f"refused at 5 % {refused(cannot, own):.3f}"]
            print(" | ".join(line))


def auc(values: Sequence[float], positive: Sequence[bool]) -> float:
    """Return the area under the ROC curve; ties count half."""
    can = np.array([v for v, p in zip(values, positive, strict=True) if p])
    cannot = np.sort([v for v, p in zip(values, positive, strict=True) if not p])
    low, high = np.searchsorted(cannot, can, "left"), np.searchsorted(cannot, can, "right")
    return float((low + high).mean() / 2 / len(cannot))


def show(cases: Sequence[Asked]) -> None:
    """Fit everything and print it."""
    now = (evidence.TITLED, evidence.FUSED, evidence.LENGTH, evidence.SHOWN, evidence.SHARED)
    print("evidence.py has", now, evidence.BIAS, "and would have", fit_evidence(cases).round(3))
    print("(where these differ, write them down and run again: refusal rests on evidence)")
    fitted = fit_refusal(cases)
    print("refusal.py WEIGHTS and BIAS", fitted.round(3).tolist())
    print("floors: balancing, budget", chosen_floors(cases, probabilities(fitted, cases)))
    report(cases, *left_out(cases))


def main() -> None:
    """Measure the folders named on the command line."""
    with tempfile.TemporaryDirectory() as home:
        cases = [
            case for folder in sys.argv[1:] for case in asyncio.run(asked(Path(folder), Path(home)))
        ]
        show(cases)


if __name__ == "__main__":
    main()
