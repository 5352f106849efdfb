"""A set of true and false sentences over real passages, reproducible by its seed."""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.documents import Passage
from index.sentences import sentences
from tests.evals import false_sentences, true_sentences
from tests.evals.false_sentences import Source

DISTRACTORS = 3
ROUNDS = 4
FOREIGN = "foreign_citation"


@dataclass(frozen=True)
class Planted:
    """A sentence as a model may write it, what it was offered, and whether a passage bears it out.

    ``cited`` counts the passages from 1.
    """

    kind: str
    text: str
    passages: tuple[Passage, ...]
    cited: int
    true: bool
    page: str


def planted(passages: Sequence[Passage], *, count: int, seed: int) -> list[Planted]:
    """Return ``count`` true sentences and ``count`` false ones, in turn one of each kind.

    A kind of which the passages yield no more is left to the others. Raises ValueError when all
    together do not yield that many different ones.
    """
    chance = random.Random(seed)
    sources = [source for passage in passages for source in _sources(passage, passages)]
    true = _gather(sources, [*true_sentences.WAYS], count, chance, passages)
    false = _gather(sources, [*false_sentences.WAYS, FOREIGN], count, chance, passages)
    return [*true, *false]


def _gather(
    sources: Sequence[tuple[Source, str, Passage]],
    kinds: Sequence[str],
    count: int,
    chance: random.Random,
    passages: Sequence[Passage],
) -> list[Planted]:
    made: dict[str, Planted] = {}
    left = {kind: _all(kind, sources, passages, chance) for kind in kinds}
    while left and len(made) < count:
        for kind in list(left):
            found = next((c for c in left[kind] if c.text not in made), None)
            if found is None:
                del left[kind]
            elif len(made) < count:
                made[found.text] = found
    if len(made) < count:
        raise ValueError(f"the passages yield {len(made)} sentences of {', '.join(kinds)}")
    return list(made.values())


def _all(
    kind: str,
    sources: Sequence[tuple[Source, str, Passage]],
    passages: Sequence[Passage],
    chance: random.Random,
) -> Iterator[Planted]:
    """Yield sentences of a kind; a page's sentence comes up again only when all had their turn."""
    for _ in range(ROUNDS):
        for source, following, passage in chance.sample(sources, len(sources)):
            text = _made(kind, source, following, chance)
            if text:
                yield _offered(kind, text, passage, passages, chance)


def _made(kind: str, source: Source, following: str, chance: random.Random) -> str:
    if kind in true_sentences.WAYS:
        return true_sentences.WAYS[kind](source.sentence, following, chance)
    if kind in false_sentences.WAYS:
        return false_sentences.WAYS[kind](source, chance)
    return source.sentence


def _offered(
    kind: str, text: str, passage: Passage, passages: Sequence[Passage], chance: random.Random
) -> Planted:
    document = passage.chunk.document_id
    elsewhere = [
        p for p in passages if p.chunk.document_id != document and text not in p.chunk.text
    ]
    offered = chance.sample(elsewhere, DISTRACTORS + 1)
    place = chance.randrange(len(offered))
    if kind != FOREIGN:
        offered[place] = passage
    return Planted(
        kind, text, tuple(offered), place + 1, kind in true_sentences.WAYS, passage.title
    )


def _sources(passage: Passage, passages: Sequence[Passage]) -> list[tuple[Source, str, Passage]]:
    """Return each plain sentence of a passage that can be told alone, with the one behind it."""
    text = passage.chunk.text
    found = [" ".join(text[a:b].split()) for a, b in sentences(text)]
    page = [p.chunk.text for p in passages if p.chunk.document_id == passage.chunk.document_id]
    names = tuple(dict.fromkeys(name for part in page for name in names_of(part)))
    usable: list[tuple[Source, str, Passage]] = []
    for place, sentence in enumerate(found):
        if not _plain(sentence):
            continue
        following = found[place + 1] if place + 1 < len(found) else ""
        others = tuple(o for o in found if o != sentence and _plain(o))
        whole = " ".join("\n".join(page).split())
        source = Source(sentence, whole, passage.title, names, others)
        usable.append((source, following if _plain(following) else "", passage))
    return usable


_NAME = re.compile(r"(?<=[a-z,0-9] )[A-Z][\w’-]+(?: [A-Z][\w’-]+)*")
_POINTING = re.compile(
    r"(?:He|She|It|Its|They|Their|This|These|That|Those|Both|Such|Here|There|Then|His|Her|Also|Later"
    r"|Another|Other|Further|However|Each|But|And|So|Or|Anything|Everything|After that|Of these)\b"
)
_CALENDAR = frozenset(
    "January February March April May June July August September October November December Monday"
    " Tuesday Wednesday Thursday Friday Saturday Sunday I".split()
)


def names_of(text: str) -> list[str]:
    """Return what looks like a proper name inside sentences, dates left out."""
    found = (m[0] for m in _NAME.finditer(" ".join(text.split())))
    return [name for name in found if not set(name.split()) & _CALENDAR]


def _plain(sentence: str) -> bool:
    words = sentence.split()
    return (
        6 <= len(words) <= 32
        and sentence.endswith(".")
        and sentence[0].isupper()
        and not _POINTING.match(sentence)
        and not re.search(r"[|`#\n@]|https?:|\.\.", sentence)
    )
