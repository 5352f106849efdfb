"""index.formats.pdf: text in the order of reading, headings, paragraphs, rows, pages."""

import pytest

from index.chunking import chunk
from index.documents import Opens
from index.errors import DocumentUnreadable
from tests.doubles.office_files import pdf
from tests.index.formats.conftest import Read

Line = tuple[str, int, str]
LONG = "Employees have twenty days of paid leave in each calendar year, and may carry"


def text(*lines: str) -> list[Line]:
    return [(line, 11, "regular") for line in lines]


def test_headings_are_what_is_set_larger_or_bold_among_text(read: Read) -> None:
    document = read(
        pdf(
            [
                [
                    ("Leave", 24, "regular"),
                    ("Annual leave", 16, "regular"),
                    *text(LONG, "over five of them.", ""),
                    ("Exceptions", 11, "bold"),
                    *text(LONG, "all of them."),
                ]
            ]
        ),
        ".pdf",
    )
    assert [(h.text, h.level) for h in document.headings] == [
        ("Leave", 1),
        ("Annual leave", 2),
        ("Exceptions", 3),
    ]
    assert document.title == "Leave"
    assert document.text == (
        f"Leave\n\nAnnual leave\n\n{LONG} over five of them.\n\nExceptions\n\n{LONG} all of them."
    )


def test_every_chunk_opens_the_page_that_it_begins_on(read: Read) -> None:
    pages = [text(*(f"{LONG} {n} over of page {page}." for n in range(9))) for page in range(1, 4)]
    document = read(pdf(pages), ".pdf")
    assert document.opens is Opens.PAGE
    assert [page.number for page in document.pages] == [1, 2, 3]
    chunks = chunk(document)
    assert {c.page for c in chunks} == {1, 2, 3}
    for one in chunks:
        assert one.anchor == f"page={one.page}"
        assert f"of page {one.page}" in one.text


def test_an_empty_page_does_not_shift_the_numbers(read: Read) -> None:
    document = read(pdf([text("One."), [], text("Three.")]), ".pdf")
    assert [(p.number, document.text[p.start :][:5]) for p in document.pages] == [
        (1, "One.\n"),
        (3, "Three"),
    ]


def test_a_table_keeps_its_rows_and_code_its_lines(read: Read) -> None:
    page = [
        *text("Who\tDays\tKind", "Ann\t20\tannual", "Bob\t25\tsick", ""),
        ("def read(path):", 10, "mono"),
        ("    return open(path)", 10, "mono"),
        *text("", LONG),
    ]
    assert read(pdf([page]), ".pdf").text == (
        "Who | Days | Kind\nAnn | 20 | annual\nBob | 25 | sick\n\n"
        f"def read(path):\n    return open(path)\n\n{LONG}"
    )


def test_short_lines_are_items_of_a_list_and_not_one_paragraph(read: Read) -> None:
    page = text("Bring:", "- a passport", "- two photographs", "", LONG, "over ten.")
    assert read(pdf([page]), ".pdf").text == (
        f"Bring:\n- a passport\n- two photographs\n\n{LONG} over ten."
    )


def test_what_repeats_at_the_edge_of_every_page_is_left_out(read: Read) -> None:
    pages = [
        text("ACME handbook", "", f"{LONG} {word}.", "", f"Page {number} of 4")
        for number, word in enumerate(("one", "two", "three", "four"), start=1)
    ]
    document = read(pdf(pages), ".pdf")
    assert "ACME" not in document.text and "Page" not in document.text
    assert all(word in document.text for word in ("one.", "two.", "three.", "four."))


def test_the_bookmarks_of_a_file_say_what_its_headings_are(read: Read) -> None:
    pages = [
        [("Big but no heading", 30, "regular"), *text("Intro", LONG)],
        text("Chapter two", LONG),
        text("Chapter three", LONG),
    ]
    marks = [("Intro", 1), ("Chapter two", 2), ("Chapter Three", 3)]
    document = read(pdf(pages, bookmarks=marks, title="Handbook"), ".pdf")
    assert [(h.text, h.level) for h in document.headings] == [
        ("Intro", 1),
        ("Chapter two", 1),
        ("Chapter three", 1),
    ]
    assert document.title == "Handbook"


@pytest.mark.parametrize("title", ["untitled", "Microsoft Word - x.doc", "plan.pdf"])
def test_a_title_that_a_program_made_up_is_none(read: Read, title: str) -> None:
    page = [("Leave", 24, "regular"), *text(LONG)]
    assert read(pdf([page], title=title), ".pdf").title == "Leave"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is no complete PDF file; save it anew"),
        (b"%PDF-1.7\n", "is no complete PDF file; save it anew"),
        (pdf([text("secret")], locked=True), "is protected by a password; save a copy without one"),
        (pdf([[], []]), "run OCR over it"),
    ],
)
def test_a_pdf_without_readable_text_is_refused_with_a_reason(
    read: Read, content: bytes, says: str
) -> None:
    with pytest.raises(DocumentUnreadable, match=says):
        read(content, ".pdf")
