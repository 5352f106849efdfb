"""The formats that can be read, one file each, and what they have in common.

A reader takes text and returns an ``Outline``: what a person would read, with its headings.
"""

from typing import Final

LARGEST_BYTES: Final = 20_000_000
"""A longer file is a data dump rather than a document; nobody cites it."""

MEDIA_TYPES: Final = {
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "text/html",
    ".txt": "text/plain",
    ".text": "text/plain",
}
"""Suffix of a file name, in lower case -> media type."""
