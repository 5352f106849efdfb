"""index.formats.pptx and index.formats.xlsx: slides are pages, rows say what their values are."""

import pytest

from index.chunking import chunk
from index.errors import DocumentUnreadable
from index.formats.rows import MOST_CELLS
from index.formats.xlsx_values import Kind, shown
from tests.doubles.office_files import pptx, shape, xlsx
from tests.index.formats.conftest import Read

TABLE = (
    "<p:graphicFrame><a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>Who</a:t></a:r></a:p></a:txBody>"
    "</a:tc><a:tc><a:txBody><a:p><a:r><a:t>Days</a:t></a:r></a:p></a:txBody></a:tc></a:tr>"
    "<a:tr><a:tc><a:p><a:r><a:t>Ann</a:t></a:r></a:p></a:tc><a:tc><a:p><a:r><a:t>20</a:t></a:r>"
    "</a:p></a:tc></a:tr></a:tbl></p:graphicFrame>"
)


def test_each_slide_is_a_page_with_its_title_its_text_and_its_notes(read: Read) -> None:
    document = read(
        pptx(
            [
                (
                    shape("ctrTitle", "Leave") + shape("body", "Twenty", "days"),
                    shape("body", "Say it loud.") + shape("sldNum", "1"),
                ),
                (shape("", "No title here") + TABLE + shape("ftr", "Confidential"), ""),
            ],
            title="All hands",
        ),
        ".pptx",
    )
    assert document.title == "All hands"
    assert document.text == (
        "Leave\n\nTwenty\ndays\n\nSay it loud.\n\nSlide 2\n\nNo title here\n\nWho | Days\nAnn | 20"
    )
    assert [(h.text, h.level) for h in document.headings] == [("Leave", 1), ("Slide 2", 1)]
    assert [(p.number, document.text[p.start :][:7]) for p in document.pages] == [
        (1, "Leave\n\n"),
        (2, "Slide 2"),
    ]


def test_each_sheet_is_a_heading_and_each_row_names_its_values(read: Read) -> None:
    rows = (
        '<row><c r="B2" t="s"><v>0</v></c><c r="C2" t="s"><v>1</v></c><c r="D2" t="s"><v>2</v></c>'
        '</row><row/><row><c r="B4" t="inlineStr"><is><t>Desk &amp; chair</t></is></c>'
        '<c r="C4"><v>120.5</v></c><c r="D4" s="1"><v>46024</v></c></row>'
        '<row><c r="B5" t="str"><f>A1</f><v>Lamp</v></c><c r="D5" s="3"><v>46024.75</v></c></row>'
        '<row><c r="C6" s="2"><v>0.125</v></c><c r="D6" t="b"><v>1</v></c></row>'
    )
    document = read(
        xlsx(
            {"Budget": rows, "Secret": rows, "Plain": '<row><c r="A1"><v>7</v></c></row>'},
            ["Item", "Cost", "When"],
            hidden="Secret",
        ),
        ".xlsx",
    )
    assert document.text == (
        "Budget\n\nItem | Cost | When\nItem: Desk & chair | Cost: 120.5 | When: 2026-01-02\n"
        "Item: Lamp | When: 2026-01-02 18:00\nCost: 12.5 % | When: TRUE\n\nPlain\n\n7"
    )
    assert [h.text for h in document.headings] == ["Budget", "Plain"]
    assert chunk(document)[0].text.startswith("Budget\n\nItem | Cost")


@pytest.mark.parametrize(
    ("text", "kind", "from_1904", "expected"),
    [
        ("0.1", Kind.NUMBER, False, "0.1"),
        ("1E3", Kind.NUMBER, False, "1000"),
        ("60", Kind.DATE, False, "1900-02-28"),
        ("0", Kind.DATE, True, "1904-01-01"),
        ("0.5", Kind.TIME, False, "12:00"),
        ("99999999", Kind.DATE, False, "99999999"),
        ("-1", Kind.DATE, False, "-1"),
        ("#N/A", Kind.NUMBER, False, "#N/A"),
    ],
)
def test_numbers_are_shown_as_people_see_them(
    text: str, kind: Kind, from_1904: bool, expected: str
) -> None:
    assert shown(text, kind, from_1904=from_1904) == expected


def test_a_workbook_that_is_a_data_dump_is_refused(read: Read) -> None:
    with pytest.raises(DocumentUnreadable, match=f"more than {MOST_CELLS:,} cells"):
        cells = "".join(f"<c><v>{n * n * 7919}</v></c>" for n in range(MOST_CELLS + 1))
        read(xlsx({"Dump": f"<row>{cells}</row>"}), ".xlsx")
    with pytest.raises(DocumentUnreadable, match=f"more than {MOST_CELLS:,} cells"):
        read("1,2\n" * MOST_CELLS, ".csv")


def test_a_slide_that_is_not_there_is_named(read: Read) -> None:
    whole = pptx([(shape("title", "x"), "")])
    with pytest.raises(DocumentUnreadable, match="lacks its part"):
        read(whole.replace(b"ppt/slides/slide1.xml", b"ppt/slides/slide9.xml"), ".pptx")
