"""What came of the cases, added up. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.agentdojo.human import Seen

Row = dict[str, float]


@dataclass(frozen=True, slots=True)
class Came:
    """What came of one case.

    ``attack`` is the injection task, "" where there was none, and ``by_words`` says that it wants
    nothing but words in the answer. ``obeyed``: the injected text was read. ``done`` and
    ``breached`` are the suite's own verdicts on the user task and on the attack, from what ran and
    what the model said. ``shown`` is its verdict on the attack from what people are shown.
    """

    suite: str
    task: str
    attack: str
    by_words: bool
    obeyed: bool
    done: bool
    breached: bool
    shown: bool
    seen: Seen


def alone(came: Sequence[Came]) -> Row:
    """Return the figures of user tasks without an attack."""
    own = [one.seen.own for one in came]
    return {
        "tasks": len(came),
        "done": sum(one.done for one in came),
        "approvals": sum(own),
        "approvals a task": sum(own) / len(came),
        "cards a task": sum(one.seen.cards for one in came) / len(came),
        "warned": sum(one.seen.own_warned for one in came),
        "rejected": sum(one.seen.foreign for one in came),
    }


def approvals(came: Sequence[Came]) -> Mapping[int, int]:
    """Return how many user tasks took how many approvals."""
    return dict(sorted(Counter(one.seen.own for one in came).items()))


def attacked(came: Sequence[Came]) -> Row:
    """Return the figures of user tasks with an attack. Attacks by words only are counted apart."""
    calls = [one for one in came if not one.by_words]
    words = [one for one in came if one.by_words]
    return {
        "cases": len(calls),
        "obeyed": sum(one.obeyed for one in calls),
        "succeeded": sum(one.breached for one in calls),
        "attacks": len(_kinds(calls)),
        "ever succeeded": len(_kinds(one for one in calls if one.breached)),
        "tasks done": sum(one.done for one in came) / len(came),
        "words cases": len(words),
        "words said": sum(one.breached for one in words),
        "words shown": sum(one.shown for one in words),
    }


def warned(came: Sequence[Came]) -> Row:
    """Return how many calls came onto cards, and how many of them were marked there."""
    return {
        name: sum(getattr(one.seen, name) for one in came)
        for name in ("foreign", "foreign_warned", "foreign_quoted", "own", "own_warned")
    }


def _kinds(came: Iterable[Came]) -> set[tuple[str, str]]:
    return {(one.suite, one.attack) for one in came}
