"""Every way in which a model cites is read, and nothing that is no citation is taken for one."""

import pytest

from handlers.answering.citations import CitationChecker
from handlers.answering.marks import plain_marks, take_marks
from handlers.answering.sentences import RawSentence, SentenceSplitter
from index.documents import Passage

SAID = "You get 27 days"
MARKS = [
    ("[1]", [1]),
    ("[ 1 ]", [1]),
    ("［1］", [1]),
    ("(1)", [1]),
    ("（1）", [1]),
    ("(1, 2)", [1, 2]),
    ("[^1]", [1]),
    ("[^1^]", [1]),
    ("\\[1\\]", [1]),
    ("<sup>1</sup>", [1]),
    ("<sup>[1]</sup>", [1]),
    ("<sup>1, 2</sup>", [1, 2]),
    ("¹", [1]),
    ("[1, 2]", [1, 2]),
    ("[1; 2]", [1, 2]),
    ("[1 and 2]", [1, 2]),
    ("[1-3]", [1, 2, 3]),
    ("[1][3]", [1, 3]),
    ("[1] [2]", [1, 2]),
    ("【1】", [1]),
    ("【1†source】", [1]),
    ("【1:0†source】", [1]),
    ("[Passage 1]", [1]),
    ("[passages 1, 2]", [1, 2]),
    ("[Passage 1, Passage 3]", [1, 3]),
    ("[Source: 2]", [2]),
    ("(source 2)", [2]),
    ("(see passage 2)", [2]),
    ("[Doc 3]", [3]),
]


@pytest.mark.parametrize(("mark", "numbers"), MARKS)
@pytest.mark.parametrize("form", ["{} {}.", "{}. {}", "{}.{}"])
def test_a_citation_is_read_and_taken_out(mark: str, numbers: list[int], form: str) -> None:
    assert take_marks(form.format(SAID, mark)) == (numbers, f"{SAID}.")
    assert take_marks(plain_marks(form.format(SAID, mark))) == (numbers, f"{SAID}.")


@pytest.mark.parametrize("mark", [mark for mark, _ in MARKS])
@pytest.mark.parametrize("form", ["{} {}.", "{}. {}", "{}.{}", "{}{}."])
def test_a_streamed_citation_stays_with_its_sentence(mark: str, form: str) -> None:
    splitter = SentenceSplitter()
    text = f"{form.format(SAID, mark)}\nThe next one follows."
    found = [raw for letter in text for raw in splitter.feed(letter)] + splitter.finish()
    assert [take_marks(raw.text)[1] for raw in found] == [f"{SAID}.", "The next one follows."]


@pytest.mark.parametrize(
    "text",
    [
        "Do step (1).",
        "Pay in two (2).",
        "Pay in 2 (2).",
        "See Figure (3).",
        "The limit (1) applies to all.",
        "The yard has 20 km².",
        "It takes 10³.",
        "E = mc².",
        "The rule [sic] stands.",
        "It began in [2024].",
        "Ask the source (Reuters).",
        "Press `items[1]` or `［1］`.",
    ],
)
def test_what_only_looks_like_a_citation_stays(text: str) -> None:
    assert take_marks(text) == ([], text)
    assert plain_marks(text) == text


def test_a_number_in_front_of_a_sentence_is_neither_a_citation_nor_a_claim() -> None:
    assert take_marks("(2) Then open the lid. [1]") == ([1], "Then open the lid.")


@pytest.mark.parametrize("mark", ["<sup>5</sup>", "(5)", "⁵", "[Passage 4][Passage 5]", "［5］"])
def test_a_footnote_comes_of_every_way_of_citing(mark: str, passages: tuple[Passage, ...]) -> None:
    checker = CitationChecker(passages)
    checked = checker.check(RawSentence(f"Passwords must have at least 14 characters.{mark}", ""))
    assert checked.sentence is not None
    assert checked.sentence.text == "Passwords must have at least 14 characters."
    assert [c.title for c in checker.citations] == ["Security"]
