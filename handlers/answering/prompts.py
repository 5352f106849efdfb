"""What is said to the model. Pure but for reading the packaged prompts once.

Passages and earlier turns are data between fences whose lines carry a nonce that their author
cannot know. Whatever could look like a fence, or like a citation mark, is taken out of the data, so
a passage can neither end its fence nor pass for another passage.
"""

import hashlib
import re
from collections.abc import Sequence

from bot.conversation import Question, Turn
from handlers.answering.cleaning import one_line, without_hidden
from handlers.answering.ports import Message
from handlers.answering.prompt_files import prompt
from index.documents import Passage

NAMES = ("answer", "standalone")
"""The prompts, each in a file NAME_prompt.md."""

MOST_TURNS = 8
LONGEST_TURN = 600
LONGEST_HISTORY = 2400
LONGEST_QUESTION = 4000
LONGEST_FOLLOW_UP = 1000
LONGEST_PASSAGE = 4000
"""Characters. A passage of the index is far shorter; this bounds what somebody else may offer."""

_FENCE = re.compile(r"[<＜‹]{2,}|[>＞›]{2,}")
_MARK = re.compile(r"[\[【]\s*\^?(\d{1,3})\s*[\]】]")
_ROLE = re.compile(r"<\|[^|>\n]{0,40}\|>|\[/?INST\]|</?s>", re.I)


def messages(question: Question, passages: Sequence[Passage], *, nonce: str) -> list[Message]:
    """Return the conversation to send. ``nonce`` is random for each call, letters and digits."""
    numbered = enumerate(passages, start=1)
    slots = {
        "conversation": conversation(question, nonce),
        "count": str(len(passages)),
        "passages": "\n\n".join(
            fenced(f"passage {number}", passage_text(number, passage, nonce), nonce)
            for number, passage in numbered
        ),
        "question": as_data(question.text.strip()[:LONGEST_QUESTION], nonce),
    }
    answer = prompt("answer")
    return [Message("system", answer.system), Message("user", answer.filled(slots))]


def standalone_messages(question: Question, *, nonce: str) -> list[Message]:
    """Return the call that makes a follow-up stand alone; ``nonce`` as for ``messages``."""
    asked = as_data(one_line(question.text)[:LONGEST_FOLLOW_UP], nonce)
    slots = {
        "conversation": conversation(question, nonce),
        "question": fenced("question", asked, nonce),
    }
    standalone = prompt("standalone")
    return [Message("system", standalone.system), Message("user", standalone.filled(slots))]


def versions() -> tuple[str, ...]:
    """Return the versions of all prompts, as their files name them."""
    return tuple(prompt(name).version for name in NAMES)


def fingerprint() -> str:
    """Return 16 hex digits that change with any word of any prompt file: for evaluations."""
    return hashlib.sha256("".join(prompt(n).fingerprint for n in NAMES).encode()).hexdigest()[:16]


def conversation(question: Question, nonce: str) -> str:
    """Return the latest turns before a question between fences, "" without any."""
    history = _history(question.history, nonce)
    return fenced("conversation", history, nonce) if history else ""


def fenced(label: str, body: str, nonce: str) -> str:
    """Return data between fences; ``body`` must have been through ``as_data``."""
    return f"<<<{label} {nonce}\n{body}\n{nonce} {label}>>>"


def passage_text(number: int, passage: Passage, nonce: str) -> str:
    """Return a passage as data, under its number and its title."""
    where = [one_line(passage.title), *map(one_line, passage.chunk.heading_path)]
    dated = f" (updated {passage.updated_at:%Y-%m-%d})" if passage.updated_at else ""
    label = as_data(" - ".join(part for part in where if part)[:300], nonce)
    text = as_data(passage.chunk.text[:LONGEST_PASSAGE], nonce)
    return f"[{number}] {label}{dated}\n{text}"


def _history(turns: Sequence[Turn], nonce: str) -> str:
    """Return the latest turns that fit, oldest first."""
    lines: list[str] = []
    left = LONGEST_HISTORY
    for turn in reversed(turns[-MOST_TURNS:]):
        text = as_data(one_line(turn.text), nonce)[:LONGEST_TURN]
        line = f"{'assistant' if turn.by_bot else 'person'}: {text}"
        left -= len(line)
        if left < 0:
            break
        if text:
            lines.append(line)
    return "\n".join(reversed(lines))


def as_data(text: str, nonce: str) -> str:
    """Return text that holds no fence, no nonce, no citation mark, no role mark, nothing hidden."""
    text = without_hidden(text)
    while nonce and nonce in text:
        text = text.replace(nonce, "")
    text = _ROLE.sub(" ", text)
    text = _FENCE.sub(lambda m: "<" if m[0][0] in "<＜‹" else ">", text)
    return _MARK.sub(r"(\1)", text)
