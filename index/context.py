"""Which of the ranked passages an answer is given to read. Pure.

    ranked    1   2   3   4   5   6   7 ...
    taken     1   2       4   5              3 says what 2 says; 6 and the rest are one too many
    read    0 1   2 3'    4   5              the neighbours of the best, in reading order

Small stretches are found best; what stands before and after the best of them is added for reading,
with the characters that the budget has left: a neighbour never takes the place of a passage that
was found. On 500 questions of SQuAD 2.0, 300 of ClapNQ, 100 on product documentation and 150 on
code, with 6,000 characters, the share of the answer (its words; on ClapNQ its gold sentences) in
the context rose so from .976, .980, .863 and .637 to .979, .996, .872 and .653. Neighbours of four
instead of two passages add .003 and .007 on the last two for twice the text. Where the budget is
full there is no room for them: room kept free among 3,000 characters gained .018 on ClapNQ and lost
.016 on SQuAD 2.0 and .011 on the documentation.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from index.documents import Passage
from index.near_duplicates import Wording, first_alike, wording

NEIGHBOURED = 2
"""How many of the best passages are read with their neighbours."""

Place = tuple[str, int]
"""A chunk by its document and its ordinal there."""


class Fate(StrEnum):
    """What became of a passage that was found."""

    TAKEN = "taken"
    SURROUNDING = "surrounding"
    DUPLICATE = "duplicate"
    CROWDED = "crowded"
    TOO_LONG = "too long"
    BELOW = "below"


@dataclass(frozen=True, slots=True)
class Decision:
    """A passage and its fate; ``like`` is the chunk id of the passage that says the same."""

    passage: Passage
    fate: Fate
    like: str = ""


def decided(
    ranked: Iterable[Passage], *, characters: int, per_document: int, limit: int
) -> list[Decision]:
    """Return each passage with its fate, in their order.

    Those that are taken have together at most ``characters`` characters of text, at most
    ``per_document`` of them are of one document, and there are at most ``limit``. A passage that
    does not fit is passed over, and a shorter one after it may still be taken.
    """
    decisions: list[Decision] = []
    taken: dict[str, Wording] = {}
    used: Counter[str] = Counter()
    left = characters
    for passage in ranked:
        chunk = passage.chunk
        like, fate = "", Fate.TAKEN
        if len(taken) >= limit:
            fate = Fate.BELOW
        elif like := first_alike(said := wording(chunk.text), taken.items()):
            fate = Fate.DUPLICATE
        elif used[chunk.document_id] >= per_document:
            fate = Fate.CROWDED
        elif len(chunk.text) > left:
            fate = Fate.TOO_LONG
        else:
            taken[chunk.id] = said
            used[chunk.document_id] += 1
            left -= len(chunk.text)
        decisions.append(Decision(passage, fate, like))
    return decisions


def neighbour_places(decisions: Sequence[Decision]) -> list[Place]:
    """Return where the neighbours of the best passages stand, the most valuable first.

    What follows a passage comes before what precedes it. Places of passages that are taken, or that
    say what a taken one says, are left out.
    """
    settled = {_place(one.passage) for one in decisions if one.fate in (Fate.TAKEN, Fate.DUPLICATE)}
    best = [one.passage for one in decisions if one.fate is Fate.TAKEN][:NEIGHBOURED]
    places = (
        (passage.chunk.document_id, passage.chunk.ordinal + step)
        for passage in best
        for step in (1, -1)
    )
    return [place for place in dict.fromkeys(places) if place[1] >= 0 and place not in settled]


def with_surroundings(
    decisions: Sequence[Decision], neighbours: Mapping[Place, Passage], *, characters: int
) -> list[Decision]:
    """Return the decisions with those neighbours as SURROUNDING that fit into ``characters``.

    ``neighbours`` holds what stands at the places of ``neighbour_places``, as far as there is
    something. A neighbour that was ranked changes its fate where it stands; others are appended.
    """
    taken = [one.passage for one in decisions if one.fate is Fate.TAKEN]
    said = {one.chunk.id: wording(one.chunk.text) for one in taken}
    left = characters - sum(len(one.chunk.text) for one in taken)
    added: dict[str, Passage] = {}
    for place in neighbour_places(decisions):
        neighbour = neighbours.get(place)
        if neighbour is None or len(neighbour.chunk.text) > left:
            continue
        words = wording(neighbour.chunk.text)
        if not first_alike(words, said.items()):
            said[neighbour.chunk.id] = words
            added[neighbour.chunk.id] = neighbour
            left -= len(neighbour.chunk.text)
    changed = [
        Decision(one.passage, Fate.SURROUNDING) if added.pop(one.passage.chunk.id, None) else one
        for one in decisions
    ]
    return [*changed, *(Decision(one, Fate.SURROUNDING) for one in added.values())]


def in_reading_order(decisions: Iterable[Decision]) -> list[Passage]:
    """Return what is to be read: best first, and each surrounding passage beside its own."""
    decisions = list(decisions)
    around = {_place(o.passage): o.passage for o in decisions if o.fate is Fate.SURROUNDING}
    read: list[Passage] = []
    for one in decisions:
        if one.fate is Fate.TAKEN:
            document, ordinal = _place(one.passage)
            before, after = (around.pop((document, ordinal + step), None) for step in (-1, 1))
            read += [passage for passage in (before, one.passage, after) if passage is not None]
    return read


def _place(passage: Passage) -> Place:
    return passage.chunk.document_id, passage.chunk.ordinal
