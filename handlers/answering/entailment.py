"""A second opinion on a claim and its quote, by a model that an operator may name. Off by default.

Words decide first (``support.py``). The model is asked in two cases only, and both must agree:

- Words support the claim: it is still not shown when the model sees it contradicted.
- Words miss nothing but common words, with every number, name, negation and relation in order: it
  is shown when the model is nearly sure that the quote says it.

So a model alone never passes a wrong number, a foreign name or a lost "not", however sure it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from handlers.answering.errors import ModelError

CONTRADICTED = 0.5
"""Probability of contradiction from which a claim is not shown."""

ENTAILED, HARDLY_CONTRADICTED = 0.9, 0.05
"""What it takes for a claim that words leave in doubt."""

MOST_ASKED = 3
"""Quotes that are judged for one sentence in doubt; each costs the model a pass."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Probabilities in [0, 1]. A model that knows no contradiction always says 0 for it."""

    entailment: float
    contradiction: float

    @property
    def refuses(self) -> bool:
        """Tell whether a claim that words support is better not shown."""
        return self.contradiction >= CONTRADICTED

    @property
    def vouches(self) -> bool:
        """Tell whether a claim that words leave in doubt may be shown."""
        return self.entailment >= ENTAILED and self.contradiction <= HARDLY_CONTRADICTED


class EntailmentUnavailable(ModelError):
    """The entailment model that the operator named cannot be loaded or does not work."""


class Entailment(Protocol):
    """A model for natural language inference."""

    @property
    def name(self) -> str:
        """The folder or name that the operator gave."""
        ...

    def judge(self, pairs: Sequence[tuple[str, str]]) -> list[Judgement]:
        """Judge pairs of (quote, claim), in order. Blocks. Raises EntailmentUnavailable."""
        ...
