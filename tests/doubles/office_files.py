"""Office files, e-books and PDF files, each the few parts that make it one, written by hand."""

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
A = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    ' xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
S = (
    'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/'
    'core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{}</dc:title>'
    "</cp:coreProperties>"
)


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    """Return a zip container with these parts, in this order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def relationships(targets: Mapping[str, tuple[str, str]]) -> str:
    """Return a part that says where others are: id -> (kind, target)."""
    kinds = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    inner = "".join(
        f'<Relationship Id="{key}" Type="{kinds}/{kind}" Target="{target}"/>'
        for key, (kind, target) in targets.items()
    )
    schema = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{schema}">{inner}</Relationships>'


STYLES = f"""<w:styles {W}>
<w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
<w:style w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style>
<w:style w:styleId="Mine"><w:name w:val="My heading"/><w:basedOn w:val="berschrift2"/></w:style>
<w:style w:styleId="Titel"><w:name w:val="Title"/></w:style>
<w:style w:styleId="Verz"><w:name w:val="toc 1"/></w:style>
<w:style w:styleId="Bullets"><w:name w:val="List Bullet"/>
<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>
</w:styles>"""
NUMBERING = f"""<w:numbering {W}>
<w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/></w:lvl>
</w:abstractNum>
<w:abstractNum w:abstractNumId="8"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/></w:lvl>
<w:lvl w:ilvl="1"><w:numFmt w:val="lowerLetter"/></w:lvl></w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>
<w:num w:numId="2"><w:abstractNumId w:val="8"/></w:num>
</w:numbering>"""


def docx(body: str, **more: str) -> bytes:
    """Return a Word document with this body; ``more`` names further parts below ``word/``."""
    parts = {
        "word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>",
        "word/styles.xml": STYLES,
        "word/numbering.xml": NUMBERING,
    }
    return zipped(parts | {f"word/{name}.xml": content for name, content in more.items()})


def paragraph(inner: str, style: str = "", item: str = "") -> str:
    """Return a paragraph of Word; ``inner`` is text, or runs. ``item`` is list and level: "2 0"."""
    number, _, level = item.partition(" ")
    of_list = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
    properties = (f'<w:pStyle w:val="{style}"/>' if style else "") + (of_list if item else "")
    runs = inner if inner.startswith("<") else f"<w:r><w:t>{inner}</w:t></w:r>"
    return f"<w:p><w:pPr>{properties}</w:pPr>{runs}</w:p>"


def pptx(slides: Sequence[tuple[str, str]], title: str = "", times: int = 1) -> bytes:
    """Return slides, each with its shapes and its notes, as XML of PowerPoint.

    All of them are shown ``times`` times.
    """
    parts: dict[str, str] = {}
    numbers = range(1, len(slides) + 1)
    listed = "".join(f'<p:sldId id="{255 + n}" r:id="rId{n}"/>' for n in numbers)
    parts["ppt/presentation.xml"] = (
        f"<p:presentation {A}><p:sldIdLst>{listed * times}</p:sldIdLst></p:presentation>"
    )
    # The slides lie in the file in another order than they are shown.
    files = {n: f"slides/slide{len(slides) - n + 1}.xml" for n in numbers}
    parts["ppt/_rels/presentation.xml.rels"] = relationships(
        {f"rId{n}": ("slide", files[n]) for n in numbers}
    )
    for number, (shapes, notes) in zip(numbers, slides, strict=True):
        name = files[number].removeprefix("slides/")
        parts[f"ppt/slides/{name}"] = f"<p:sld {A}><p:cSld>{shapes}</p:cSld></p:sld>"
        if notes:
            target = f"../notesSlides/{name}"
            parts[f"ppt/slides/_rels/{name}.rels"] = relationships({"n": ("notesSlide", target)})
            parts[f"ppt/notesSlides/{name}"] = f"<p:notes {A}>{notes}</p:notes>"
    if title:
        parts["docProps/core.xml"] = CORE.format(title)
    return zipped(parts)


def shape(kind: str, *paragraphs: str) -> str:
    """Return a shape of a slide; ``kind`` is that of its placeholder, or empty."""
    holder = f'<p:nvSpPr><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr>' if kind else ""
    inner = "".join(f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p>" for text in paragraphs)
    return f"<p:sp>{holder}<p:txBody>{inner}</p:txBody></p:sp>"


def xlsx(sheets: Mapping[str, str], strings: Sequence[str] = (), hidden: str = "") -> bytes:
    """Return a workbook; each sheet is its rows as XML of Excel."""
    names = list(sheets)
    listed = "".join(
        f'<sheet name="{name}" sheetId="{n}" r:id="rId{n}"'
        f' state="{"hidden" if name == hidden else "visible"}"/>'
        for n, name in enumerate(names, start=1)
    )
    targets = {
        f"rId{n}": ("worksheet", f"worksheets/sheet{n}.xml") for n in range(1, 1 + len(names))
    }
    targets |= {"s": ("sharedStrings", "sharedStrings.xml"), "t": ("styles", "styles.xml")}
    shared = "".join(f"<si><t>{text}</t></si>" for text in strings)
    parts = {
        "xl/workbook.xml": f"<workbook {S}><sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": relationships(targets),
        "xl/sharedStrings.xml": f"<sst {S}>{shared}</sst>",
        # Cell styles: 0 as it is, 1 a date, 2 a percentage, 3 a date with time of an own format.
        "xl/styles.xml": f'<styleSheet {S}><numFmts><numFmt numFmtId="164"'
        ' formatCode="[$-407]dd/mm/yyyy\\ hh:mm"/></numFmts><cellStyleXfs><xf numFmtId="14"/>'
        '</cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="9"/>'
        '<xf numFmtId="164"/></cellXfs></styleSheet>',
    }
    for number, name in enumerate(names, start=1):
        inner = sheets[name]
        parts[f"xl/worksheets/sheet{number}.xml"] = (
            f"<worksheet {S}><sheetData>{inner}</sheetData></worksheet>"
        )
    return zipped(parts)


def epub(chapters: Mapping[str, str], title: str = "", more: Mapping[str, str] = {}) -> bytes:
    """Return an e-book; ``chapters`` are file names with their XHTML, read in this order."""
    items = "".join(
        f'<item id="c{n}" href="{name}" media-type="application/xhtml+xml"/>'
        for n, name in enumerate(chapters)
    )
    spine = "".join(f'<itemref idref="c{n}"/>' for n in range(len(chapters)))
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:'
            'container"><rootfiles><rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
            "OEBPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf"><metadata'
            ' xmlns:dc="http://purl.org/dc/elements/1.1/">'
            f"<dc:title>{title}</dc:title></metadata>"
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>",
            **{f"OEBPS/{name}": content for name, content in chapters.items()},
            **more,
        }
    )


def pdf(
    pages: Sequence[Sequence[tuple[str, int, str]]],
    *,
    title: str = "",
    bookmarks: Sequence[tuple[str, int]] = (),
    locked: bool = False,
    streams: Mapping[int, bytes] = {},
) -> bytes:
    """Return a PDF file. A page is lines of (text, size of type, font), from the top.

    Fonts are "regular", "bold" and "mono". An empty text leaves the space of a line. ``bookmarks``
    are titles with their pages, from 1. ``streams`` replaces what a page draws, by its number from
    1, with compressed bytes.
    """
    count = len(pages)
    first_page, first_mark = 10, 10 + 2 * count
    objects: dict[int, bytes] = {
        1: b"<</Type/Catalog/Pages 2 0 R/Outlines 3 0 R>>",
        2: b"<</Type/Pages/Count %d/Kids[%s]>>"
        % (count, b" ".join(b"%d 0 R" % (first_page + 2 * n) for n in range(count))),
        4: b"<</Title(%s)>>" % title.encode("latin-1"),
        5: _font("Helvetica"),
        6: _font("Helvetica-Bold"),
        7: _font("Courier"),
        8: b"<</Filter/Standard/V 1/R 2/P -4/O(%s)/U(%s)>>" % (b"o" * 32, b"u" * 32),
    }
    last_mark = first_mark + len(bookmarks) - 1
    ends = b"/First %d 0 R/Last %d 0 R" % (first_mark, last_mark) if bookmarks else b""
    objects[3] = b"<</Type/Outlines%s/Count %d>>" % (ends, len(bookmarks))
    for number, lines in enumerate(pages):
        at = first_page + 2 * number
        objects[at] = (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents %d 0 R"
            b"/Resources<</Font<</regular 5 0 R/bold 6 0 R/mono 7 0 R>>>>>>" % (at + 1)
        )
        drawn = streams.get(number + 1) or zlib.compress(_drawn(lines))
        objects[at + 1] = b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (
            len(drawn),
            drawn,
        )
    for number, (name, page) in enumerate(bookmarks):
        follows = (
            b"/Next %d 0 R" % (first_mark + number + 1) if number + 1 < len(bookmarks) else b""
        )
        objects[first_mark + number] = b"<</Title(%s)/Parent 3 0 R/Dest[%d 0 R/Fit]%s>>" % (
            name.encode("latin-1"),
            first_page + 2 * (page - 1),
            follows,
        )
    encrypted = b"/Encrypt 8 0 R/ID[(i)(i)]" if locked else b""
    return _file(objects, b"/Root 1 0 R/Info 4 0 R" + encrypted)


def _font(name: str) -> bytes:
    return b"<</Type/Font/Subtype/Type1/BaseFont/%s>>" % name.encode()


def _drawn(lines: Sequence[tuple[str, int, str]]) -> bytes:
    drawn, y = [], 780.0
    for text, size, font in lines:
        y -= 1.2 * size
        x = 72.0
        for cell in text.split("\t"):
            escaped = cell.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
            drawn.append(f"BT /{font} {size} Tf {x} {y} Td ({escaped}) Tj ET")
            x += 150
    return "\n".join(drawn).encode("latin-1")


def _file(objects: Mapping[int, bytes], trailer: bytes) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n")
    places = {}
    for number, content in sorted(objects.items()):
        places[number] = out.tell()
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    start, size = out.tell(), max(objects) + 1
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % size)
    for number in range(1, size):
        entry = (
            b"%010d 00000 n \n" % places[number] if number in places else b"0000000000 65535 f \n"
        )
        out.write(entry)
    out.write(b"trailer<</Size %d%s>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start))
    return out.getvalue()
