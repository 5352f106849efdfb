"""index.sources.judged: judged sets in the BEIR layout."""

import json
from pathlib import Path

import pytest

from index.audience import EVERYONE
from index.errors import DocumentUnreadable, KnowledgeError, SourceUnavailable
from index.parsing import DocumentParser
from index.sources.judged import JudgedSet

CODE = '\n  if a < b && c:\n\treturn "&lt;"  # <b>no</b> `tag`\n\n\n*x*\n'
FILES = {
    "corpus.jsonl": (
        '{"id": "a#1", "title": "A & <B>", "text": "first", "url": "https://a.example/#1"}\n'
        '\n{"_id": 2, "text": "second", "title": null}\n'
    ),
    "queries.jsonl": (
        '{"id": "q1", "text": "What?", "answers": ["x", "y"], "is_impossible": false}\n'
        '{"id": "q2", "text": "Why?", "is_impossible": true}\n'
    ),
    "qrels.tsv": "query-id\tcorpus-id\tscore\nq1\ta#1\t2\nq1\t2\t1\n",
}


def write(folder: Path, **changed: str | None) -> Path:
    for name, content in FILES.items():
        new = changed.get(name.split(".")[0], content)
        if new is not None:
            (folder / name).write_text(new, "utf-8")
    return folder


def test_documents_queries_and_judgements_are_read(tmp_path: Path) -> None:
    judged = JudgedSet.load(write(tmp_path))
    assert judged.name == tmp_path.name
    assert [(d.id, d.title, d.text, d.url) for d in judged.documents] == [
        ("a#1", "A & <B>", "first", "https://a.example/#1"),
        ("2", "", "second", ""),
    ]
    assert [(q.id, q.text, q.answers, q.is_impossible) for q in judged.queries] == [
        ("q1", "What?", ("x", "y"), False),
        ("q2", "Why?", (), True),
    ]
    assert judged.qrels == {"q1": {"a#1": 2, "2": 1}}


async def test_title_and_text_reach_the_parser_unchanged_even_if_they_are_code(
    tmp_path: Path,
) -> None:
    judged = JudgedSet.load(write(tmp_path))
    source = judged.source()
    first = next(iter([ref async for ref in source.list()]))
    assert first.location == "a#1"
    raw = await source.fetch(first)
    assert (raw.url, raw.readers) == ("https://a.example/#1", frozenset({EVERYONE.id}))
    document = DocumentParser().parse(raw)
    assert (document.title, document.text) == ("A & <B>", "first")

    row = json.dumps({"id": "a#1", "title": "T", "text": CODE})
    judged = JudgedSet.load(write(tmp_path, corpus=row + '\n{"id": "2", "text": "x"}'))
    refs = [ref async for ref in judged.source().list()]
    document = DocumentParser().parse(await judged.source().fetch(refs[0]))
    assert document.text == CODE.strip("\n")


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("corpus", None, "corpus.jsonl cannot be read"),
        ("queries", None, "queries.jsonl cannot be read"),
        ("qrels", None, "qrels.tsv cannot be read"),
        ("corpus", "", "has no lines"),
        ("corpus", "{", "line 1: is not JSON"),
        ("corpus", "[1]", "line 1: must be a JSON object"),
        ("corpus", '{"id": "a"}', "line 1: 'text' must be a text"),
        ("corpus", '{"text": "a"}', "line 1: 'id' must be a text"),
        ("corpus", '{"id": "a", "text": "x"}\n{"id": "a", "text": "y"}', "line 2: the id 'a'"),
        ("corpus", '{"id": "other", "text": "x"}', "which corpus.jsonl does not hold"),
        ("queries", '{"id": "q", "text": ["x"]}', "line 1: 'text' must be a text"),
        ("queries", '{"id": "q", "text": "x", "answers": 5}', "answers must be a list"),
        ("queries", '{"id": "q", "text": "x", "conversation": "hi"}', "must be a list of turns"),
        ("queries", '{"id": "q", "text": "x", "conversation": ["hi"]}', "each turn"),
        ("queries", '{"id": "q", "text": "x", "selected_sentences": ["s"]}', "list of lists"),
        ("qrels", "query-id\tcorpus-id\tscore\n", "holds no judgement"),
        ("qrels", "query-id\tcorpus-id\tscore\nq1\ta#1\n", "line 2: must be query id"),
        ("qrels", "query-id\tcorpus-id\tscore\nq1\ta#1\tgood\n", "line 2: must be query id"),
        ("qrels", "query-id\tcorpus-id\tscore\nq1\ta#1\t0.5\n", "a whole number"),
        ("qrels", f"query-id\tcorpus-id\tscore\nq1\ta#1\t{'9' * 41}\n", "six digits at most"),
        ("qrels", f"query-id\tcorpus-id\tscore\n{'q' * 200_000}\ta#1\t1\n", "no question"),
        ("qrels", "query-id\tcorpus-id\tscore\nelse\ta#1\t1\n", "judges no question"),
        ("qrels", "q1\ta#1\t1\nq1\t2\t1\n", "line 1: must be a header row"),
        ("queries", "[" * 100_000, "line 1: is not JSON"),
    ],
)
def test_a_broken_set_is_refused_with_file_line_and_reason(
    tmp_path: Path, file: str, content: str | None, says: str
) -> None:
    with pytest.raises(KnowledgeError, match=says) as refused:
        JudgedSet.load(write(tmp_path, **{file: content}))
    assert isinstance(refused.value, SourceUnavailable if content is None else DocumentUnreadable)
    assert str(refused.value).endswith(".")


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "queries.jsonl").write_bytes('{"id": "q", "text": "é"}'.encode("latin-1"))
    with pytest.raises(DocumentUnreadable, match="save it as UTF-8"):
        JudgedSet.load(tmp_path)


def test_conversations_gold_sentences_and_both_words_for_unanswerable_are_read(
    tmp_path: Path,
) -> None:
    turns = [("user", "What is a sabbatical?"), ("agent", "A long leave."), ("user", "How long?")]
    rows = [
        {
            "id": "q1",
            "text": "How long?",
            "conversation": [{"speaker": who, "text": text} for who, text in turns],
            "selected_sentences": [["One year.", "At most."], []],
        },
        {"id": "q2", "text": "Who?", "answerable": False, "sentences": ["Not gold."]},
        {"id": "q3", "text": "When?", "answerable": True, "sentences": ["In May."]},
    ]
    judged = JudgedSet.load(write(tmp_path, queries="\n".join(map(json.dumps, rows))))
    first, second, third = judged.queries
    assert [(turn.text, turn.by_user) for turn in first.earlier] == [
        ("What is a sabbatical?", True),
        ("A long leave.", False),
    ]
    assert first.gold_sentences == (("One year.", "At most."),)
    assert (second.is_impossible, second.gold_sentences) == (True, ())
    assert (third.is_impossible, third.gold_sentences) == (False, (("In May.",),))


def test_the_content_of_a_set_changes_with_any_of_its_files(tmp_path: Path) -> None:
    contents = {JudgedSet.load(write(tmp_path)).content}
    assert {JudgedSet.load(write(tmp_path)).content} == contents
    for name in FILES:
        changed = (
            FILES[name].replace("first", "other").replace("What", "Who").replace("\t2\n", "\t3\n")
        )
        contents.add(JudgedSet.load(write(tmp_path, **{name.split(".")[0]: changed})).content)
    assert len(contents) == 4
