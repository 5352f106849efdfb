"""index.chunking: exact stretches, small enough to embed, along headings and sentences."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from index.chunking import LARGEST_WORDS, MODEL_PIECES, chunk, searchable_text
from index.documents import Document, DocumentRef, Heading, Page
from index.embedding import packaged_model_path

WORDS = "the employees of this company may take leave when their manager agrees to it".split()


def document(text: str, *headings: Heading, title: str = "Handbook", **more: object) -> Document:
    ref = DocumentRef("files", "handbook.md", "1")
    return Document(ref, title, "", text, frozenset({"e"}), tuple(headings), **more)  # type: ignore[arg-type]


def outlined(*sections: tuple[int, str, str]) -> Document:
    """Build a document from (level, heading, body)."""
    text, headings = "", []
    for level, heading, body in sections:
        text += "\n\n" if text else ""
        headings.append(Heading(heading, level, len(text), heading.lower().replace(" ", "-")))
        text += f"{heading}\n\n{body}" if body else heading
    return document(text, *headings)


def prose(words: int, *, sentence: int = 12) -> str:
    picked = [WORDS[i % len(WORDS)] for i in range(words)]
    sentences = [picked[i : i + sentence] for i in range(0, words, sentence)]
    return " ".join(" ".join(s).capitalize() + "." for s in sentences)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(packaged_model_path() / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


pieces_of_text = st.sampled_from(
    [
        *("word ", "Sentence ends. ", "\n", "\n\n", "- item\n", "a | b | c\n", "    code();\n"),
        *("。", "é", "x" * 70, "漢字", "😀", "\u2028", "\t", "e.g. ", "1. ", prose(90)),
    ]
)


@given(st.lists(pieces_of_text, max_size=40), st.lists(st.integers(0, 400), max_size=6))
@settings(max_examples=200, deadline=None)
def test_a_chunk_is_an_exact_stretch_and_nothing_but_headings_is_lost(
    pieces: list[str], starts: list[int]
) -> None:
    text = "".join(pieces)
    headings = [
        Heading(text[s : s + 5], 1 + s % 3, s) for s in sorted(set(starts)) if s < len(text)
    ]
    chunks = chunk(document(text, *headings))
    lost = list(text)
    for number, one in enumerate(chunks):
        assert text[one.start : one.end] == one.text
        assert one.text.strip() == one.text != ""
        assert one.ordinal == number
        assert len(one.text.split()) <= LARGEST_WORDS
        lost[one.start : one.end] = " " * len(one.text)
    for heading in headings:
        lost[heading.start : heading.start + len(heading.text)] = " " * len(heading.text)
    assert not "".join(lost).strip()
    assert all(a.end <= b.start for a, b in pairwise(chunks))
    assert len({one.id for one in chunks}) == len(chunks)


def test_long_prose_becomes_chunks_of_about_a_hundred_words_that_end_with_a_sentence() -> None:
    chunks = chunk(document(prose(1000)))
    assert all(one.text.endswith(".") for one in chunks)
    assert all(80 <= len(one.text.split()) <= 125 for one in chunks)


def test_a_chunk_knows_the_headings_above_it_and_the_anchor_of_the_nearest() -> None:
    found = chunk(
        outlined((1, "Leave", prose(60)), (2, "Sick leave", prose(60)), (1, "Travel", prose(60)))
    )
    assert [(one.heading_path, one.anchor) for one in found] == [
        (("Leave",), "leave"),
        (("Leave", "Sick leave"), "sick-leave"),
        (("Travel",), "travel"),
    ]
    assert "Sick leave" not in found[0].text
    assert not found[1].text.startswith("Sick leave")


def test_long_sections_never_share_a_chunk_but_tiny_neighbours_do() -> None:
    apart = chunk(outlined((2, "One", prose(40)), (2, "Two", prose(40))))
    assert [one.heading_path for one in apart] == [("One",), ("Two",)]
    together = chunk(outlined((1, "Rules", ""), (2, "One", prose(12)), (2, "Two", prose(12))))
    assert [one.heading_path for one in together] == [("Rules",)]
    assert together[0].text.startswith("One\n\n") and "Two\n\n" in together[0].text


def test_tiny_sections_of_different_parents_stay_apart() -> None:
    found = chunk(
        outlined(
            (1, "Leave", ""), (2, "Form", prose(12)), (1, "Travel", ""), (2, "Form", prose(12))
        )
    )
    assert [one.heading_path for one in found] == [("Leave", "Form"), ("Travel", "Form")]


def test_a_document_of_headings_alone_can_still_be_found() -> None:
    (only,) = chunk(outlined((1, "Offices", ""), (2, "Berlin", ""), (2, "Rome", "")))
    assert "Berlin" in only.text and "Rome" in only.text


def test_a_cut_falls_between_paragraphs_rather_than_sentences() -> None:
    text = f"{prose(95)}\n\n{prose(80)} Then {prose(20)}\n\n{prose(90)}"
    chunks = chunk(document(text))
    assert [chunks[0].text, chunks[-1].text] == [prose(95), prose(90)]


def test_no_cut_falls_between_a_list_and_the_line_that_announces_it() -> None:
    items = "\n".join(f"- item number {n} of nine" for n in range(16))
    chunks = chunk(document(f"{prose(84)}\n\nFor this you will need:\n\n{items}"))
    assert len(chunks) == 2
    assert chunks[1].text.startswith("For this you will need:\n\n- item")


def test_list_marks_and_code_indentation_stay_in_the_chunk() -> None:
    (only,) = chunk(document("Bring:\n\n- a pen\n  - blue\n\ndef f():\n    return 1"))
    assert only.text == "Bring:\n\n- a pen\n  - blue\n\ndef f():\n    return 1"


def test_an_edit_elsewhere_keeps_the_id_of_a_chunk_and_equal_texts_have_different_ids() -> None:
    sections = [(2, f"Section {n}", prose(80 + n)) for n in range(6)]
    before = {one.id for one in chunk(outlined(*sections))}
    sections[2] = (2, "Section 2", prose(40) + " Something new stands here.")
    after = {one.id for one in chunk(outlined(*sections))}
    assert len(before & after) == 5
    twins = chunk(outlined((2, "A", prose(80)), (2, "B", prose(80))))
    assert twins[0].text == twins[1].text and twins[0].id != twins[1].id


def test_ids_differ_between_documents_with_the_same_text() -> None:
    one = document(prose(50))
    other = Document(DocumentRef("files", "b.md", "1"), "B", "", one.text, one.readers)
    assert chunk(one)[0].id != chunk(other)[0].id
    assert re.fullmatch(r"[0-9a-f]{32}", chunk(one)[0].id)


def test_a_chunk_knows_its_page() -> None:
    text = f"{prose(100)}\n\n{prose(101)}"
    found = chunk(document(text, pages=(Page(4, 0), Page(5, len(prose(100)) + 2))))
    assert [one.page for one in found] == [4, 5]


def test_searchable_text_holds_title_headings_and_text_once() -> None:
    one = chunk(outlined((1, "Handbook", ""), (2, "Leave", prose(40))))[0]
    assert searchable_text("Handbook", one) == f"Handbook\nLeave\n{prose(40)}"
    assert searchable_text("", one).splitlines()[0] == "Handbook > Leave"


NASTY = {
    "prose": prose(4000),
    "one endless word": "Aa1" * 20_000,
    "lower-case noise": "qxkzvjw" * 5_000,
    "hexadecimal": " ".join(f"{n * 2654435761 % 2**64:016x}" for n in range(900)),
    "base64": " ".join("QmFzZTY0IGlzIG5vdCBwcm9zZQ9xZ" for _ in range(500)),
    "digits": " ".join(str(n**5) for n in range(1000, 2000)),
    "punctuation": "-=+*/#!?&%$" * 2_000,
    "chinese": "东京是日本的首都而且人口非常多。" * 300,
    "korean": "대한민국의 수도는 서울이며 인구가 매우 많다. " * 200,
    "russian": "Сотрудники компании имеют право на ежегодный оплачиваемый отпуск. " * 100,
    "arabic": "يحق للموظفين الحصول على إجازة سنوية مدفوعة الأجر كل عام. " * 100,
    "thai": "พนักงานทุกคนมีสิทธิ์ลาพักร้อนประจำปี" * 100,
    "hindi": "कर्मचारियों को हर साल सवेतन अवकाश मिलता है। " * 100,
    "german": "Krankenversicherungsbeiträge werden vierteljährlich überwiesen. " * 100,
    "finnish": "Työntekijöillä on oikeus palkalliseen vuosilomaan joka kalenterivuosi. " * 100,
    "polish": "Pracownikom przysługuje coroczny płatny urlop wypoczynkowy. " * 100,
    "vietnamese": "Nhân viên được nghỉ phép năm có hưởng lương hàng năm. " * 100,
    "emoji": "😀👩‍👩‍👧🇩🇪✊🏽" * 1_000,
    "accents": "Z̸̢̛a̷l̶g̵o̴ " * 900,
    "table": "\n".join(f"pg_stat_get_backends_{n} | oid → integer | {n}.5e-{n}" for n in range(99)),
    "code": "\n".join(f"  self.__x{n}__ = std::map<Foo*, Bar&>(this->p[{n}]);" for n in range(99)),
    "cipher list": ":".join("ECDHE-ECDSA-AES256-GCM-SHA384" for _ in range(300)),
}  # fmt: skip


@pytest.mark.parametrize("name", NASTY)
def test_nothing_that_is_embedded_is_longer_than_the_model_reads(
    name: str, tokenizer: Tokenizer
) -> None:
    title = "A rather long title of a page about absolutely everything " * 5
    path = [Heading(f"Überschrift Nummer {n} " * 6, n, 0) for n in range(1, 5)]
    for headings in ((), path):
        chunks = chunk(document(NASTY[name], *headings, title=title))
        texts = [searchable_text(title, one) for one in chunks]
        assert max(len(e.ids) for e in tokenizer.encode_batch(texts)) <= MODEL_PIECES


def test_the_estimate_does_not_halve_ordinary_chunks() -> None:
    assert 18 <= len(chunk(document(prose(2000)))) <= 22


def test_chunking_reads_no_file_and_needs_no_tokenizer() -> None:
    source = (Path(__file__).parents[2] / "index" / "chunking.py").read_text("utf-8")
    assert not re.search(r"^(?:import|from) (?:tokenizers|pathlib|os|io)\b", source, re.MULTILINE)
