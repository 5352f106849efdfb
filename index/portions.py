"""How the documents of a plan are split into portions that can be prepared apart. Pure.

::

    plan, in the order of ids   a b c d e f g h i j k l m n
    portions of at most three   [a b c][d]│[e f g][h i]│[j k l][m n]

The order of ids is as good as chance, so some of them can mark where a portion begins in any case
(``│``). So a document that comes or goes changes the portions between two marks and no others, and
the next run asks for portions that an earlier one, which was interrupted, had asked for already.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from index.documents import DocumentRef, stable_id

BETWEEN_MARKS: Final = 4
"""Full portions between two marks, on average: the last of them is a smaller one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A document of a plan. ``known_before`` tells a changed one from an added one."""

    ref: DocumentRef
    fingerprint: str
    known_before: bool

    @property
    def token(self) -> str:
        """The same only for the same version, readers and recipe, planned for the same reason."""
        return stable_id(self.ref.id, self.fingerprint, "known" if self.known_before else "new")


@dataclass(frozen=True, slots=True)
class Portion:
    """Documents of one source that are prepared together, by one recipe."""

    recipe: str
    asked: tuple[Asked, ...]

    @property
    def id(self) -> str:
        """32 hex digits, the same for the same documents in the same state."""
        return stable_id(self.recipe, *(one.token for one in self.asked))


def portions(asked: Iterable[Asked], recipe: str, most: int) -> Sequence[Portion]:
    """Split documents into portions of at most ``most``; equal documents, equal portions."""
    made: list[list[Asked]] = []
    for one in sorted(asked, key=lambda one: one.ref.id):
        if not made or len(made[-1]) == most or _is_mark(one, most):
            made.append([])
        made[-1].append(one)
    return [Portion(recipe, tuple(some)) for some in made]


def _is_mark(one: Asked, most: int) -> bool:
    return int(one.ref.id, 16) % (most * BETWEEN_MARKS) == 0
