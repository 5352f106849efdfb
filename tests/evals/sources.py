"""The passages that sentences are planted in: the sample handbook, and judged sets if wanted."""

import json
import random
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from handlers.answering.sentences import SentenceSplitter
from index.chunking import chunk
from index.documents import Chunk, DocumentRef, Passage, RawDocument, stable_id
from index.parsing import DocumentParser
from tests.evals.false_sentences import WAYS, Source
from tests.evals.planting import Planted, names_of, planted

COUNT = 200
ROOT = Path(__file__).resolve().parents[2]
HAND_WRITTEN = ROOT / "tests" / "data" / "planted_falsehoods.json"
HANDBOOK = ROOT / "bot" / "playground" / "handbook"


def handbook() -> list[Passage]:
    """Return every chunk of the sample handbook as a passage."""
    found: list[Passage] = []
    for path in sorted(p for p in HANDBOOK.rglob("*") if p.is_file()):
        location = path.relative_to(HANDBOOK).as_posix()
        ref = DocumentRef("handbook", location, "1")
        raw = RawDocument(ref, path.read_bytes(), "", "", frozenset(), None)
        document = DocumentParser().parse(raw)
        found += [as_passage(document.title, c) for c in chunk(document)]
    return found


def judged(folder: Path) -> list[Passage]:
    """Return the pages of a judged set in BEIR layout, each as one passage."""
    lines = (folder / "corpus.jsonl").read_text("utf-8").splitlines()
    return [page(row["title"], row["text"], row["id"]) for row in map(json.loads, lines)]


def by_hand(held_out: bool) -> list[Planted]:
    """Return the hand-written cases of one half, each with pages of the handbook beside it."""
    gaps = json.loads(HAND_WRITTEN.read_text("utf-8"))["gaps"]
    elsewhere = handbook()
    cases: list[Planted] = []
    for gap, written in gaps.items():
        for place, case in enumerate(written):
            if place % 2 == held_out:
                said = page("A page", case["says"], f"{gap} {place}")
                offered = (elsewhere[place], said, elsewhere[-place - 1])
                kind = f"by hand: {gap}"
                cases.append(Planted(kind, case["claim"], offered, 2, case["true"], gap))
    return cases


def mixture(pages: Sequence[Sequence[Passage]], *, held_out: bool, seed: int) -> list[Planted]:
    """Return 200 true sentences and 200 false ones of one half of the pages.

    All hand-written ones of that half, and the rest planted in equal shares in each of ``pages``.
    """
    cases = by_hand(held_out)
    for place, passages in enumerate(pages):
        each = planted(half(passages, held_out), count=COUNT, seed=seed + place)
        for true in (True, False):
            missing = COUNT - sum(case.true == true for case in cases)
            share = -(-missing // (len(pages) - place))
            found = [case for case in each if case.true == true]
            cases += random.Random(seed).sample(found, share)
    return cases


def page(title: str, text: str, name: str) -> Passage:
    """Return a text that is offered whole."""
    document = stable_id("eval", name)
    return as_passage(title, Chunk(stable_id(document, "0"), document, 0, (), text, 0, len(text)))


def as_passage(title: str, found: Chunk) -> Passage:
    """Return a chunk as retrieval would offer it."""
    return Passage(found, "eval", title, "", score=1.0, similarity=0.5, readers=frozenset())


def half(passages: Sequence[Passage], held_out: bool) -> list[Passage]:
    """Return the pages of one half; a page belongs to the same half for ever."""
    return [p for p in passages if (_odd(p.title) == held_out)]


def _odd(title: str) -> bool:
    return bool(sha256(title.encode()).digest()[0] % 2)


def human_answers(folder: Path, held_out: bool) -> list[Planted]:
    """Return what people answered in ClapNQ, sentence by sentence, and a falsified twin of each.

    Each sentence is offered with its gold passage alone. A twin is made where the seeded way that
    is its turn can make one; ``kind`` tells people's sentences from their twins.
    """
    pages = {p.chunk.id: p for p in half(judged(folder), held_out)}
    chance = random.Random(17)
    cases: dict[str, Planted] = {}
    for row in map(json.loads, (folder / "queries.jsonl").read_text("utf-8").splitlines()):
        passage = pages.get(stable_id(stable_id("eval", row.get("gold_passage") or ""), "0"))
        if not row["answerable"] or passage is None:
            continue
        splitter = SentenceSplitter()
        for answer in row["answers"]:
            for raw in (*splitter.feed(answer), *splitter.finish()):
                if len(raw.text.split()) < 3 or raw.text in cases:
                    continue
                cases[raw.text] = Planted("human", raw.text, (passage,), 1, True, passage.title)
                way = list(WAYS.values())[len(cases) // 2 % len(WAYS)]
                names = tuple(dict.fromkeys(names_of(passage.chunk.text)))
                source = Source(raw.text, passage.chunk.text, passage.title, names, ())
                twin = way(source, chance)
                if twin:
                    kind = f"falsified: {way.__name__}"
                    cases[twin] = Planted(kind, twin, (passage,), 1, False, passage.title)
    return list(cases.values())
