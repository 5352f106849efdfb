"""Judged cases: one small file each, written, read and matched with what was found."""

import json
import resource
import signal
from pathlib import Path

import pytest

from bot.conversation import Question
from handlers.judging.cases import Case, add, drafts, holds_cases, load
from handlers.judging.errors import CaseRefused
from handlers.judging.questions import Asked
from tests.handlers.judging.conftest import make_passage


def test_a_case_that_was_added_is_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "cases"
    tea = Case("When is tea served?", ("office/tea.md", "https://a.example/tea"), ("at four",))
    path = add(tea, folder)
    assert path.name.startswith("when-is-tea-served-")
    add(Case("Wer führt die Firma?", unanswerable=True), folder)
    assert holds_cases(folder)
    asked, content = load(folder)
    second, first = asked  # in the order of their files
    assert first.question.text == "When is tea served?"
    assert first.judgements == {"office/tea.md": 1, "https://a.example/tea": 1}
    assert (first.answers, first.impossible) == (("at four",), False)
    assert (second.impossible, second.judgements) == (True, {})
    path.write_text(path.read_text().replace("four", "five"))
    assert load(folder)[1] != content


def test_a_draft_counts_for_nothing_until_it_is_confirmed(tmp_path: Path) -> None:
    add(Case("When is tea?", ("tea.md",)), tmp_path)
    before = load(tmp_path)
    path = add(Case("Who cooks?", draft=True, notes=("a note",)), tmp_path)
    assert load(tmp_path) == before
    assert drafts(tmp_path) == 1
    confirmed = json.loads(path.read_text()) | {"draft": False}
    path.write_text(json.dumps(confirmed))
    with pytest.raises(CaseRefused, match="Name the page"):
        load(tmp_path)
    path.write_text(json.dumps(confirmed | {"expects": ["cooks.md"]}))
    assert [one.question.text for one in load(tmp_path)[0]] == ["When is tea?", "Who cooks?"]
    assert drafts(tmp_path) == 0


def test_a_folder_of_drafts_says_what_to_do(tmp_path: Path) -> None:
    add(Case("Who cooks?", draft=True), tmp_path)
    with pytest.raises(CaseRefused, match="drafts only"):
        load(tmp_path)


def test_the_same_question_is_not_written_twice(tmp_path: Path) -> None:
    add(Case("When is tea?", ("tea.md",)), tmp_path)
    with pytest.raises(CaseRefused, match="is there already"):
        add(Case("When  is tea?", ("other.md",)), tmp_path)
    assert len(list(tmp_path.iterdir())) == 1


def test_what_cannot_be_written_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    tea = Case("When is tea?", ("tea.md",))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails, as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        with pytest.raises(CaseRefused, match="cannot be written"):
            add(tea, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert list(tmp_path.iterdir()) == []
    assert add(tea, tmp_path).exists()


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CaseRefused, match="cannot be a folder"):
        add(Case("When is tea?", ("tea.md",)), tmp_path / "file")


def test_a_question_in_any_script_has_a_harmless_file_name(tmp_path: Path) -> None:
    for question in ("../../etc/passwd", "何時ですか", "a" * 400, "-rf"):
        path = add(Case(question, ("x",)), tmp_path)
        assert path.parent == tmp_path
        assert len(path.name) < 60
        assert not path.name.startswith((".", "-"))


@pytest.mark.parametrize(
    ("question", "expects", "answers", "unanswerable", "says"),
    [
        (" ", ["a"], [], False, "needs a question"),
        ("x" * 5000, ["a"], [], False, "at most 4000"),
        ("\udcff?", ["a"], [], False, "no text"),
        ("Why?", [], [], False, "Name the page"),
        ("Why?", ["a"], [], True, "expects no page"),
        ("Why?", [], ["so"], True, "no answer"),
        ("Why?", [" "], [], False, "is empty"),
        ("Why?", ["a\x00b"], [], False, "control characters"),
        ("Why?", ["a"], [""], False, "is empty"),
        ("Why?", ["a"] * 60, [], False, "at most 50"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(
    question: str, expects: list[str], answers: list[str], unanswerable: bool, says: str
) -> None:
    with pytest.raises(CaseRefused, match=says) as refused:
        Case(question, tuple(expects), tuple(answers), unanswerable)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[]", "is no judged case"),
        (b'{"question": 5}', "is no judged case"),
        (b'{"question": "Why?", "expects": "a"}', "must be a list"),
        (b'{"question": "Why?", "expects": ["a"], "colour": "red"}', "a field 'colour'"),
        (b'{"question": "Why?", "unanswerable": "no"}', "must be true or false"),
        (b'{"question": "Why?"}', "Name the page"),
    ],
)
def test_a_file_that_is_no_case_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "odd.json").write_bytes(content)
    with pytest.raises(CaseRefused, match=says) as refused:
        load(tmp_path)
    assert "odd.json" in str(refused.value)


def test_a_folder_with_a_corpus_of_its_own_is_no_folder_of_cases(tmp_path: Path) -> None:
    assert not holds_cases(tmp_path)
    (tmp_path / "a.json").write_text(json.dumps({"question": "Why?", "unanswerable": True}))
    assert holds_cases(tmp_path)
    (tmp_path / "corpus.jsonl").touch()
    assert not holds_cases(tmp_path)


def test_an_expected_page_is_known_by_location_address_or_address_with_a_place() -> None:
    tea = make_passage("office/tea.md", "Tea.", url="https://a.example/tea#times")
    dogs = make_passage("dogs.md", "Dogs.", url="")

    def keys(*expects: str) -> list[str]:
        asked = Asked("q", Question("When?"), expects=expects)
        return [asked.key(passage) for passage in (tea, dogs)]

    assert keys("office/tea.md") == ["office/tea.md", dogs.chunk.document_id]
    assert keys("https://a.example/tea")[0] == "https://a.example/tea"
    assert keys("https://a.example/tea#times")[0] == "https://a.example/tea#times"
    assert keys("https://a.example/tea#other", "tea.md", "") == [
        tea.chunk.document_id,
        dogs.chunk.document_id,
    ]
    by_id = Asked("q", Question("When?"), expects=(dogs.chunk.document_id,))
    assert by_id.judgements.keys() & by_id.ranked([tea, dogs]) == {dogs.chunk.document_id}
    assert Asked("q", Question("When?"), expects=("dogs.md",)).ranked([tea, dogs, dogs]) == [
        tea.chunk.document_id,
        "dogs.md",
    ]
