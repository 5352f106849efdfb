"""Save an answer as a card: a document of its own, which the next sync makes findable."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Protocol

from bot.markup import one_line
from handlers.answering.cleaning import without_hidden
from handlers.tools.errors import ToolRefused
from handlers.tools.ports import Effect, ToolContext, ToolResult
from handlers.work.jobs import opaque

LONGEST_TITLE = 120
LONGEST_TEXT = 4_000
_NAME = re.compile(r"[a-z0-9-]{1,60}-[0-9a-f]{16}\.md")


class Cards(Protocol):
    """A folder that is a source of the catalog, so that what is put there is indexed."""

    async def write(self, name: str, text: str) -> bool:
        """Write a new file; tell whether it is new. Raises ToolUnavailable, ToolRefused."""
        ...

    async def remove(self, name: str) -> bool:
        """Remove a file; tell whether it was there. Raises ToolUnavailable, ToolRefused."""
        ...

    def address(self, name: str) -> str:
        """Return where people can open it, or "" if nowhere."""
        ...


class SaveCard:
    """Writes a Markdown file. Whoever may read the source of the cards will read it.

    Its name depends on the call, so that a call which is tried again writes nothing new.
    """

    name = "save_card"
    description = (
        "Save an answer or a fact as a card among the documents, so that it can be found later by"
        " everybody who may read the cards."
    )
    parameters: Mapping[str, object] = {
        "type": "object",
        "properties": {
            "title": {
                "type": "string",
                "minLength": 3,
                "maxLength": LONGEST_TITLE,
                "pattern": r"\S",
                "description": "What the card is about, such as the question it answers.",
            },
            "text": {
                "type": "string",
                "minLength": 1,
                "maxLength": LONGEST_TEXT,
                "pattern": r"\S",
                "description": "What the card says, complete in itself.",
            },
        },
        "required": ["title", "text"],
        "additionalProperties": False,
    }
    effect = Effect.WRITE

    def __init__(self, cards: Cards) -> None:
        """Keep cards in ``cards``."""
        self._cards = cards

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Save the card. Raises ToolRefused, ToolUnavailable."""
        title = one_line(without_hidden(str(arguments["title"])))
        name = f"{_slug(title)}-{opaque(context.call)[:16]}.md"
        await self._cards.write(name, f"# {title}\n\n{without_hidden(str(arguments['text']))}\n")
        return ToolResult(
            f"The card “{title}” is saved. It is found from the next sync on.",
            url=self._cards.address(name),
            undo={"name": name},
        )

    async def undo(self, undo: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Remove the card. Raises ToolRefused, ToolUnavailable."""
        name = undo.get("name")
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ToolRefused("It is not known any more which card that was.")
        there = await self._cards.remove(name)
        gone = "The card was removed; searches forget it with the next sync."
        return ToolResult(gone if there else "The card was removed before.")


def _slug(title: str) -> str:
    """Return a title as part of a file's name: small Latin letters, digits and dashes."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-") or "card"
