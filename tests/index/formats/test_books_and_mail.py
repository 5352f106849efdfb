"""E-books, mail, notebooks, tables as text."""

import json

import pytest

from index.errors import DocumentUnreadable
from tests.doubles.office_files import epub
from tests.index.formats.conftest import Read

XHTML = (
    '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>{}</body></html>'
)


def test_a_book_is_its_chapters_in_the_order_of_its_spine(read: Read) -> None:
    document = read(
        epub(
            {
                "z.xhtml": XHTML.format('<h1 id="one">One</h1><p>First <b>text</b>.</p>'),
                "a%20b.xhtml": XHTML.format("<h1>Two</h1><table><tr><td>a<td>b</table>"),
            },
            title="My Book",
            more={"OEBPS/a b.xhtml": XHTML.format("<h1>Two</h1><table><tr><td>a<td>b</table>")},
        ),
        ".epub",
    )
    assert document.title == "My Book"
    assert document.text == "One\n\nFirst text.\n\nTwo\n\na | b"
    assert [(h.text, h.anchor) for h in document.headings] == [("One", "one"), ("Two", "")]


def test_a_book_with_a_lock_is_refused(read: Read) -> None:
    lock = '<encryption><CipherReference URI="OEBPS/a.xhtml"/></encryption>'
    book = epub({"a.xhtml": "\x01\x02"}, more={"META-INF/encryption.xml": lock})
    with pytest.raises(DocumentUnreadable, match="is locked by its publisher"):
        read(book, ".epub")
    # Locked fonts, as many free books have them, are nobody's loss.
    lock = lock.replace("a.xhtml", "font.otf")
    book = epub({"a.xhtml": XHTML.format("<p>fine")}, more={"META-INF/encryption.xml": lock})
    assert read(book, ".epub").text == "fine"


MAIL = b"""From: =?utf-8?q?J=C3=BCrgen?= <j@x.example>
To: all@x.example
Subject: =?utf-8?q?Caf=C3=A9_closed?=
Date: Mon, 2 Feb 2026 10:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=OUT

--OUT
Content-Type: multipart/alternative; boundary=IN

--IN
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

The caf=E9 is closed.

  * Monday
--IN
Content-Type: text/html

<p>The markup</p>
--IN--
--OUT
Content-Type: application/pdf
Content-Disposition: attachment; filename="menu.pdf"
Content-Transfer-Encoding: base64

JVBERg==
--OUT
Content-Type: message/rfc822

From: ann@x.example
Subject: Earlier
Content-Type: text/html

<h1>No</h1><p>Not <b>closed</b>.</p>
--OUT--
"""


def test_a_mail_says_who_wrote_what_and_what_was_attached(read: Read) -> None:
    document = read(MAIL, ".eml")
    assert document.title == "Café closed"
    assert document.text == (
        "Café closed\n\nFrom: Jürgen <j@x.example>\nTo: all@x.example\n"
        "Date: Mon, 02 Feb 2026 10:00:00 +0000\n\nThe café is closed.\n\n  * Monday\n\n"
        "Attachment: menu.pdf\n\nEarlier\n\nFrom: ann@x.example\n\nNo\n\nNot closed."
    )
    assert [(h.text, h.level) for h in document.headings][:2] == [
        ("Café closed", 1),
        ("Earlier", 2),
    ]


def test_what_is_no_mail_is_refused(read: Read) -> None:
    with pytest.raises(DocumentUnreadable, match="has no header of an e-mail"):
        read(b"just text", ".eml")
    bottomless = b"From: a@x.example\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(5_000)
    )
    with pytest.raises(DocumentUnreadable, match="parts inside each other"):
        read(bottomless, ".eml")


def notebook(*cells: object, **more: object) -> str:
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}, **more})


def test_a_notebook_is_its_prose_its_code_and_what_that_printed(read: Read) -> None:
    document = read(
        notebook(
            {"cell_type": "markdown", "source": ["# My Study\n", "\n", "Some *prose*."]},
            {
                "cell_type": "code",
                "source": "x = 1\nprint(x)",
                "outputs": [
                    {"output_type": "stream", "text": ["1\n"]},
                    {"output_type": "display_data", "data": {"image/png": "iVBOR"}},
                    {"output_type": "execute_result", "data": {"text/plain": "3" * 9_000}},
                ],
            },
            {"cell_type": "markdown", "source": "## More data\n"},
        ),
        ".ipynb",
    )
    assert document.title == "My Study"
    start = "My Study\n\nSome prose.\n\nx = 1\nprint(x)\n\n1\n\n333"
    assert document.text.startswith(start) and "iVBOR" not in document.text
    assert len(document.text) < 3_000
    assert [(h.text, h.anchor) for h in document.headings] == [
        ("My Study", "My-Study"),
        ("More data", "More-data"),
    ]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"cells": 3}', "not json"])
def test_what_is_no_notebook_is_refused(read: Read, content: str) -> None:
    with pytest.raises(DocumentUnreadable, match="is no notebook"):
        read(content, ".ipynb")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_each_row_of_a_table_names_its_values_whatever_separates_them(
    read: Read, separator: str
) -> None:
    rows = [["Who", "Days", "Why"], ["Ann", "20", ""], ["Bo", "25", f'"a{separator}\nb"']]
    document = read("\r\n".join(separator.join(row) for row in rows), ".csv")
    assert document.text == (
        f"Who | Days | Why\nWho: Ann | Days: 20\nWho: Bo | Days: 25 | Why: a{separator.strip()} b"
    )


def test_a_table_without_names_is_left_as_it_is(read: Read) -> None:
    assert read("1,2\n3,4\n", ".csv").text == "1 | 2\n3 | 4"
    assert read("only\nwords\n", ".csv").text == "only\nwords"
    assert read("a,a\n3,4\n", ".csv").text == "a | a\n3 | 4"
    with pytest.raises(DocumentUnreadable, match="is broken at line 1"):
        read('"' + "x" * 2_000_000, ".csv")
