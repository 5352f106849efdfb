"""What everything is called that turns bytes into rows. Pure."""

from index.chunking import RECIPE
from index.ports import Embedder, Parser


def recipe(parser: Parser, embedder: Embedder) -> str:
    """Name everything that turns bytes into rows; part of each fingerprint."""
    return f"{parser.name}+{RECIPE}+{embedder.name}"
