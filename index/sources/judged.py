"""A judged set in the BEIR layout: documents, questions, and which document answers which."""

import csv
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


@dataclass(frozen=True, slots=True)
class JudgedDocument:
    """One document of a judged set; its text is plain text or code."""

    id: str
    title: str
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class JudgedQuery:
    """One question; ``answers`` are acceptable ones, ``is_impossible`` says that there is none."""

    id: str
    text: str
    answers: tuple[str, ...] = ()
    is_impossible: bool = False


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """Documents, questions and judgements; ``qrels`` is query id -> document id -> gain."""

    name: str
    documents: tuple[JudgedDocument, ...]
    queries: tuple[JudgedQuery, ...]
    qrels: Mapping[str, Mapping[str, float]]

    @classmethod
    def load(cls, folder: Path) -> "JudgedSet":
        """Read ``corpus.jsonl``, ``queries.jsonl`` and ``qrels.tsv`` (with a header row).

        The fields and files are those of BEIR (https://github.com/beir-cellar/beir), where ids may
        also be called ``_id``. Raises SourceUnavailable if a file is missing, DocumentUnreadable if
        a line of it is broken.
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
        return cls(folder.resolve().name, documents, queries, qrels)

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
            content = _page(document)
            yield DocumentRef(self._name, document.id, hashlib.sha256(content).hexdigest())

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
            ref=ref,
            content=_page(document),
            media_type="text/html; charset=utf-8",
            url=document.url,
            readers=self.readers,
            updated_at=None,
        )


def _page(document: JudgedDocument) -> bytes:
    title, text = html.escape(document.title), html.escape(document.text)
    page = f"<title>{title}</title><body><pre>\n{text}</pre>"
    return page.replace("\0", " ").encode("utf-8", "replace")


def _document(row: "_Row") -> JudgedDocument:
    return JudgedDocument(
        row.text("id"), row.text("title", ""), row.text("text"), row.text("url", "")
    )


def _query(row: "_Row") -> JudgedQuery:
    answers = row.values.get("answers") or ()
    if isinstance(answers, str):
        answers = (answers,)
    if not isinstance(answers, list | tuple):
        raise row.broken("answers must be a list of texts")
    impossible = bool(row.values.get("is_impossible", False))
    return JudgedQuery(row.text("id"), row.text("text"), tuple(map(str, answers)), impossible)


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
        except ValueError as error:
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


def _judgements(path: Path) -> dict[str, dict[str, float]]:
    qrels: dict[str, dict[str, float]] = {}
    for number, cells in enumerate(
        csv.reader(_lines(path), delimiter="\t", quoting=csv.QUOTE_NONE), 1
    ):
        if number == 1 or not cells:
            continue
        try:
            query, document, gain = cells
            qrels.setdefault(query, {})[document] = float(gain)
        except ValueError as error:
            raise _broken(path, number, "must be query id, document id and gain") from error
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
