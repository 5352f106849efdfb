"""A judged set in the BEIR layout: documents, questions, and which document answers which."""

import hashlib
import html
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from index.audience import EVERYONE
from index.documents import DocumentRef, RawDocument
from index.errors import DocumentUnreadable, SourceUnavailable

LARGEST_GAIN = 999_999


@dataclass(frozen=True, slots=True)
class JudgedDocument:
    """One document of a judged set; its text is plain text or code."""

    id: str
    title: str
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class JudgedTurn:
    """Something that was said before the question."""

    text: str
    by_user: bool


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """One question; ``answers`` are acceptable ones, ``is_impossible`` says that there is none.

    ``earlier`` holds the turns before it, oldest first. ``gold_sentences`` holds, for each way to
    answer it, the sentences that such an answer rests on, word for word from the documents.
    """

    id: str
    text: str
    answers: tuple[str, ...] = ()
    is_impossible: bool = False
    earlier: tuple[JudgedTurn, ...] = ()
    gold_sentences: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """Documents, questions and judgements; ``qrels`` is query id -> document id -> gain.

    ``content`` is a SHA-256 of the three files in hex: equal ones mean the same set.
    """

    name: str
    documents: tuple[JudgedDocument, ...]
    queries: tuple[JudgedQuery, ...]
    qrels: Mapping[str, Mapping[str, int]]
    content: str = ""

    @classmethod
    def load(cls, folder: Path) -> "JudgedSet":
        """Read ``corpus.jsonl``, ``queries.jsonl`` and ``qrels.tsv`` (with a header row).

        The fields and files are those of BEIR (https://github.com/beir-cellar/beir), where ids may
        also be called ``_id``. A query may also have ``answers``, ``is_impossible`` (or
        ``answerable``), ``conversation`` (turns of {speaker, text}, the question last) and
        ``selected_sentences`` (for each answer a list; or one list, ``sentences``).

        Raises SourceUnavailable if a file is missing, DocumentUnreadable if a line is broken.
        """
        documents = tuple(_document(row) for row in _rows(folder / "corpus.jsonl"))
        queries = tuple(_query(row) for row in _rows(folder / "queries.jsonl"))
        qrels = _judgements(folder / "qrels.tsv")
        known = {document.id for document in documents}
        missing = sorted({d for gains in qrels.values() for d in gains} - known)
        if missing:
            raise DocumentUnreadable(
                f"{folder / 'qrels.tsv'} judges {missing[0]!r}, which corpus.jsonl does not hold;"
                " check that both files belong together."
            )
        if not qrels.keys() & {query.id for query in queries}:
            raise DocumentUnreadable(
                f"{folder / 'qrels.tsv'} judges no question of queries.jsonl; check that both files"
                " belong together."
            )
        return cls(folder.resolve().name, documents, queries, qrels, _content(folder))

    def source(self) -> "JudgedSource":
        """Return the documents as a Source; the location of a ref is the id of the document."""
        return JudgedSource(self)


class JudgedSource:
    """The Source port on a judged set; everyone may read it."""

    def __init__(self, judged: JudgedSet) -> None:
        """Offer the documents of ``judged``."""
        self._name = judged.name
        self._documents = {document.id: document for document in judged.documents}

    @property
    def name(self) -> str:
        """The name of the set."""
        return self._name

    @property
    def readers(self) -> frozenset[str]:
        """Everyone."""
        return frozenset({EVERYONE.id})

    async def list(self) -> AsyncIterator[DocumentRef]:
        """Yield a ref for every document, in the order of the file."""
        for document in self._documents.values():
            yield self._ref(document)

    async def fetch(self, ref: DocumentRef) -> RawDocument:
        """Return one document as an HTML page, the one format that carries both title and raw text.

        Raises DocumentUnreadable if the set has no such document.
        """
        document = self._documents.get(ref.location)
        if document is None or ref.source != self._name:
            raise DocumentUnreadable(
                f"The judged set {self._name} has no document {ref.location!r}."
            )
        return RawDocument(
            ref=self._ref(document),
            content=_page(document),
            media_type="text/html; charset=utf-8",
            url=document.url,
            readers=self.readers,
            updated_at=None,
        )

    def _ref(self, document: JudgedDocument) -> DocumentRef:
        version = hashlib.sha256(_page(document)).hexdigest()
        return DocumentRef(self._name, document.id, version)


def _page(document: JudgedDocument) -> bytes:
    title, text = html.escape(document.title), html.escape(document.text)
    page = f"<title>{title}</title><body><pre>\n{text}</pre>"
    return page.replace("\0", " ").encode("utf-8", "replace")


def _document(row: "_Row") -> JudgedDocument:
    return JudgedDocument(
        row.text("id"), row.text("title", ""), row.text("text"), row.text("url", "")
    )


def _query(row: "_Row") -> JudgedQuery:
    given = row.values
    impossible = bool(given.get("is_impossible", False)) or given.get("answerable") is False
    return JudgedQuery(
        row.text("id"),
        row.text("text"),
        _texts(row, "answers"),
        impossible,
        _earlier(row),
        () if impossible else _gold_sentences(row),
    )


def _texts(row: "_Row", field: str) -> tuple[str, ...]:
    values = row.values.get(field) or ()
    if isinstance(values, str):
        values = (values,)
    if not isinstance(values, list | tuple):
        raise row.broken(f"{field} must be a list of texts")
    return tuple(map(str, values))


def _earlier(row: "_Row") -> tuple[JudgedTurn, ...]:
    turns = row.values.get("conversation") or []
    if not isinstance(turns, list):
        raise row.broken("conversation must be a list of turns")
    for turn in turns:
        if not (isinstance(turn, dict) and isinstance(turn.get("text"), str)):
            raise row.broken("each turn of a conversation needs a speaker and a text")
    said = [JudgedTurn(turn["text"], str(turn.get("speaker", "user")) == "user") for turn in turns]
    return tuple(said[:-1])


def _gold_sentences(row: "_Row") -> tuple[tuple[str, ...], ...]:
    ways = row.values.get("selected_sentences")
    if ways is None:
        one = _texts(row, "sentences")
        return (one,) if one else ()
    if not (isinstance(ways, list) and all(isinstance(way, list) for way in ways)):
        raise row.broken("selected_sentences must be a list of lists of texts")
    return tuple(tuple(map(str, way)) for way in ways if way)


def _content(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv"):
        digest.update(hashlib.sha256("\n".join(_lines(folder / name)).encode()).digest())
    return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a JSON lines file, with its place for the error."""

    path: Path
    number: int
    values: Mapping[str, Any]

    def text(self, field: str, default: str | None = None) -> str:
        value = self.values.get(field, self.values.get(f"_{field}", default))
        if value is None and default is not None:
            return default
        if not isinstance(value, str | int) or (field == "id" and value == ""):
            raise self.broken(f"{field!r} must be a text")
        return str(value)

    def broken(self, reason: str) -> DocumentUnreadable:
        return _broken(self.path, self.number, reason)


def _broken(path: Path, number: int, reason: str) -> DocumentUnreadable:
    return DocumentUnreadable(f"{path}, line {number}: {reason}; correct the line.")


def _rows(path: Path) -> Iterator[_Row]:
    seen: set[str] = set()
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _broken(path, number, "is not JSON") from error
        if not isinstance(values, dict):
            raise _broken(path, number, "must be a JSON object")
        row = _Row(path, number, values)
        name = row.text("id")
        if name in seen:
            raise row.broken(f"the id {name!r} stands on an earlier line too")
        seen.add(name)
        yield row
    if not seen:
        raise DocumentUnreadable(f"{path} has no lines; fill it or name another folder.")


def _judgements(path: Path) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    for number, line in enumerate(_lines(path), 1):
        cells = line.rstrip("\r").split("\t")
        if number == 1 and len(cells) == 3 and cells[2].isdecimal():
            raise _broken(path, number, "must be a header row, and is a judgement")
        if number == 1 or cells == [""]:
            continue
        try:
            query, document, given = cells
            gain = int(given)
            if abs(gain) > LARGEST_GAIN:
                raise ValueError("a gain")
            qrels.setdefault(query, {})[document] = gain
        except ValueError as error:
            reason = "must be query id, document id and gain, a whole number of six digits at most"
            raise _broken(path, number, reason) from error
    if not qrels:
        raise DocumentUnreadable(f"{path} holds no judgement; fill it or name another folder.")
    return qrels


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8-sig").split("\n")
    except OSError as error:
        raise SourceUnavailable(
            f"{path} cannot be read ({error.strerror}); name a folder with corpus.jsonl,"
            " queries.jsonl and qrels.tsv."
        ) from error
    except UnicodeDecodeError as error:
        raise DocumentUnreadable(f"{path} is not UTF-8 text; save it as UTF-8.") from error
