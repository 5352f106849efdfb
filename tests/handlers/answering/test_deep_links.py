"""A footnote opens the page, the line, the heading, or the very words of its quote."""

from urllib.parse import unquote

import pytest

from handlers.answering.pages import nearby
from handlers.answering.quotes import cite, deep_link
from index.chunking import chunk
from index.documents import ANY_TEXT, DocumentRef, Passage, RawDocument
from index.formats import MEDIA_TYPES
from index.parsing import DocumentParser
from tests.doubles.office_files import pdf

URL = "https://docs.example/file"


def passages(content: bytes, suffix: str) -> list[Passage]:
    """Return what a document becomes on its way into an index and out of it."""
    ref = DocumentRef("files", f"file{suffix}", "v1")
    raw = RawDocument(ref, content, MEDIA_TYPES[suffix], URL, frozenset({"e1"}), None)
    document = DocumentParser().parse(raw)
    return [
        Passage(one, "files", document.title, document.url, 1.0, 1.0, document.readers)
        for one in chunk(document)
    ]


def link(content: bytes, suffix: str, quote: str) -> str:
    """Return the address in the footnote for a quote."""
    for passage in passages(content, suffix):
        start = passage.chunk.text.find(quote)
        if start >= 0:
            return cite(passage, start, start + len(quote), 1).url
    raise AssertionError(f"no passage says {quote!r}")


def test_a_quote_of_a_pdf_opens_its_page() -> None:
    pages = [[(f"What page {n} says of the leave of employees.", 11, "regular")] for n in (1, 2, 3)]
    long = [
        [*page, *[("More words fill this page up to its very end.", 11, "regular")] * 30]
        for page in pages
    ]
    assert link(pdf(long), ".pdf", "What page 3 says") == f"{URL}#page=3"


def test_a_quote_of_source_code_opens_the_line_where_its_passage_begins() -> None:
    code = "import os\n\n\n" + "\n\n".join(
        f"def step_{n}():\n    " + "\n    ".join(f"call_{n}_{i}()  # and so on" for i in range(30))
        for n in range(3)
    )
    line = code.split("\n").index("def step_2():") + 1
    assert link(code.encode(), ".py", "def step_2()") == f"{URL}#L{line}"
    assert link(code.encode(), ".txt", "import os") == f"{URL}#L1"


def test_a_quote_of_a_web_page_opens_its_heading_else_its_words() -> None:
    page = b"<h1>Leave</h1><p>Intro, in one - two & three words of 5,000 that go on.</p>"
    assert link(page, ".html", "Intro, in one - two & three words of 5,000") == (
        f"{URL}#:~:text=Intro%2C%20in%20one%20%2D%20two%20%26%20three%20words"
    )
    assert link(page + b"<h2 id=sick>Sick</h2><p>" + b"Call us. " * 80, ".html", "Call us.") == (
        f"{URL}#sick"
    )


def test_a_quote_of_an_office_file_opens_the_file() -> None:
    assert link(b"Who,Days\nAnn,20\n", ".csv", "Ann") == URL


@pytest.mark.parametrize(
    ("quote", "words"),
    [
        ("one two three four five six seven eight nine", "one two three four five six seven eight"),
        ("- an item\nanother", "an item"),
        ("12. an item", "an item"),
        ("Who | Days", "Who"),
        ("10^6 rows", "10"),
        ("\n\n  spaced \t out  \nx", "spaced out"),
        ("naïve “quotes”", "naïve “quotes”"),
    ],
)
def test_the_browser_looks_for_words_as_they_stand_in_the_page(quote: str, words: str) -> None:
    base, _, text = deep_link(URL, ANY_TEXT, quote).partition("#:~:text=")
    assert (base, unquote(text)) == (URL, words)
    assert not {"-", ",", "&", " "} & set(text)


@pytest.mark.parametrize("quote", ["", " \n", "|", "---"])
def test_without_words_the_page_is_opened(quote: str) -> None:
    assert deep_link(URL, ANY_TEXT, quote) == URL


def test_the_nearest_pages_have_no_quote_to_open() -> None:
    [page] = nearby(passages(b"<p>Some words.</p>", ".html"))
    assert page.url == URL


def test_an_address_that_already_leads_to_a_place_is_kept() -> None:
    assert deep_link(f"{URL}#here", ANY_TEXT, "words") == f"{URL}#here"
    assert deep_link("file:///etc/passwd", ANY_TEXT, "words") == ""
