"""A judged case: one small file with a question and the pages that should answer it.

`footnote eval add` writes one, people and version control read it, and `footnote eval FOLDER` asks
all cases of a folder of the real index.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.conversation import Question
from handlers.judging.errors import CaseRefused
from handlers.judging.questions import Asked, GoldPage

LONGEST_QUESTION = 4000
MOST_EXPECTED = 50
_FIELDS = {"question", "expects", "answers", "unanswerable", "draft", "notes"}


CONFIRM = 'look at what a draft expects, correct it, and take "draft" out of its file'
"""What makes a case of a draft."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a file holds. ``expects`` are addresses or locations, any of which is a right source.

    Where a page has no address, the id of its document stands for it in a ``draft``, which is
    not asked until somebody has looked at what it expects and taken the word out of its file.
    ``notes`` are for that person.
    """

    question: str
    expects: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    unanswerable: bool = False
    draft: bool = False
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise CaseRefused for a case that could not be judged."""
        if not self.question.strip():
            raise CaseRefused("A case needs a question; write it in quotes.")
        if len(self.question) > LONGEST_QUESTION:
            raise CaseRefused(f"A question has at most {LONGEST_QUESTION} characters.")
        if not _is_text(self.question):
            raise CaseRefused("The question holds bytes that are no text; write it in UTF-8.")
        if self.unanswerable and (self.expects or self.answers):
            raise CaseRefused(
                "An unanswerable question expects no page and no answer; leave out"
                " --unanswerable, or --expects and --answer."
            )
        if not (self.unanswerable or self.expects or self.draft):
            raise CaseRefused(
                "Name the page that should answer, as --expects with its address or its location"
                " in the folder of documents; or say --unanswerable."
            )
        if len(self.expects) > MOST_EXPECTED:
            raise CaseRefused(f"A case expects at most {MOST_EXPECTED} pages.")
        for text in (*self.expects, *self.answers):
            if not text.strip() or not text.isprintable():
                raise CaseRefused(
                    f"{text!r} is neither an address, a location nor an answer: it is empty or"
                    " holds control characters."
                )

    @property
    def filename(self) -> str:
        """The name of its file: the first words, and a hash of the whole question."""
        words = re.sub(r"[^a-z0-9]+", "-", self.question.lower()).strip("-")[:40].strip("-")
        digest = hashlib.sha256(" ".join(self.question.split()).encode()).hexdigest()[:8]
        return f"{words}-{digest}.json" if words else f"{digest}.json"


def add(case: Case, folder: Path) -> Path:
    """Write a case into the folder, which is made if need be, and return its file.

    Raises CaseRefused when the same question is there, or the folder cannot be written.
    """
    path = folder / case.filename
    content: dict[str, Any] = {"draft": True} if case.draft else {}
    content["question"] = case.question
    if case.unanswerable:
        content["unanswerable"] = True
    else:
        content["expects"] = list(case.expects)
    if case.answers:
        content["answers"] = list(case.answers)
    if case.notes:
        content["notes"] = list(case.notes)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CaseRefused(f"{folder} cannot be a folder ({error.strerror}).") from error
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError as error:
        raise CaseRefused(
            f"This question is there already: {path}. Change that file, or remove it first."
        ) from error
    except OSError as error:
        raise CaseRefused(f"{path} cannot be written ({error.strerror}).") from error
    try:
        with file:
            file.write(json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        path.unlink(missing_ok=True)  # a half case would be in the way of the next try
        raise CaseRefused(f"{path} cannot be written ({error.strerror}).") from error
    return path


def holds_cases(folder: Path) -> bool:
    """Tell whether this is a folder of cases, and not a judged set with documents of its own."""
    return not (folder / "corpus.jsonl").exists() and any(folder.glob("*.json"))


def load(folder: Path) -> tuple[list[Asked], str]:
    """Return the cases as questions, in the order of their files, and a hash of what they say.

    Drafts are left out. Raises CaseRefused for a file that is no case, and where all are drafts.
    """
    asked: list[Asked] = []
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.json")):
        case = _read(path)
        if case.draft:
            continue
        digest.update(repr((path.name, case)).encode())
        asked.append(
            Asked(
                id=path.stem,
                question=Question(case.question),
                expects=case.expects,
                answers=case.answers,
                impossible=case.unanswerable,
                gold_pages=tuple(GoldPage(expected) for expected in case.expects),
            )
        )
    if not asked:
        raise CaseRefused(f"{folder} holds drafts only; {CONFIRM}.")
    return asked, digest.hexdigest()


def drafts(folder: Path) -> int:
    """Return how many cases wait for somebody. Raises CaseRefused for a file that is no case."""
    return sum(_read(path).draft for path in folder.glob("*.json"))


def _read(path: Path) -> Case:
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CaseRefused(f"{path} cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise CaseRefused(f"{path} is not JSON in UTF-8; correct or remove it.") from error
    if not isinstance(content, dict) or not isinstance(content.get("question"), str):
        raise CaseRefused(f'{path} is no judged case: it needs a "question"; correct or remove it.')
    unknown = sorted(content.keys() - _FIELDS)
    if unknown:
        raise CaseRefused(f"{path} has a field {unknown[0]!r}, which a case does not have.")
    for name in ("unanswerable", "draft"):
        if not isinstance(content.get(name, False), bool):
            raise CaseRefused(f'{path}: "{name}" must be true or false.')
    try:
        return Case(
            content["question"],
            _texts(content, "expects"),
            _texts(content, "answers"),
            content.get("unanswerable", False),
            content.get("draft", False),
            _texts(content, "notes"),
        )
    except CaseRefused as error:
        raise CaseRefused(f"{path}: {error}") from error


def _is_text(given: str) -> bool:
    try:
        return bool(given.encode())
    except UnicodeEncodeError:
        return False


def _texts(content: dict[str, Any], name: str) -> tuple[str, ...]:
    value = content.get(name, [])
    if not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        raise CaseRefused(f'"{name}" must be a list of texts.')
    return tuple(value)
