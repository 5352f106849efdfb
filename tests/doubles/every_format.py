"""A file of every format that is read, and one for each way in which a file cannot be."""

from pathlib import Path
from typing import Final

from index.formats import LARGEST_BYTES, TO_SAVE_AS
from tests.doubles.office_files import docx, epub, paragraph, pdf, pptx, shape, xlsx, zipped

SAMPLES: Final = {
    ".md": b"# Leave\n\nTwenty days.",
    ".html": b"<h1 id=leave>Leave</h1><p>Twenty days.</p>",
    ".txt": "Twenty days, naïvely.\n".encode(),
    ".rst": b"Leave\n=====\n\nTwenty days.\n",
    ".pdf": pdf([[("Leave", 24, "regular"), ("Twenty days.", 11, "regular")], []]),
    ".docx": docx(paragraph("Leave", "berschrift1") + paragraph("Twenty days.")),
    ".pptx": pptx([(shape("title", "Leave"), "")]),
    ".xlsx": xlsx({"Leave": '<row><c r="A1"><v>20</v></c></row>'}),
    ".csv": b"Who,Days\nAnn,20\n",
    ".tsv": b"Who\tDays\nAnn\t20\n",
    ".epub": epub({"a.xhtml": "<html><body><h1>Leave</h1></body></html>"}),
    ".eml": b"From: a@x.example\nSubject: Leave\n\nTwenty days.\n",
    ".ipynb": b'{"cells": [{"cell_type": "markdown", "source": "# Leave"}]}',
    ".json": b'{"leave": 20}',
    ".yaml": b"leave: 20\n",
    ".py": b"def leave():\n    return 20\n",
}
"""Suffix -> a document; of each media type that is read there is one."""

_SECRET: Final = [("A secret.", 11, "regular")]
_ENCRYPTED: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
_LOCK: Final = '<encryption><CipherReference URI="OEBPS/a.xhtml"/></encryption>'
_NO_ZIP: Final = "is no complete zip container; save it anew."

UNREADABLE: Final[dict[str, tuple[bytes, str]]] = {
    "locked.pdf": (
        pdf([_SECRET], locked=True),
        "is protected by a password; save a copy without one.",
    ),
    "scanned.pdf": (
        pdf([[], []]),
        "holds only pictures of text, if any; run OCR over it and save the result.",
    ),
    "broken.pdf": (SAMPLES[".pdf"][:400], "is no complete PDF file; save it anew."),
    "empty.pdf": (b"", "is no complete PDF file; save it anew."),
    "locked.docx": (_ENCRYPTED, "is protected by a password; save a copy without one."),
    "locked.epub": (
        epub({"a.xhtml": "\x01\x02"}, more={"META-INF/encryption.xml": _LOCK}),
        "is locked by its publisher (DRM); use a copy without a lock.",
    ),
    "old.docx": (
        _ENCRYPTED[:8] + b"WordDocument",
        "is in the old Office format; save it in the new one.",
    ),
    **{
        f"broken{suffix}": (SAMPLES[suffix][:200], _NO_ZIP)
        for suffix in (".docx", ".pptx", ".xlsx", ".epub")
    },
    "hollow.docx": (zipped({"a": ""}), "lacks its part 'word/document.xml'; save it anew."),
    "torn.docx": (
        zipped({"word/document.xml": "<w:document><w:body>"}),
        "holds broken XML; save it anew.",
    ),
    "broken.eml": (
        b"No header.",
        "has no header of an e-mail; save it anew from your mail program.",
    ),
    "broken.ipynb": (
        SAMPLES[".ipynb"][:20],
        "is no notebook (its JSON is broken); save it anew from Jupyter.",
    ),
    "picture.txt": (b"\x89PNG\r\n\x1a\n\0\0", "holds binary data; save it as UTF-8 text."),
    "dump.csv": (
        b"a" * (LARGEST_BYTES + 1),
        f"has {LARGEST_BYTES + 1:,} bytes; split it into files of at most {LARGEST_BYTES:,} bytes.",
    ),
    "letter.doc": (
        b"WordDocument",
        f"is a .doc file, which cannot be read yet; save it as one of {TO_SAVE_AS}.",
    ),
}
"""Name of a file -> what it holds, and what goes on from its name where it is refused."""

EMPTY: Final = {"empty.md": b"", "empty.html": b"<p> </p>", "empty.docx": docx("")}
"""Files in which nothing is wrong, and nothing is said."""


def fill(folder: Path) -> dict[str, str]:
    """Write all of them into a folder; return those that are skipped, each with the reason."""
    folder.mkdir()
    for suffix, content in SAMPLES.items():
        (folder / f"leave{suffix}").write_bytes(content)
    for name, content in EMPTY.items():
        (folder / name).write_bytes(content)
    for name, (content, _) in UNREADABLE.items():
        (folder / name).write_bytes(content)
    nothing = dict.fromkeys(EMPTY, "The document holds no text to search.")
    return nothing | {name: f"{name} {said}" for name, (_, said) in UNREADABLE.items()}
