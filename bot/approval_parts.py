"""What a card and a dialog both show of a proposed call, as Block Kit. Pure.

Text of tools, models and documents goes into rich text only, where Slack reads no markup: it cannot
mention, link, unfurl or format anything.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from bot import approval_messages as messages
from bot.markup import cut, one_line, width
from bot.proposals import ProposedCall
from bot.shown_json import laid_out, pieces
from bot.visible import made_visible

Block = dict[str, Any]

APPROVE = "approval.approve"
REJECT = "approval.reject"
EDIT = "approval.edit"
SHOW = "approval.show"
PAGE = "approval.page"
PAGE_BACK = "approval.page_back"
UNDO = "approval.undo"

PIECE = 2_900
"""UTF-16 units of text in one block."""

_TITLE, _TOOL, _WARNING = 150, 64, 500
_ELEMENT = 1_450
_EFFECTS = {"read": messages.READS, "fetch": messages.LEAVES, "write": messages.CHANGES}
_USER = re.compile(r"[A-Z0-9]{1,64}")


def title_block(call: ProposedCall, number: int) -> Block:
    """Return what is proposed: the name of the tool, and what it does. 0 is no number."""
    name = cut(one_line(made_visible(call.title)), _TITLE) or cut(call.tool, _TOOL)
    effect = _EFFECTS.get(call.effect, messages.CHANGES)
    tool = cut(one_line(made_visible(call.tool)), _TOOL)
    head = f"{number}. {name}" if number else name
    return section(literal(head, bold=True), literal(f"\n{tool} · {effect}"))


def arguments_text(call: ProposedCall) -> str:
    """Return all arguments as they are shown, "" when there are none."""
    return "" if call.arguments.strip() in ("", "{}") else laid_out(call.arguments)


def argument_blocks(text: str) -> list[Block]:
    """Return the arguments, or some lines of them, letter by letter."""
    if not text:
        return [context(messages.NO_ARGUMENTS)]
    return [
        _rich({"type": "rich_text_preformatted", "elements": literal(piece.removesuffix("\n"))})
        for piece in pieces(text, PIECE)
        if piece.strip("\n")
    ]


def warning_blocks(call: ProposedCall, shown: str) -> list[Block]:
    """Return what to look out for; ``shown`` are all arguments as ``arguments_text`` has them."""
    said = [cut(one_line(made_visible(warning)), _WARNING) for warning in call.warnings]
    if "‹U+" in shown:
        said.append(messages.HIDDEN)
    if "‹RTL›" in shown:
        said.append(messages.FROM_THE_RIGHT)
    text = "\n".join(f"⚠️ {sentence}" for sentence in said)
    return [section(literal(piece, bold=True)) for piece in pieces(text, PIECE)] if text else []


def origin_blocks(origins: Sequence[str]) -> list[Block]:
    """Return what led to a call, as quotes of text that nobody has checked."""
    if not origins:
        return []
    quotes = [
        _rich({"type": "rich_text_quote", "elements": literal(piece.strip("\n"))})
        for origin in origins
        for piece in pieces(made_visible(origin.strip()), PIECE)
        if piece.strip("\n")
    ]
    return [section(literal(messages.ORIGINS, italic=True)), *quotes]


def mention(user: str) -> str:
    """Return mrkdwn that names a user, "" for what is no user id."""
    return f"<@{user}>" if _USER.fullmatch(user) else ""


def literal(text: str, **style: bool) -> list[Block]:
    """Return text that rich text shows letter by letter."""
    dressed: Block = {"style": dict(style)} if style else {}
    return [{"type": "text", "text": piece, **dressed} for piece in pieces(text, _ELEMENT)]


def section(*parts: list[Block]) -> Block:
    """Return a paragraph of rich text."""
    elements = [element for part in parts for element in part]
    return _rich({"type": "rich_text_section", "elements": elements})


def context(text: str) -> Block:
    """Return a small line of plain text."""
    return {"type": "context", "elements": [plain(text, 1_000)]}


def marked(text: str) -> Block:
    """Return a small line of our own mrkdwn, in which only our own angle brackets mean anything."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": True}]}


def plain(text: str, limit: int) -> Block:
    """Return text that Slack shows as it is."""
    return {"type": "plain_text", "text": cut(text, limit), "emoji": False}


def button(action: str, text: str, value: str, style: str = "") -> Block:
    """Return a button; ``style`` is "primary", "danger" or ""."""
    made: Block = {
        "type": "button",
        "action_id": action,
        "text": plain(text, 75),
        "value": value,
    }
    return {**made, "style": style} if style else made


def row(buttons: Iterable[Block]) -> list[Block]:
    """Return a row of the buttons that carry something; none where no button does."""
    kept = [made for made in buttons if made.get("value")]
    return [{"type": "actions", "elements": kept}] if kept else []


def first_lines(text: str, limit: int, lines: int) -> str:
    """Return the first ``lines`` of ``text`` that fit ``limit`` UTF-16 units, or a piece of one."""
    text = "\n".join(text.split("\n", lines)[:lines])
    if width(text) <= limit:
        return text
    return pieces(text[: limit + 1], limit)[0].removesuffix("\n")


def _rich(element: Block) -> Block:
    return {"type": "rich_text", "elements": [element]}
