"""Which questions went worst, and in which way: what to read first. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from handlers.judging.judge import Judged

PER_REASON = 2


@dataclass(frozen=True, slots=True)
class Worst:
    """A question and what is wrong with it, in a few words."""

    reason: str
    judged: Judged


def _missed(one: Judged) -> float | None:
    found = one.values.get("recall_at_10")
    return 1.0 - one.values["ndcg_at_10"] if found is not None and found < 1.0 else None


def _guessed(one: Judged) -> float | None:
    return (one.evidence or 1.0) if one.values.get("refused") == 0.0 else None


def _refused(one: Judged) -> float | None:
    return 1.0 + (one.evidence or 0.0) if one.values.get("answered") == 0.0 else None


def _unfaithful(one: Judged) -> float | None:
    faithful = one.values.get("faithfulness", 1.0)
    return 1.0 - faithful if faithful < 0.5 else None


def _beside(one: Judged) -> float | None:
    if one.values.get("answered") != 1.0:
        return None
    names = ("answer_in_quotes", "citation_f1", "first_footnote_gold")
    value = next((one.values[name] for name in names if name in one.values), 1.0)
    return 1.0 - value if value < 0.5 else None


def _low(one: Judged) -> float | None:
    ranked = one.values.get("ndcg_at_10", 1.0)
    return 1.0 - ranked if ranked < 1.0 else None


_REASONS: Sequence[tuple[str, Callable[[Judged], float | None]]] = (
    ("a gold page is not among the first ten", _missed),
    ("answered, though the documents do not say it", _guessed),
    ("refused, though the documents say it", _refused),
    ("quotes something else than the answer", _beside),
    ("says what its passages do not", _unfaithful),
    ("a gold page stands low", _low),
)


def worst(judged: Sequence[Judged], *, per_reason: int = PER_REASON) -> list[Worst]:
    """Return the worst questions for each reason, each question once, the gravest reason first.

    Equal ones come in the order of the set.
    """
    found: list[Worst] = []
    seen: set[str] = set()
    for reason, badness in _REASONS:
        graded = [(bad, one) for one in judged if (bad := badness(one)) is not None]
        graded.sort(key=lambda pair: -pair[0])
        fresh = [one for _, one in graded if one.asked.id not in seen][:per_reason]
        found += [Worst(reason, one) for one in fresh]
        seen |= {one.asked.id for one in fresh}
    return found
