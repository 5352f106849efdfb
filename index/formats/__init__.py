"""The formats that can be read, one file each, and what they have in common.

A reader takes text or bytes and returns an ``Outline``: what a person would read, with its headings
and pages. Each is imported when the first document of its kind comes.
"""

from typing import Final

LARGEST_BYTES: Final = 20_000_000
"""A longer file is a data dump rather than a document; nobody cites it."""

SOURCE_CODE: Final = "text/x-source"

_CODE = (
    ".bash .c .cc .clj .cpp .cs .cxx .dart .el .erl .ex .exs .f90 .fs .go .gradle .groovy .h .hcl"
    " .hpp .hs .java .jl .js .jsx .kt .kts .lua .m .mjs .ml .mm .nim .php .pl .pm .proto .ps1 .py"
    " .pyi .r .rb .rs .scala .sh .sol .sql .swift .tf .thrift .toml .ts .tsx .vb .vue .zig .zsh"
)

MEDIA_TYPES: Final = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
    ".txt": "text/plain",
    ".text": "text/plain",
    ".rst": "text/x-rst",
    ".pdf": "application/pdf",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".docm": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".pptm": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xlsm": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".epub": "application/epub+zip",
    ".eml": "message/rfc822",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    **dict.fromkeys(_CODE.split(), SOURCE_CODE),
}
"""Suffix of a file name, in lower case -> media type."""

TO_SAVE_AS: Final = ".docx, .html, .md, .pdf, .txt"
"""What a person who holds another format is told to save it as."""


class Refused(ValueError):
    """A document that is not read, on purpose or because it is broken.

    ``str()`` is half a sentence that goes on from its name and says what to do: "is protected by a
    password; save a copy without one".
    """
