"""What was cited, held against what should have been. Pure.

The unit is one sentence of one document. A mark of the model cites a whole passage, so before the
check every sentence of a cited passage counts as cited; a footnote cites the sentences of its
quote. Passages are counted too, where both stand on the same footing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from index.sentences import sentences

Unit = tuple[str, str]
"""The id of a document, and a sentence or a whole chunk of it with single blanks."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How much of what was cited is gold, and how much of the gold was cited, over all questions.

    With nothing cited precision is 1, as nothing was cited wrongly; with no gold recall is 1.
    """

    cited: int
    gold: int
    right: int

    @property
    def precision(self) -> float:
        """Share of the cited units that are gold."""
        return self.right / self.cited if self.cited else 1.0

    @property
    def recall(self) -> float:
        """Share of the gold units that are cited."""
        return self.right / self.gold if self.gold else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both, 0 when nothing is right."""
        return 2 * self.right / (self.cited + self.gold) if self.right else 0.0


def counted(pairs: Iterable[tuple[frozenset[Unit], frozenset[Unit]]]) -> Counted:
    """Add up (cited, gold) of all questions, each unit counting once a question."""
    listed = list(pairs)
    return Counted(
        cited=sum(len(cited) for cited, _ in listed),
        gold=sum(len(gold) for _, gold in listed),
        right=sum(len(cited & gold) for cited, gold in listed),
    )


def sentence_units(document: str, texts: Iterable[str]) -> frozenset[Unit]:
    """Return the sentences of some stretches of a document."""
    return frozenset(
        (document, spaced(text[start:end])) for text in texts for start, end in sentences(text)
    )


def chunk_units(document: str, chunks: Iterable[str]) -> frozenset[Unit]:
    """Return whole chunks of a document."""
    return frozenset((document, spaced(chunk)) for chunk in chunks)


def gold_sentences(document: str, chunks: Sequence[str], gold: Sequence[str]) -> frozenset[Unit]:
    """Return the sentences of a document that are part of a gold stretch, or hold one."""
    wanted = [spaced(one) for one in gold]
    return frozenset(
        unit
        for unit in sentence_units(document, chunks)
        if any(unit[1] in one or one in unit[1] for one in wanted)
    )


def holding(document: str, chunks: Sequence[str], wanted: frozenset[Unit]) -> frozenset[Unit]:
    """Return the chunks that hold at least one of the ``wanted`` sentences."""
    return chunk_units(
        document, (chunk for chunk in chunks if sentence_units(document, [chunk]) & wanted)
    )


def is_verbatim(document: str, quote: str, stored: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether one chunk of the index holds ``quote``, character by character."""
    return bool(quote) and any(quote in text for text in stored.get(document, ()))


def spaced(text: str) -> str:
    """Return the text with single blanks between its words."""
    return " ".join(text.split())
