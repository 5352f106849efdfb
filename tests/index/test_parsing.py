"""index.parsing and index.formats: bytes of Markdown, HTML and text -> what people read."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.chunking import chunk
from index.documents import Document, DocumentRef, RawDocument
from index.errors import DocumentUnreadable
from index.formats import LARGEST_BYTES
from index.parsing import DocumentParser

READERS = frozenset({"e1"})
CHANGED = datetime(2026, 1, 2, tzinfo=UTC)


def parse(content: bytes | str, media_type: str, location: str = "guide/page_one.md") -> Document:
    raw = RawDocument(
        DocumentRef("files", location, "v1"),
        content if isinstance(content, bytes) else content.encode(),
        media_type,
        "https://docs.example/page",
        READERS,
        CHANGED,
    )
    document = DocumentParser().parse(raw)
    for heading in document.headings:
        assert document.text.startswith(heading.text, heading.start)
    return document


def markdown(text: str) -> Document:
    return parse(text, "text/markdown")


def page(text: str) -> Document:
    return parse(text, "text/html", "page.html")


def anchors(document: Document) -> list[tuple[str, int, str]]:
    return [(h.text, h.level, h.anchor) for h in document.headings]


def test_markdown_becomes_what_a_person_reads() -> None:
    document = markdown(
        "# Leave\\_policy <a name='x'></a>\n\nRead **the** [form](https://a.example/f \"t\") and\n"
        "![a calendar](c.png), `code()` &amp; <b>more</b>.<!-- hidden -->\nNew  line\\\nbroken\n\n"
        "<!-- a secret\ncomment -->\n\n> quoted\n\n```python\ndef f():\n    return 1\n```\n"
    )
    assert document.text == (
        "Leave_policy\n\n"
        "Read the form and a calendar, code() & more. New line\nbroken\n\n"
        "quoted\n\ndef f():\n    return 1"
    )


def test_markdown_lists_keep_their_marks_and_depth() -> None:
    document = markdown("Do:\n\n3. one\n   - inner\n   - other\n\n     more\n4. two\n\nEnd")
    assert document.text == "Do:\n\n3. one\n  - inner\n  - other\n\nmore\n4. two\n\nEnd"


def test_a_markdown_table_gives_one_line_a_row() -> None:
    document = markdown("|Who|Days|\n|---|--:|\n|Ann **B**|20|\n|Bo||\n\nEnd")
    assert document.text == "Who | Days\nAnn B | 20\nBo | \n\nEnd".replace(" | \n", " |\n")


def test_markdown_anchors_are_those_of_github_unless_the_page_names_its_own() -> None:
    document = markdown(
        "# Über uns!\n## Set-up & run `x`\n## FAQ\n## FAQ\n## FAQ-1\n"
        "## Named {#my-id}\n## Old<a name='legacy'></a>\nSetext\n------\n"
    )
    assert anchors(document) == [
        ("Über uns!", 1, "über-uns"),
        ("Set-up & run x", 2, "set-up--run-x"),
        ("FAQ", 2, "faq"),
        ("FAQ", 2, "faq-1"),
        ("FAQ-1", 2, "faq-1-1"),
        ("Named", 2, "my-id"),
        ("Old", 2, "legacy"),
        ("Setext", 2, "setext"),
    ]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: 'My page'\ntags: [a]\n---\n\n# Heading\n\ntext", "My page"),
        ('+++\ntitle = "My page"\n+++\n# Heading\n\ntext', "My page"),
        ("intro\n\n## Second\n\n# First\n\ntext", "First"),
        ("just text", "page one"),
        ("---\n\nnot front matter\n\n---\n\ntext", "page one"),
    ],
)
def test_the_title_is_that_of_front_matter_else_of_the_first_heading_else_of_the_file(
    text: str, title: str
) -> None:
    document = markdown(text)
    assert document.title == title
    assert "tags" not in document.text and "text" in document.text


def test_html_inside_markdown_is_read_as_html() -> None:
    document = markdown(
        "<details><summary>More</summary>\n\n**inside**\n\n</details>\n\n"
        "<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2</td></tr></table>\n\n"
        "<script>alert(1)</script>\n"
    )
    assert document.text == "More\n\ninside\n\nA | B\n1 | 2"


PAGE = """<!DOCTYPE html><html><head><title>Leave &mdash; Intranet</title><style>p{}</style></head>
<body><header><h1>Intranet</h1></header><nav><a href=/>Home</a></nav>
<main id=main><h1 id=leave>Leave<a class=headerlink href=#leave>¶</a></h1>
<p>Take   <b>20</b>
days<br>a year.</p><p hidden>secret</p><p aria-hidden="true">icon</p>
<section id=sick><h2>Sick <i>leave</i></h2><ul><li>Call us<ul><li>early</ul><li><p>Rest</p></ul>
</section>
<h3><a name=old></a>Table</h3><table><thead><tr><th>Who<th>Days<tbody><tr><td>Ann<td>20</table>
<pre><code>if x:
    y &lt; 2
</code></pre><div class="note"><h3>Note</h3><p>10<sup>6</sup> rows</p></div>
<dl><dt>term<dd>meaning</dl><img alt="A chart"><script>alert(1)</script><button>Like</button></main>
<footer>Imprint</footer></body></html>"""


def test_html_becomes_what_a_person_reads_of_its_main_part() -> None:
    assert page(PAGE).text == (
        "Leave\n\nTake 20 days\na year.\n\nSick leave\n\n- Call us\n  - early\n- Rest\n\nTable\n\n"
        "Who | Days\nAnn | 20\n\nif x:\n    y < 2\n\nNote:\n\n10^6 rows\n\nterm\nmeaning\n\nA chart"
    )


def test_html_headings_know_the_anchor_a_browser_jumps_to() -> None:
    assert anchors(page(PAGE)) == [
        ("Leave", 1, "leave"),
        ("Sick leave", 2, "sick"),
        ("Table", 3, "old"),
    ]
    assert page(PAGE).title == "Leave"


def test_a_manual_page_without_main_and_h1_is_read_too() -> None:
    document = page(
        '<html><head><title>SELECT</title></head><body id="top"><div class="navheader">Prev</div>'
        '<div class="refentry" id="SQL-SELECT"><div class="titlepage"></div><a id="idx"></a>'
        "<h2>SELECT</h2><p>retrieve rows</p><div class=refsect1 id=opts><h2>Options</h2>"
        "<table><tr><th>Function<p>What</p></th></tr><tr><td><p>f(x)</p><p>Doubles x.</p></td></tr>"
        '</table></div></div><div class="navfooter">Next</div></body></html>'
    )
    assert document.title == "SELECT"
    assert anchors(document) == [("SELECT", 2, "SQL-SELECT"), ("Options", 2, "opts")]
    assert document.text == (
        "SELECT\n\nretrieve rows\n\nOptions\n\nFunction\n\nWhat\n\nf(x)\n\nDoubles x."
    )


def test_of_several_articles_none_is_preferred() -> None:
    assert page("<article><p>one</article><article><p>two</article>").text == "one\n\ntwo"


def test_plain_text_keeps_its_lines() -> None:
    document = parse("One\r\n\r\n\r\n  two\tx \r\nthree\f four\x07\n", "text/plain", "a b.txt")
    assert document.text == "One\n\n\n  two\tx\nthree four"
    assert (document.title, document.headings) == ("a b", ())


def test_the_document_carries_what_its_source_said() -> None:
    document = markdown("text")
    assert document.ref == DocumentRef("files", "guide/page_one.md", "v1")
    assert (document.url, document.readers) == ("https://docs.example/page", READERS)
    assert document.updated_at == CHANGED


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        ("naïve €".encode(), "text/plain"),
        (b"\xef\xbb\xbf" + "naïve €".encode(), "text/plain"),
        ("naïve €".encode("utf-16"), "text/plain"),
        (b"\xfe\xff" + "naïve €".encode("utf-16-be"), "text/plain"),
        ("naïve €".encode("cp1252"), "text/plain"),
        ("naïve €".encode("iso8859-15"), "text/plain; charset=iso-8859-15"),
        (b"<meta charset=iso-8859-1><p>" + "naïve €".encode("cp1252"), "text/html"),
        (b'<?xml version="1.0" encoding="utf-8"?><p>' + "naïve €".encode(), "text/html"),
    ],
)
def test_every_usual_encoding_is_read(content: bytes, media_type: str) -> None:
    assert parse(content, media_type).text == "naïve €"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (b"", "text/plain"),
        (b" \n\t\n", "text/markdown"),
        (b"<script>1</script><nav>x</nav>", "text/html"),
        (b"<!-- only -->", "text/markdown"),
    ],
)
def test_a_page_without_text_is_a_document_without_chunks(content: bytes, media_type: str) -> None:
    document = parse(content, media_type)
    assert document.text.strip() == ""
    assert chunk(document) == ()


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(b"<h1>" + b"<p>word</p>" * 9_000, "text/html"), (b"# " + b"word " * 9_000, "text/markdown")],
)
def test_a_giant_heading_is_text_and_not_copied_into_every_chunk(
    content: bytes, media_type: str
) -> None:
    chunks = chunk(parse(content, media_type))
    assert len(chunks) > 10
    assert all(len("".join(one.heading_path)) <= 300 for one in chunks)


@pytest.mark.parametrize(
    ("content", "media_type", "says"),
    [
        (b"PK\x03\x04\x00\x00", "text/plain", "binary"),
        (bytes(range(1, 32)) * 9 + b"\xff", "text/plain", "binary"),
        ("Übergröße ändern".encode() + b"\xff", "text/plain", "broken at byte 20"),
        (b"\xff\xfea", "text/plain", "broken at byte 2 as utf-16"),
        (b"\x81\x8d text", "text/plain", "neither UTF-8 nor Windows-1252"),
        (b"x" * (LARGEST_BYTES + 1), "text/plain", "split it"),
        (b"{\\rtf1", "application/rtf", "save it as one of .docx"),
        (b"<div>" * 100_000, "text/html", "open inside each other"),
        (b"<a " + b" ".join(b"a%d" % n for n in range(50_000)) + b">", "text/html", "attributes"),
        (b">" * 50_000, "text/markdown", "levels deep"),
        (b"- " * 50_000 + b"a", "text/markdown", "levels deep"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence_that_says_what_to_do(
    content: bytes, media_type: str, says: str
) -> None:
    with pytest.raises(DocumentUnreadable, match=says) as refused:
        parse(content, media_type)
    assert str(refused.value).startswith("guide/page_one.md ")
    assert str(refused.value).endswith(".") and ";" in str(refused.value)


def test_a_file_of_no_declared_type_is_read_by_its_suffix() -> None:
    assert parse("# T", "application/octet-stream", "x.MD").title == "T"
    with pytest.raises(DocumentUnreadable, match="no known format"):
        parse("# T", "", "LICENSE")


MARKDOWN_TRAPS = {
    "brackets": "[" * 50_000,
    "images": "![" * 25_000,
    "links": "[a](" * 12_000,
    "short links": "[a][" * 4_900,
    "short brackets": "[" * 19_900,
    "emphasis": "*a **b " * 7_000,
    "ticks": "".join("e" + "`" * n for n in range(300)),
    "angles": "<" * 50_000,
    "tags": "<a " * 20_000,
    "nested links": "[a" * 9_000 + "](b)" * 9_000,
    "indented list": "\n".join(" " * 2 * n + "- a" for n in range(600)),
    "references": "".join(f"[a{n}]: u\n" for n in range(5_000)) + "[a1] " * 500,
    "comments": "text\n\n" + "<!--" * 10_000,
    "wide table": "|a" * 2_000 + "|\n" + "|-" * 2_000 + "|\n" + "|b" * 2_000 + "|\n",
    "backslashes": "\\" * 50_000,
    "front matter": "---\n" + "a: b\n" * 10_000,
}
HTML_TRAPS = {
    "div": "<div>" * 100_000 + "x",
    "closed div": "<div>" * 1_900 + "x" + "</div>" * 1_900,
    "lists": "<ul><li>" * 100_000,
    "inline": "<b>" * 100_000 + "x",
    "paragraphs": "<p>" * 50_000 + "x",
    "tables": "<table><tr><td>" * 20_000 + "x",
    "cells": "<table><tr>" + "<td>x" * 20_000,
    "comment that is none": "<!-->" + "<div>" * 100_000 + "-->",
    "script in svg": "<svg><script>" + "<div>" * 100_000,
    "wrong ends": "<x>" * 1_900 + "</y>" * 20_000,
    "angles": "<" * 200_000,
    "quoted attributes": '<a b=x" ' + " ".join(f"a{n}" for n in range(50_000)) + ">x",
}


@pytest.mark.parametrize("name", [*MARKDOWN_TRAPS, *HTML_TRAPS])
def test_pathological_pages_are_read_or_refused_within_seconds(name: str) -> None:
    read = markdown if name in MARKDOWN_TRAPS else page
    text = (MARKDOWN_TRAPS | HTML_TRAPS)[name]
    started = time.process_time()
    try:
        assert read(text).title
    except DocumentUnreadable as refused:
        assert str(refused).endswith(".")
    assert time.process_time() - started < 5


def test_code_in_scripts_is_not_counted_as_nesting() -> None:
    script = "<script>" + 'for(i=0;i<n;i++)x+="<div>";' * 5_000 + "</script>"
    assert page(script + "<p>fine").text == "fine"


# The first of a format loads its reader.
@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("a #*_`[](){}<>!|-+\n\t\\&;:.1\"'/=é"), max_size=120))
def test_any_text_is_parsed_or_refused_in_every_format(text: str) -> None:
    for media_type in ("text/markdown", "text/html", "text/plain"):
        try:
            document = parse(text, media_type)
        except DocumentUnreadable:
            continue
        assert document.title
