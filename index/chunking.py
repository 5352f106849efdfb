"""Cut a document into chunks along headings and sentences. Pure.

A chunk is small enough to be quoted and to be embedded whole: about 100 words, which found pages
better than 200 or 400 words with this embedder, and never more than the 256 word pieces that the
model reads. Every chunk is an exact stretch of the text of its document.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.documents import Chunk, Document, Heading, Opens, stable_id
from index.fragments import Fragments
from index.sentences import sentences
from index.wordpieces import clipped, estimated

__all__ = ["RECIPE", "chunk", "searchable_text", "sentences"]

RECIPE = "headings-sentences-1"
"""Names this way of cutting; part of the fingerprint, so a change re-indexes by itself."""

TARGET_WORDS = 100
LARGEST_WORDS = 125
TINY_WORDS = 25
"""A section below this is merged with its neighbour, if both together still make one chunk."""

TITLE_PIECES = 32
PATH_PIECES = 40
MODEL_PIECES = 256
"""What the model reads at most, its two marks included (``sentence_bert_config.json``)."""

_WINDOW = 3_000
"""Characters that always hold more than one chunk does."""

_RESERVE = 6
"""Word pieces for the two marks of the model and for slips of the estimate."""


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading with what stands under it, or several; ``body`` is behind the first heading."""

    start: int
    body: int
    end: int
    path: tuple[str, ...]
    anchor: str
    words: int


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is not cut any further; ``border`` is the price of a cut right before it."""

    start: int
    end: int
    words: int
    pieces: float
    border: float


_PARAGRAPH, _ROW, _SENTENCE, _INSIDE = 0.0, 0.06, 0.12, 0.5
_AFTER_COLON = 0.25
_GLUED_ROWS, _GLUED_PARAGRAPHS = 8, 3
"""Words up to which neighbours are never cut apart."""


def chunk(document: Document) -> tuple[Chunk, ...]:
    """Cut ``document`` into chunks; ``document.text[c.start:c.end] == c.text`` for each of them.

    The first heading of a chunk stands in its heading path, not in its text. An id depends on the
    document and the text alone (and on which of equal texts it is), so a chunk keeps its id when
    something else in the document is edited.
    """
    seen: Counter[str] = Counter()
    chunks: list[Chunk] = []
    fragments = Fragments(document)
    for section in _merged(_sections(document)):
        overhead = estimated(_heading_text(document.title, section.path))
        room = MODEL_PIECES - _RESERVE - overhead
        for start, end in _cuts(document.text, section.body, section.end, room):
            text = document.text[start:end]
            seen[text] += 1
            chunks.append(
                Chunk(
                    id=stable_id("chunk", document.ref.id, text, str(seen[text])),
                    document_id=document.ref.id,
                    ordinal=len(chunks),
                    heading_path=section.path,
                    text=text,
                    start=start,
                    end=end,
                    page=fragments.page(start),
                    anchor=fragments.anchor(start, section.anchor),
                )
            )
    return tuple(chunks)


def searchable_text(title: str, chunk: Chunk) -> str:
    """Return what is embedded and keyword-indexed for a chunk: title, heading path, text.

    Title and path are clipped, so that they never push the text out of what the model reads.
    """
    return f"{_heading_text(title, chunk.heading_path)}\n{chunk.text}".lstrip()


def _heading_text(title: str, path: Sequence[str]) -> str:
    title = " ".join(title.split())
    parts = [clipped(title, TITLE_PIECES)] if title else []
    room = float(PATH_PIECES)
    inner: list[str] = []
    for heading in reversed(path):
        if heading == title:
            continue
        kept = clipped(heading, room)
        room -= estimated(kept) + 1
        if kept:
            inner.append(kept)
        if room <= 1:
            break
    return "\n".join([*parts, " > ".join(reversed(inner))]).strip()


def _sections(document: Document) -> Iterator[_Section]:
    """Yield the text before the first heading, then each heading with the text under it."""
    text, headings = document.text, sorted(document.headings, key=lambda h: h.start)
    first = headings[0].start if headings else len(text)
    yield _Section(0, 0, first, (), "", _words(text, 0, first))
    above: list[Heading] = []
    for index, heading in enumerate(headings):
        end = headings[index + 1].start if index + 1 < len(headings) else len(text)
        while above and above[-1].level >= heading.level:
            above.pop()
        above.append(heading)
        # What people open by line is code, where a heading is part of what it heads.
        by_line = document.opens is Opens.LINE
        body = heading.start if by_line else _after_heading(text, heading, end)
        childless = index + 1 == len(headings) or headings[index + 1].level <= heading.level
        if not text[body:end].strip():
            if not childless:
                continue
            body = heading.start
        path = tuple(h.text for h in above if h.text)
        anchor = next((h.anchor for h in reversed(above) if h.anchor), "")
        yield _Section(heading.start, body, end, path, anchor, _words(text, body, end))


def _after_heading(text: str, heading: Heading, end: int) -> int:
    """Return where the body begins; the heading itself counts as body if its text is not there."""
    after = heading.start + len(heading.text)
    return min(after, end) if text.startswith(heading.text, heading.start) else heading.start


def _words(text: str, start: int, end: int) -> int:
    return len(text[start:end].split())


def _merged(sections: Iterator[_Section]) -> Iterator[_Section]:
    """Join tiny neighbours under the same parent; a long section always stays alone."""
    held: _Section | None = None
    for section in sections:
        if not section.words:
            continue
        if held is not None and _belong_together(held, section):
            shared = _shared(held.path, section.path)
            body = held.body if held.path == shared else held.start
            held = _Section(
                held.start, body, section.end, shared, held.anchor, held.words + section.words
            )
            continue
        if held is not None:
            yield held
        held = section
    if held is not None:
        yield held


def _belong_together(held: _Section, section: _Section) -> bool:
    tiny = min(held.words, section.words) < TINY_WORDS
    shared = _shared(held.path, section.path)
    near = len(shared) >= max(len(held.path), len(section.path)) - 1
    return tiny and near and held.words + section.words <= TARGET_WORDS


def _shared(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    length = 0
    while length < min(len(one), len(other)) and one[length] == other[length]:
        length += 1
    return one[:length]


def _cuts(text: str, start: int, end: int, room: float) -> Iterator[tuple[int, int]]:
    """Yield the spans of the chunks of one section, each of at most ``room`` word pieces."""
    units = _coalesced(_units(text, start, end, room), room)
    for first, last in _grouped(units, room):
        yield units[first].start, units[last].end


def _units(text: str, start: int, end: int, room: float) -> Iterator[_Unit]:
    before = start
    for low, high in sentences(text[start:end]):
        low, high = low + start, high + start
        low = _with_mark(text, before, low)
        gap = text[before:low]
        border = _SENTENCE if "\n" not in gap else _ROW if gap.count("\n") == 1 else _PARAGRAPH
        if text[max(start, before - 1) : before] == ":":
            border += _AFTER_COLON
        for begin, stop in _fitting(text, low, high, room):
            stretch = text[begin:stop]
            price = border if begin == low else _INSIDE
            yield _Unit(begin, stop, len(stretch.split()), estimated(stretch), price)
        before = high


def _coalesced(units: Iterator[_Unit], room: float) -> list[_Unit]:
    """Glue very short neighbours, so that a list of a million words stays quick to divide."""
    result: list[_Unit] = []
    for unit in units:
        last = result[-1] if result else unit
        words, pieces = last.words + unit.words, last.pieces + unit.pieces
        limit = _GLUED_PARAGRAPHS if unit.border == _PARAGRAPH else _GLUED_ROWS
        if result and words <= limit and pieces <= room / 4:
            result[-1] = _Unit(last.start, unit.end, words, pieces, last.border)
        else:
            result.append(unit)
    return result


def _with_mark(text: str, floor: int, start: int) -> int:
    """Take the mark of a list item back in: the chunk shows it, the sentence does not."""
    line = max(floor, text.rfind("\n", floor, start) + 1)
    marked = text[line:start]
    return line + len(marked) - len(marked.lstrip())


def _fitting(text: str, start: int, end: int, room: float) -> Iterator[tuple[int, int]]:
    """Cut a sentence that is too long for a chunk at white space, or anywhere if it has none."""
    while start < end:
        # A look at a window keeps this linear in a sentence of a million characters.
        stretch = text[start : min(end, start + _WINDOW)]
        words = stretch.split(maxsplit=LARGEST_WORDS)
        whole = len(stretch) == end - start and len(words) <= LARGEST_WORDS
        if whole and estimated(stretch) <= room:
            yield start, end
            return
        if len(words) > LARGEST_WORDS:
            stretch = stretch[: len(stretch) - len(words[LARGEST_WORDS])].rstrip()
        kept = clipped(stretch, room) or stretch[:1]
        yield start, start + len(kept)
        start += len(kept)
        while start < end and text[start].isspace():
            start += 1


def _grouped(units: Sequence[_Unit], room: float) -> Iterator[tuple[int, int]]:
    """Group units so that chunks come near the target and cuts fall on the best borders.

    The cheapest division of all, found by dynamic programming: a chunk of w words costs
    ((w - target) / target)², a cut the price of its border.
    """
    best = [0.0] + [float("inf")] * len(units)
    came = [0] * (len(units) + 1)
    for last in range(len(units)):
        words, pieces = 0, 0.0
        for first in range(last, -1, -1):
            words += units[first].words
            pieces += units[first].pieces
            if first < last and (words > LARGEST_WORDS or pieces > room):
                break
            cost = best[first] + ((words - TARGET_WORDS) / TARGET_WORDS) ** 2 + units[first].border
            if cost < best[last + 1]:
                best[last + 1], came[last + 1] = cost, first
    cuts: list[tuple[int, int]] = []
    stop = len(units)
    while stop:
        cuts.append((came[stop], stop - 1))
        stop = came[stop]
    return reversed(cuts)
