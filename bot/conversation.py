"""The nouns of a conversation. Frozen; nothing here knows Slack's API or an index."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Place(StrEnum):
    """Where somebody spoke to the bot, which decides who sees the answer."""

    CHANNEL = "channel"
    DIRECT = "direct"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Mention:
    """Something that was said to the bot and deserves an answer.

    ``ts`` identifies the message inside its channel; ``thread_ts`` is the root of the thread to
    answer in (equal to ``ts`` when the message starts one). ``action_token`` lets Slack be searched
    for its author, for some minutes; it is a secret, and "" where Slack gave none.
    """

    team: str
    channel: str
    user: str
    ts: str
    thread_ts: str
    place: Place
    text: str = field(repr=False)
    action_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a thread. ``user`` is empty for the bot's own words."""

    ts: str
    user: str
    text: str = field(repr=False)

    @property
    def by_bot(self) -> bool:
        """Tell whether the bot said it."""
        return not self.user


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked now, and what was said before it, oldest first."""

    text: str = field(repr=False)
    history: tuple[Turn, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Citation:
    """One footnote. ``quote`` is verbatim from the document, between ``before`` and ``after``.

    ``url`` is a deep link to the place, or empty when the document has no address. ``readers`` are
    opaque ids of those who could read the document when it was quoted.
    """

    number: int
    title: str
    url: str
    quote: str
    before: str = ""
    after: str = ""
    heading: str = ""
    page: int | None = None
    updated_at: datetime | None = None
    document_id: str = ""
    readers: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence (or list item) of an answer, without its marks, and the footnotes it rests on.

    ``lead`` is the white space or list mark that stands before it, so that the text of an answer is
    the concatenation of its sentences.
    """

    text: str
    citations: tuple[int, ...] = ()
    lead: str = " "


class Verdict(StrEnum):
    """What became of a question.

    ``DISAGREE``: documents state different things, and both are quoted. ``UNCLEAR``: it cannot be
    told what to look for, and the answer is a question back.
    """

    ANSWERED = "answered"
    PARTLY = "partly"
    DISAGREE = "disagree"
    NOT_FOUND = "not_found"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Nearby:
    """A page that did not answer the question but comes closest to it."""

    title: str
    url: str
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A checked answer. ``cut`` counts the sentences that no quote supported and nobody sees.

    ``truncated``: the model was cut short. ``missing`` names the part of the question that stays
    open, and ``question_back`` what an unclear question leaves open; both are short, on one line,
    harmless and may be "". ``disagreement`` holds the numbers of the footnotes that contradict each
    other. ``filters`` say in words what the search was narrowed to. ``language`` is the question's,
    for the sentences of the bot itself.

    ``model`` is empty for quotes that no model wrote. What a model took is told even then: its
    tokens as the endpoint reported them (0 if it did not), ``model_seconds`` spent waiting for it
    (None if it was not asked), and ``cost`` in US dollars (None if unknown).
    """

    verdict: Verdict
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    nearby: tuple[Nearby, ...] = ()
    cut: int = 0
    truncated: bool = False
    missing: str = ""
    question_back: str = ""
    disagreement: tuple[int, ...] = ()
    filters: tuple[str, ...] = ()
    language: str = "en"
    model: str = ""
    index_version: int = 0
    cost: float | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    model_seconds: float | None = None
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class Vote:
    """What a reader says of the answer to mention ``key``: whether it was ``helpful``.

    ``clicked_at`` is Slack's time of the click, in the form of a ts.
    """

    key: str
    user: str
    helpful: bool
    clicked_at: str


class Ending(StrEnum):
    """How the handling of one event ended; every event has exactly one."""

    ANSWERED = "answered"
    DECLINED = "declined"
    DEFERRED = "deferred"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is recorded of an event. ``reason`` is a short machine word, never message text."""

    ending: Ending
    reason: str = ""
    verdict: Verdict | None = None
    seconds: float = 0.0
