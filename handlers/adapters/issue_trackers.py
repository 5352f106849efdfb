"""What the issues of all trackers have in common: arguments, the mark of a call, opening once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from handlers.adapters.operator_service import OperatorService
from handlers.tools.errors import ToolRefused, ToolUnavailable
from handlers.tools.ports import ToolContext
from handlers.work.jobs import opaque

LONGEST_TITLE: Final = 200
LONGEST_BODY: Final = 10_000
RECENT: Final = 100
"""Issues that are looked through for one that the same call opened before."""


def parameters(place: str, about: str, places: Sequence[str]) -> Mapping[str, object]:
    """Return the schema: where, which only the operator's ``places`` may be, title and body.

    Raises ValueError when there is no place.
    """
    if not places:
        raise ValueError(f"Name at least one {place} that issues may be opened in.")
    return {
        "type": "object",
        "properties": {
            place: {"type": "string", "enum": list(places), "description": about},
            "title": {
                "type": "string",
                "minLength": 3,
                "maxLength": LONGEST_TITLE,
                # Python's $ also stands before a last line end.
                "pattern": r"^[^\r\n]*\S[^\r\n]*$(?!\n)",
                "description": "One line that says what is wrong or wanted.",
            },
            "body": {
                "type": "string",
                "minLength": 1,
                "maxLength": LONGEST_BODY,
                "pattern": r"\S",
                "description": "The text of the issue, in Markdown.",
            },
        },
        "required": [place, "title", "body"],
        "additionalProperties": False,
    }


def mark(call: str) -> str:
    """Return the comment, invisible to readers, that names the call an issue comes from."""
    return f"<!-- footnote:{opaque(call)[:32]} -->"


def with_mark(body: str, call: str) -> str:
    """Return the text of an issue with the mark of its call as the last line."""
    return f"{body}\n\n{mark(call)}"


def opened_before(issues: Any, call: str, body: str) -> Mapping[str, Any] | None:
    """Return the issue that this call opened, from a listing, the newest first.

    ``body`` names its text. The mark must be its end, and the oldest counts, so that whoever quotes
    it later is not taken for it. Raises ToolUnavailable for what is no listing.
    """
    found = None
    for one in listing(issues):
        if isinstance(one, dict) and str(one.get(body) or "").rstrip().endswith(mark(call)):
            found = one
    return found


@dataclass(frozen=True, slots=True)
class Issues:
    """The issues of one place, where a call opens one once.

    ``path`` lists and takes them, ``newest`` is the query that has the newest listed first, and
    ``text`` names the field for the text. Both methods raise ToolRefused, ToolUnavailable.
    """

    service: OperatorService
    path: str
    newest: Mapping[str, str]
    text: str

    async def opened_before(self, context: ToolContext) -> Mapping[str, Any] | None:
        """Return the issue that this call opened before, None where there is none."""
        query = {**self.newest, "per_page": str(RECENT)}
        listed = await self.service.ask("GET", self.path, query=query, deadline=context.deadline)
        return opened_before(listed, context.call, self.text)

    async def opened_once(self, context: ToolContext, title: str, body: str) -> Any:
        """Return the issue that this call opened before, or the answer to opening it now."""
        before = await self.opened_before(context)
        if before is not None:
            return before
        fields = {"title": title, self.text: with_mark(body, context.call)}
        return await self.service.ask("POST", self.path, body=fields, deadline=context.deadline)


def listing(issues: Any) -> list[Any]:
    """Return a listing. Raises ToolUnavailable for anything else.

    Without it nobody knows whether the issue is there, and a second one must not be opened.
    """
    if not isinstance(issues, list):
        raise ToolUnavailable("The tracker did not list its issues, so none was opened.")
    return issues


def number_in(answer: Any, name: str) -> int:
    """Return the number of an issue. Raises ToolRefused if the answer holds none."""
    number = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ToolRefused("The tracker took the issue, but did not say which number it has.")
    return number


def undone(undo: Mapping[str, object], place: str, places: Sequence[str]) -> tuple[str, int]:
    """Return place and number of an issue to close. Raises ToolRefused for anything else."""
    where, number = undo.get(place), undo.get("number")
    counts = isinstance(number, int) and not isinstance(number, bool) and number > 0
    if not isinstance(where, str) or where not in places or not counts:
        raise ToolRefused("It is not known any more which issue that was.")
    return where, int(str(number))
