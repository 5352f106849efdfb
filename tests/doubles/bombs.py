"""Documents made to exhaust whoever reads them, and a program that has them read.

    python -m tests.doubles.bombs

prints a line of JSON for each: what was said, and what the child processes cost. It is a program of
its own so that no other child of a test run is counted.
"""

import io
import json
import random
import resource
import struct
import zipfile
import zlib
from collections.abc import Callable

from index.documents import DocumentRef, RawDocument
from index.errors import DocumentUnreadable
from index.formats import MEDIA_TYPES
from index.sandbox import SandboxedParser
from tests.doubles.office_files import W, docx, epub, pdf, pptx, shape, xlsx, zipped

BODY = "word/document.xml"
LAUGHS = (
    '<!DOCTYPE w:document [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]>"
)
NOISE = random.Random(8).randbytes(1_300_000)


def repeated(unit: bytes, total: int) -> bytes:
    """Return ``unit`` over and over, compressed without ever being whole in memory."""
    packer = zlib.compressobj(9)
    block = unit * (1_000_000 // len(unit))
    return b"".join(packer.compress(block) for _ in range(total // len(block))) + packer.flush()


def lying_directory() -> bytes:
    """Return a container whose directory says that 20 MB are ten bytes."""
    content = zipped({BODY: b" " * 20_000_000})
    place = content.rindex(b"PK\x01\x02")
    return content[: place + 24] + struct.pack("<I", 10) + content[place + 28 :]


def one_part_many_times() -> bytes:
    """Return a container with 5,000 names for the same 1 MB."""
    content = zipped({BODY: b" " * 1_000_000})
    place, end = content.rindex(b"PK\x01\x02"), content.rindex(b"PK\x05\x06")
    entry = content[place:end]
    entries = b"".join(entry.replace(BODY.encode(), b"word/d%011d" % n) for n in range(5_000))
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 5_000, 5_000, len(entries), place, 0)
    return content[:place] + entries + tail


def with_noise(body: bytes) -> bytes:
    """Return a document whose other part is so incompressible that the ratio looks harmless."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("media/noise.bin", NOISE)
        with archive.open(BODY, "w") as part:
            part.write(f"<w:document {W}><w:body>".encode())
            for _ in range(100):
                part.write(body * (1_000_000 // len(body)))
            part.write(b"</w:body></w:document>")
    return buffer.getvalue()


def cells(count: int) -> bytes:
    """Return a workbook with this many cells in rows of a hundred."""
    row = "<row>" + "".join(f"<c><v>{n * 7919}</v></c>" for n in range(100)) + "</row>"
    rows = (row.replace("<v>1", f"<v>{n}") for n in range(count // 100))
    return xlsx({"Dump": "".join(rows)})


def far_cells() -> bytes:
    """Return a workbook of few cells that stand in the last column that there is."""
    rows = "".join(
        f'<row><c r="A{n}"><v>{n}</v></c><c r="XFD{n}"><v>{n * 31}</v></c></row>'
        for n in range(90_000)
    )
    return xlsx({"Wide": rows})


def same_slide_often() -> bytes:
    """Return a presentation that shows its one slide three thousand times."""
    words = "".join(f"word {n * 7919} " for n in range(3_000))
    return pptx([(shape("body", words), "")], times=3_000)


def same_page_often() -> bytes:
    """Return a PDF file that has one page a hundred thousand times."""
    content = pdf([[("word", 11, "regular")] * 40])
    kids = b"/Count 1/Kids[10 0 R]"
    return content.replace(kids, b"/Count 100000/Kids[" + b"10 0 R " * 100_000 + b"]")


def deep_mail() -> bytes:
    """Return mail in mail in mail."""
    inner = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(900)
    )
    return b"From: a@x.example\n" + inner + b"\ntext"


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "zip that expands": (".docx", lambda: zipped({BODY: b" " * 50_000_000})),
    "zip with a lying directory": (".docx", lying_directory),
    "zip with one part many times": (".docx", one_part_many_times),
    "zip in a zip": (".docx", lambda: zipped({"a.docx": zipped({BODY: b" " * 20_000_000})})),
    "zip of many parts": (".xlsx", lambda: zipped({f"p{n}": "" for n in range(20_000)})),
    "entities": (".docx", lambda: zipped({BODY: f"{LAUGHS}<w:document {W}>&a9;</w:document>"})),
    "one long entity": (
        ".docx",
        lambda: zipped(
            {BODY: f'<!DOCTYPE x [<!ENTITY a "{"ha" * 99_999}">]><x>{"&a;" * 9_999}</x>'}
        ),
    ),
    "entities in a book": (
        ".epub",
        lambda: epub({}, more={"OEBPS/book.opf": f"{LAUGHS}<a>&a9;</a>"}),
    ),
    "same slide often": (".pptx", same_slide_often),
    "deep XML": (".docx", lambda: docx("<w:tbl><w:tr><w:tc>" * 50_000)),
    "XML without end": (".docx", lambda: with_noise(b"<w:p/>")),
    "a million cells": (".xlsx", lambda: cells(1_000_000)),
    "far cells": (".xlsx", far_cells),
    "table without end": (".csv", lambda: b"a,b,c,d\n" * 500_000),
    "page that draws without end": (
        ".pdf",
        lambda: pdf(
            [[]], streams={1: repeated(b"BT /regular 9 Tf 9 9 Td (word) Tj ET\n", 300_000_000)}
        ),
    ),
    "deep page": (".pdf", lambda: pdf([[]], streams={1: repeated(b"[", 50_000_000)})),
    "same page often": (".pdf", same_page_often),
    "deep HTML": (".html", lambda: b"<div>" * 90_000),
    "flat HTML": (".html", lambda: b"<p><b>" * 80_000),
    "deep Markdown": (".md", lambda: b"> " * 100_000 + b"x"),
    "deep JSON": (".json", lambda: b"[" * 400_000),
    "broad JSON": (".json", lambda: b"[" + b"[]," * 160_000 + b"0]"),
    "deep notebook": (".ipynb", lambda: b'{"cells":' * 40_000),
    "deep mail": (".eml", deep_mail),
    "deep rst": (".rst", lambda: b"".join(b" " * n + b"x\n\n" for n in range(900))),
    "rst of marks": (".rst", lambda: (b"*a `b |c " * 1_000 + b"\n") * 50),
    "aliases": (
        ".yaml",
        lambda: (
            b"a0: &a0 [ha]\n"
            + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b"*a%d," % (n - 1) * 10) for n in range(1, 30))
        ),
    ),
    "code of one line": (
        ".py",
        lambda: b"public static " * 30 + (b"\n" + b"a " * 190 + b"(") * 1_000,
    ),
}


def main() -> None:
    """Have every bomb read, and tell what became of it."""
    for name, (suffix, made) in BOMBS.items():
        ref = DocumentRef("f", f"bomb{suffix}", "v")
        raw = RawDocument(ref, made(), MEDIA_TYPES[suffix], "", frozenset(), None)
        before = spent()
        # A worker that lives on is only counted once it has ended.
        with SandboxedParser(workers=1) as parser:
            try:
                said = f"read: {len(parser.parse(raw).text)}"
            except DocumentUnreadable as error:
                said = str(error)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        cost = {"seconds": spent() - before, "peak": peak, "bytes": len(raw.content)}
        print(json.dumps({"name": name, "said": said, **cost}), flush=True)


def spent() -> float:
    """Return the processor time of all children that have ended, in seconds."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
