"""What became of one answer of a model so far, sentence by sentence. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.conversation import Question, Sentence
from handlers.answering.agreed import Agreed, agreed, missing_part, question_back, words_of
from handlers.answering.citations import CitationChecker, Cut
from handlers.answering.entailment import Entailment
from handlers.answering.ports import Usage
from handlers.answering.sentences import RawSentence
from index.documents import Passage

MOST_SENTENCES = 30


@dataclass(slots=True)
class Progress:
    """What was shown, what was cut, what the model said of the question, and how it ended.

    ``known`` are the words that the model may use where no quote bears it out. ``seconds`` were
    spent waiting for the model.
    """

    checker: CitationChecker
    known: frozenset[str]
    shown: list[Sentence] = field(default_factory=list)
    announced: list[Sentence] = field(default_factory=list)
    cut: int = 0
    not_found: bool = False
    incomplete: bool = False
    disagrees: bool = False
    unclear: bool = False
    missing: list[str] = field(default_factory=list)
    question_back: str = ""
    failed: bool = False
    truncated: bool = False
    usage: Usage | None = None
    seconds: float = 0.0

    @classmethod
    def of(
        cls, question: Question, passages: Sequence[Passage], entailment: Entailment | None = None
    ) -> "Progress":
        """Return the progress of an answer that has not begun."""
        asked = [question.text, *(turn.text for turn in question.history if not turn.by_bot)]
        named = [text for p in passages for text in (p.title, *p.chunk.heading_path)]
        return cls(CitationChecker(passages, entailment), words_of([*asked, *named]))

    def take(self, raw: RawSentence) -> list[Sentence]:
        """Check one sentence; return what may be shown now. Lead-ins wait for what follows."""
        if self.over:
            return []
        if not raw.code:
            word, rest = agreed(raw.text)
            if word is not None:
                self._note(word, rest)
                if word is not Agreed.DISAGREE or not rest:
                    return []
                raw = replace(raw, text=rest)
        checked = self.checker.check(raw)
        if checked.sentence is None:
            self.cut += checked.cut is not Cut.EMPTY
            return []
        sentence = checked.sentence
        if not self.shown and not self.announced:
            sentence = replace(sentence, lead=sentence.lead.lstrip("\n "))
        if not checked.claim:
            self.announced = [sentence]
            return []
        ready = [*self.announced, sentence]
        self.announced = []
        self.shown += ready
        return ready

    def _note(self, word: Agreed, rest: str) -> None:
        if word is Agreed.NOT_FOUND:
            self.not_found = True
        elif word is Agreed.DISAGREE:
            self.disagrees = True
        elif word is Agreed.MISSING:
            self.incomplete = True
            self.missing += filter(None, [missing_part(rest, self.known)])
        else:
            self.unclear = True
            self.question_back = question_back(rest, self.known)

    @property
    def over(self) -> bool:
        """Tell whether reading on cannot change the answer, or would make it too long.

        After a sentence was shown it is too late for "not found", and for asking what was meant.
        """
        said = self.not_found or self.unclear
        return (said and not self.shown) or len(self.shown) >= MOST_SENTENCES

    @property
    def nothing(self) -> bool:
        """Tell whether the model has said that there is no answer, rather than given a bad one."""
        return self.not_found or (self.incomplete and not self.cut)

    @property
    def whole(self) -> bool:
        """Tell whether all that the model said of the whole question was shown."""
        return not (self.cut or self.failed or self.truncated or self.not_found or self.incomplete)

    @property
    def disagreement(self) -> tuple[int, ...]:
        """Return the footnotes that contradict each other, if the model said that they do.

        Its word alone is not enough: sentences of two documents at least must have been shown.
        """
        cited = [n for sentence in self.shown for n in sentence.citations]
        documents = {c.document_id for c in self.checker.citations if c.number in cited}
        if not self.disagrees or len(documents) < 2:
            return ()
        return tuple(dict.fromkeys(cited))
