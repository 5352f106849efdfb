"""Where to put the floor below which an answer is refused, from judged questions. Pure.

``certainties`` has one value a question, ``answerable`` says which of them can be answered. A
question is answered when its certainty is at least the floor.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def balanced_accuracy(
    certainties: Sequence[float], answerable: Sequence[bool], floor: float
) -> float:
    """Return the mean of two shares: of answerable questions answered, of the others refused.

    Raises ValueError unless both kinds occur.
    """
    can, cannot = _kinds(certainties, answerable)
    return float((can >= floor).mean() + (cannot < floor).mean()) / 2


def balancing_floor(certainties: Sequence[float], answerable: Sequence[bool]) -> float:
    """Return the floor with the highest balanced accuracy; the lowest of equal ones.

    It lies halfway between two certainties that were seen. Raises ValueError unless both kinds
    occur.
    """
    can, cannot = (np.sort(kind) for kind in _kinds(certainties, answerable))
    seen = np.unique(np.concatenate([can, cannot]))
    floors = np.concatenate([seen[:1], (seen[1:] + seen[:-1]) / 2])
    kept = 1.0 - np.searchsorted(can, floors) / can.size
    refused = np.searchsorted(cannot, floors) / cannot.size
    return float(floors[int(np.argmax(kept + refused))])


def floor_within(
    certainties: Sequence[float], answerable: Sequence[bool], *, false_refusals: float
) -> float:
    """Return the highest floor that refuses at most this share of the answerable questions.

    Raises ValueError unless both kinds occur and the share lies in [0, 1).
    """
    if not 0.0 <= false_refusals < 1.0:
        raise ValueError("false_refusals must be at least 0 and below 1")
    can, _ = _kinds(certainties, answerable)
    return float(np.sort(can)[int(false_refusals * can.size)])


def refused(certainties: Sequence[float], floor: float) -> float:
    """Return the share that is refused. Raises ValueError without any certainty."""
    if not certainties:
        raise ValueError("a share needs at least one question")
    return sum(value < floor for value in certainties) / len(certainties)


def _kinds(
    certainties: Sequence[float], answerable: Sequence[bool]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values, can = np.array(certainties, dtype=float), np.array(answerable, dtype=bool)
    if values.shape != can.shape or can.all() or not can.any():
        raise ValueError("a floor needs one certainty a question, and questions of both kinds")
    return values[can], values[~can]
