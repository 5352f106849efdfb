"""What is said to the model. Pure but for reading the packaged template once.

Passages and earlier turns are data between fences whose lines carry a nonce that their author
cannot know. Whatever could look like a fence, or like a citation mark, is taken out of the data, so
a passage can neither end its fence nor pass for another passage.
"""

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from bot.conversation import Question, Turn
from handlers.answering.cleaning import one_line, without_hidden
from handlers.answering.ports import Message
from index.documents import Passage

VERSION = "answer-1"
"""Changes with the wording below or in answer_prompt.md; recorded beside evaluations."""

NOT_FOUND = "NOT_FOUND"

MOST_TURNS = 8
LONGEST_TURN = 600
LONGEST_HISTORY = 2400
LONGEST_QUESTION = 4000
LONGEST_PASSAGE = 4000
"""Characters. A passage of the index is far shorter; this bounds what somebody else may offer."""

_FENCE = re.compile(r"[<＜‹]{2,}|[>＞›]{2,}")
_MARK = re.compile(r"[\[【]\s*\^?(\d{1,3})\s*[\]】]")
_ROLE = re.compile(r"<\|[^|>\n]{0,40}\|>|\[/?INST\]|</?s>", re.I)


def messages(question: Question, passages: Sequence[Passage], *, nonce: str) -> list[Message]:
    """Return the conversation to send. ``nonce`` is random for each call, letters and digits."""
    parts: list[str] = []
    history = _history(question.history, nonce)
    if history:
        parts += ["Earlier in this conversation, only to understand the question:"]
        parts += [_fenced("conversation", history, nonce)]
    parts += [f"Passages 1 to {len(passages)}:"]
    for number, passage in enumerate(passages, start=1):
        parts.append(_fenced(f"passage {number}", _passage(number, passage, nonce), nonce))
    asked = _as_data(question.text.strip()[:LONGEST_QUESTION], nonce)
    parts += [
        f"Question, by the person who reads the answer:\n{asked}",
        f"Answer from the passages only, each sentence with its number, or {NOT_FOUND}.",
    ]
    return [Message("system", _system()), Message("user", "\n\n".join(parts))]


def says_not_found(text: str) -> bool:
    """Tell whether a sentence of the model is the agreed word for "the passages don't answer"."""
    letters = re.sub(r"[^A-Za-z]", "", re.sub(r"\[[^\]]*\]", "", text)).upper()
    return letters == "NOTFOUND"


@cache
def _system() -> str:
    return files(__package__).joinpath("answer_prompt.md").read_text(encoding="utf-8").strip()


def _fenced(label: str, body: str, nonce: str) -> str:
    return f"<<<{label} {nonce}\n{body}\n{nonce} {label}>>>"


def _passage(number: int, passage: Passage, nonce: str) -> str:
    where = [one_line(passage.title), *map(one_line, passage.chunk.heading_path)]
    dated = f" (updated {passage.updated_at:%Y-%m-%d})" if passage.updated_at else ""
    label = _as_data(" - ".join(part for part in where if part)[:300], nonce)
    text = _as_data(passage.chunk.text[:LONGEST_PASSAGE], nonce)
    return f"[{number}] {label}{dated}\n{text}"


def _history(turns: Sequence[Turn], nonce: str) -> str:
    """Return the latest turns that fit, oldest first."""
    lines: list[str] = []
    left = LONGEST_HISTORY
    for turn in reversed(turns[-MOST_TURNS:]):
        text = _as_data(one_line(turn.text), nonce)[:LONGEST_TURN]
        line = f"{'assistant' if turn.by_bot else 'person'}: {text}"
        left -= len(line)
        if left < 0:
            break
        if text:
            lines.append(line)
    return "\n".join(reversed(lines))


def _as_data(text: str, nonce: str) -> str:
    """Return text that holds no fence, no nonce, no citation mark, no role mark, nothing hidden."""
    text = without_hidden(text)
    while nonce and nonce in text:
        text = text.replace(nonce, "")
    text = _ROLE.sub(" ", text)
    text = _FENCE.sub(lambda m: "<" if m[0][0] in "<＜‹" else ">", text)
    return _MARK.sub(r"(\1)", text)
