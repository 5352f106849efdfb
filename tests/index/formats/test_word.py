"""index.formats.docx: what a person reads in Word, and on which page."""

import pytest

from index.chunking import chunk
from index.documents import Opens, Page
from index.errors import DocumentUnreadable
from tests.doubles.office_files import CORE, W, docx, paragraph, zipped
from tests.index.formats.conftest import Read

BREAK = "<w:r><w:lastRenderedPageBreak/></w:r>"


def run(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


def row(*cells: str) -> str:
    return f"<w:tr>{''.join(f'<w:tc>{paragraph(cell)}</w:tc>' for cell in cells)}</w:tr>"


def test_headings_are_told_by_their_style_in_any_language_and_by_what_it_rests_on(
    read: Read,
) -> None:
    document = read(
        docx(
            paragraph("Leave policy", "Titel")
            + paragraph("Annual leave", "berschrift1")
            + paragraph("Twenty days a year.")
            + paragraph("Carry-over", "Mine")
            + paragraph("Until March.")
        ),
        ".docx",
    )
    assert document.title == "Leave policy"
    assert [(h.text, h.level) for h in document.headings] == [
        ("Leave policy", 1),
        ("Annual leave", 1),
        ("Carry-over", 2),
    ]
    assert document.opens is Opens.HEADING
    assert document.text == (
        "Leave policy\n\nAnnual leave\n\nTwenty days a year.\n\nCarry-over\n\nUntil March."
    )


def test_lists_keep_their_marks_numbers_and_depth(read: Read) -> None:
    body = (
        paragraph("one", item="2 0")
        + paragraph("inner", item="2 1")
        + paragraph("two", item="2 0")
        + paragraph("inner again", item="2 1")
        + paragraph("no list")
        + paragraph("point", "Bullets")
        + paragraph("point two", "Bullets")
    )
    assert read(docx(body), ".docx").text == (
        "1. one\n  1. inner\n2. two\n  1. inner again\n\nno list\n\n- point\n- point two"
    )


def test_a_table_gives_one_line_a_row_and_what_is_inside_a_cell_stays_there(read: Read) -> None:
    inner = f"<w:tbl>{row('x', 'y')}</w:tbl>"
    body = (
        f"<w:tbl>{row('Who', 'Days')}<w:tr><w:tc>{paragraph('Ann')}{paragraph('Lee')}</w:tc>"
        f"<w:tc>{inner}{paragraph('20')}</w:tc></w:tr></w:tbl>{paragraph('End')}"
    )
    assert read(docx(body), ".docx").text == "Who | Days\nAnn Lee | x y 20\n\nEnd"


def test_what_was_deleted_hidden_or_is_no_text_is_left_out(read: Read) -> None:
    body = (
        paragraph("Introduction.....3", "Verz")
        + paragraph(
            run("seen ")
            + "<w:del><w:r><w:delText>GONE</w:delText></w:r></w:del>"
            + f"<w:ins>{run('added')}</w:ins>"
            + run(" HIDDEN", "<w:vanish/>")
            + run(" shown", '<w:vanish w:val="0"/>')
            + "<w:r><w:instrText>PAGEREF x</w:instrText></w:r>"
        )
        + paragraph(
            '<w:r><mc:AlternateContent xmlns:mc="m"><mc:Choice>'
            + f"<w:txbxContent>{paragraph('boxed')}</w:txbxContent></mc:Choice>"
            + f"<mc:Fallback>{paragraph('boxed')}</mc:Fallback></mc:AlternateContent></w:r>"
        )
    )
    assert read(docx(body), ".docx").text == "seen added shown\n\nboxed"


def test_a_footnote_follows_its_paragraph(read: Read) -> None:
    notes = (
        f'<w:footnotes {W}><w:footnote w:type="separator" w:id="0">{paragraph("---")}'
        f'</w:footnote><w:footnote w:id="1">{paragraph("Since 2024.")}</w:footnote></w:footnotes>'
    )
    noted = run("Twenty days.") + '<w:r><w:footnoteReference w:id="1"/></w:r>'
    document = read(docx(paragraph(noted) + paragraph("Next."), footnotes=notes), ".docx")
    assert document.text == "Twenty days.\n\nSince 2024.\n\nNext."


def test_pages_are_those_that_word_last_printed_also_inside_of_a_paragraph(read: Read) -> None:
    body = (
        paragraph("On one.")
        + paragraph(run("Still one,") + BREAK + run("now two."))
        # Word marks the page that an author began by hand as well, so the hand does not count.
        + paragraph('<w:r><w:br w:type="page"/></w:r>')
        + paragraph(BREAK + run("Three."), "berschrift1")
        + f"<w:tbl>{row('a', 'b')}{row(BREAK + run('c'), 'd')}</w:tbl>"
    )
    document = read(docx(body), ".docx")
    assert document.text == "On one.\n\nStill one, now two.\n\nThree.\n\na | b\nc | d"
    assert document.pages == tuple(
        Page(number, document.text.index(text))
        for number, text in ((1, "On one"), (2, "now two"), (3, "Three."), (4, "c | d"))
    )


def test_of_a_document_that_word_never_printed_the_pages_are_those_of_its_author(
    read: Read,
) -> None:
    broken = paragraph('<w:r><w:br w:type="page"/></w:r>')
    document = read(docx(paragraph("One.") + broken + paragraph("Two.")), ".docx")
    assert [(p.number, document.text[p.start :]) for p in document.pages] == [
        (1, "One.\n\nTwo."),
        (2, "Two."),
    ]
    assert [c.page for c in chunk(document)] == [1]
    assert read(docx(paragraph("One.")), ".docx").pages == ()


def test_the_title_may_stand_in_the_properties(read: Read) -> None:
    parts = {"word/document.xml": f"<w:document {W}>{paragraph('x')}</w:document>"}
    assert (
        read(zipped(parts | {"docProps/core.xml": CORE.format("Leave")}), ".docx").title == "Leave"
    )
    assert read(zipped(parts), ".docx").title == "page one"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is no complete zip container"),
        (docx(paragraph("x"))[:-30], "is no complete zip container"),
        (zipped({"other.xml": "<a/>"}), "lacks its part 'word/document.xml'"),
        (zipped({"word/document.xml": "<w:p>"}), "holds broken XML"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "old Office format; save it in the new"),
    ],
)
def test_what_is_no_word_document_is_refused_with_a_reason(
    read: Read, content: bytes, says: str
) -> None:
    with pytest.raises(DocumentUnreadable, match=says) as refused:
        read(content, ".docx")
    assert str(refused.value).startswith("guide/page_one.docx ")
    assert str(refused.value).endswith(".") and ";" in str(refused.value)
