"""Fifty questions about two sets of documents, with the sentences that answer them.

Thirty are ClapNQ's, from ``shared/data`` beside the checkout: every n-th of those that can be
answered, whose sentences people chose, and of those that cannot. Twenty are about the sample
handbook.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[3]
CLAPNQ = ROOT.parent / "shared" / "data" / "clapnq"
HANDBOOK_QUESTIONS = ROOT / "tests" / "data" / "handbook_questions.json"

T = TypeVar("T")

CLAPNQ_ANSWERABLE, CLAPNQ_UNANSWERABLE = 20, 10


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the documents called ``of``; ``gold`` is empty if nothing answers it.

    ``location`` is that of the document which holds the ``gold`` stretches, word by word.
    """

    of: str
    text: str
    location: str = ""
    gold: tuple[str, ...] = ()


def chosen(count: int) -> list[Asked]:
    """Return ``count`` of the fifty questions, spread over all of them."""
    return _every_nth([*_clapnq(), *_handbook()], count)


def _clapnq() -> list[Asked]:
    lines = (CLAPNQ / "queries.jsonl").read_text("utf-8").splitlines()
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    answerable = _every_nth([row for row in rows if row["answerable"]], CLAPNQ_ANSWERABLE)
    others = _every_nth([row for row in rows if not row["answerable"]], CLAPNQ_UNANSWERABLE)
    return [
        *(Asked("clapnq", row["text"], row["gold_passage"], _gold(row)) for row in answerable),
        *(Asked("clapnq", row["text"]) for row in others),
    ]


def _handbook() -> list[Asked]:
    rows = json.loads(HANDBOOK_QUESTIONS.read_text("utf-8"))
    return [
        *(
            Asked("handbook", row["question"], row["file"], (row["answer"],))
            for row in rows["known"]
        ),
        *(Asked("handbook", text) for text in rows["unknown"]),
    ]


def _gold(row: dict[str, Any]) -> tuple[str, ...]:
    # Two people may have chosen different sentences; either choice is good.
    return tuple(dict.fromkeys(text for one in row["selected_sentences"] for text in one))


def _every_nth(rows: Sequence[T], count: int) -> list[T]:
    return [rows[number * len(rows) // count] for number in range(count)]
