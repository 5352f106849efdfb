"""Puts planted sentences before the checker, and counts what it lets through."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from handlers.answering.citations import CitationChecker
from handlers.answering.sentences import RawSentence
from index.documents import Passage
from tests.evals.planting import Planted


@dataclass(frozen=True)
class Tally:
    """Shares in [0, 1]; ``kinds`` maps a kind to (stopped, all); the rest are the failures."""

    stopped: float
    wrongly_stopped: float
    kinds: dict[str, tuple[int, int]]
    slipped: tuple[Planted, ...]
    refused: tuple[Planted, ...]


def tally(
    cases: Iterable[Planted],
    make: Callable[[Sequence[Passage]], CitationChecker] = CitationChecker,
) -> Tally:
    """Check each sentence as the only one of its answer."""
    kinds: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    slipped: list[Planted] = []
    refused: list[Planted] = []
    count = {True: 0, False: 0}
    for case in cases:
        checked = make(case.passages).check(RawSentence(f"{case.text} [{case.cited}]", ""))
        stopped = checked.sentence is None
        count[case.true] += 1
        kinds[case.kind][0] += stopped
        kinds[case.kind][1] += 1
        if stopped and case.true:
            refused.append(case)
        elif not stopped and not case.true:
            slipped.append(case)
    return Tally(
        stopped=1 - len(slipped) / max(count[False], 1),
        wrongly_stopped=len(refused) / max(count[True], 1),
        kinds={kind: (seen[0], seen[1]) for kind, seen in kinds.items()},
        slipped=tuple(slipped),
        refused=tuple(refused),
    )
