"""A source of any size: real sentences, mixed anew. Deterministic, and it holds no document.

    pages of AWS ── sentences, in their order ── 60 neighbours ── a section of ~200 words
                                                 60 neighbours ── another one        ── a document

The sentences of a section were neighbours on a real page, so words stand together as they do in
real text and a word is as rare as it is there. A document depends on the seed, on its number and on
its revision alone: a source may be made anew at any time, in any process, and holds the same.
"""

import math
import random
import re
import tarfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from index.audience import EVERYONE
from index.documents import DocumentRef, RawDocument
from index.errors import DocumentUnreadable
from tests.benchmarks.reader_groups import GROUPS
from tests.benchmarks.sync_speed import PAGES

SENTENCES = 20_000
"""Most sentences that are kept: a few megabytes, whatever the size of the source."""

NEIGHBOURS = 60
SECTIONS = 5
PARAGRAPHS = 2
SENTENCES_A_PARAGRAPH = (5, 7)
UPDATED = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)

_BORDER = re.compile(r"\n+|(?<=[.!?]) (?=[A-Z])")
_PLAIN = re.compile(r"[A-Z][A-Za-z0-9 ,;:'()/%-]+(?:\.[A-Za-z0-9 ,;:'()/%-]+)*[.!?]")
_HEADING = re.compile(r"^#+ ([A-Z][A-Za-z0-9 ,:'()/-]{3,60}?)(?:<a name.*)?$", re.MULTILINE)
_WORDS = range(8, 40)


@dataclass(frozen=True, slots=True)
class Pool:
    """What documents are mixed from: sentences in the order of their pages, and headings."""

    sentences: tuple[str, ...]
    headings: tuple[str, ...]


def read_pool(archive: Path = PAGES, most: int = SENTENCES) -> Pool:
    """Read sentences without any mark of Markdown out of evenly spread pages of an archive."""
    pages: list[list[str]] = []
    headings: dict[str, None] = {}
    seen: set[str] = set()
    for text in _texts(archive):
        headings |= dict.fromkeys(one.strip() for one in _HEADING.findall(text))
        fresh = [one for one in dict.fromkeys(_sentences(text)) if one not in seen]
        seen.update(fresh)
        pages.append(fresh)
    step = max(1, math.ceil(len(seen) / most))
    kept = [sentence for page in pages[::step] for sentence in page]
    return Pool(tuple(kept[:most]), tuple(headings))


def split(text: str) -> list[str]:
    """Return the sentences of a mixed text, each as it stands in the pool; headings are others."""
    return _BORDER.split(text)


class RemixedSource:
    """A Source of ``documents`` Markdown pages, each of about 10 chunks, with rights of their own.

    ``revisions`` are by the number of a document; one that is not in it has revision 0.
    """

    def __init__(
        self,
        pool: Pool,
        documents: int,
        *,
        seed: int = 11,
        name: str = "remixed",
        revisions: Mapping[int, int] | None = None,
    ) -> None:
        self._pool = pool
        self._documents = documents
        self._seed = seed
        self._name = name
        self._revisions = revisions or {}

    @property
    def name(self) -> str:
        return self._name

    @property
    def readers(self) -> frozenset[str]:
        """Empty, since every document has readers of its own."""
        return frozenset()

    async def list(self) -> AsyncIterator[DocumentRef]:
        for number in range(self._documents):
            yield self.ref(number)

    async def fetch(self, ref: DocumentRef) -> RawDocument:
        found = re.fullmatch(r"\d{4}/(\d{7})\.md", ref.location)
        number = int(found[1]) if found else self._documents
        if ref.source != self._name or number >= self._documents:
            raise DocumentUnreadable(f"{ref.location!r} is not a page of this source.")
        return self.raw(number)

    def ref(self, number: int) -> DocumentRef:
        """Return the ref of a document as it is now; any number may be asked for."""
        version = f"{self._seed}-{number}-{self._revisions.get(number, 0)}"
        return DocumentRef(self._name, f"{number // 1_000:04}/{number:07}.md", version)

    def raw(self, number: int) -> RawDocument:
        """Return a document as it is now."""
        ref = self.ref(number)
        return RawDocument(
            ref=ref,
            content=self._text(number).encode(),
            media_type="text/markdown",
            url=f"https://docs.example/{ref.location}",
            readers=self._readers_of(number),
            updated_at=UPDATED,
        )

    def _text(self, number: int) -> str:
        rng = random.Random(f"{self._seed} {number} {self._revisions.get(number, 0)}")
        sentences, headings = self._pool.sentences, self._pool.headings
        parts = [f"# {rng.choice(headings)}, part {number}"]
        for _ in range(SECTIONS):
            first = rng.randrange(max(1, len(sentences) - NEIGHBOURS))
            near = sentences[first : first + NEIGHBOURS]
            parts.append(f"## {rng.choice(headings)}")
            for _ in range(PARAGRAPHS):
                many = min(len(near), rng.randint(*SENTENCES_A_PARAGRAPH))
                parts.append(" ".join(rng.sample(near, many)))
        return "\n\n".join(parts)

    def _readers_of(self, number: int) -> frozenset[str]:
        # Every page is open to two groups, and every second one to the whole company.
        rng = random.Random(f"{self._seed} readers {number}")
        readers = {one.id for one in rng.sample(GROUPS, 2)}
        return frozenset(readers | ({EVERYONE.id} if rng.random() < 0.5 else set()))


def _texts(archive: Path) -> Iterator[str]:
    with tarfile.open(archive) as tar:
        members = [one for one in tar.getmembers() if one.isfile() and one.name.endswith(".md")]
        for member in sorted(members, key=lambda one: one.name):
            file = tar.extractfile(member)
            assert file is not None
            yield file.read().decode("utf-8").replace("\\", "")


def _sentences(text: str) -> Iterator[str]:
    for sentence in split(text):
        if _PLAIN.fullmatch(sentence) and len(sentence.split()) in _WORDS:
            yield sentence
