"""The dialogs of a proposal: all of it, page by page, and its arguments to be edited. Pure.

A dialog takes 100 blocks and about 250,000 bytes. A page here has at most 90 blocks and 12,000
characters of what is shown, so that it is read in one go; what waits for a decision can be approved
on the last page only, after all others.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bot import approval_messages as messages
from bot.approval_parts import (
    PAGE,
    PAGE_BACK,
    Block,
    argument_blocks,
    arguments_text,
    button,
    context,
    origin_blocks,
    plain,
    row,
    title_block,
    warning_blocks,
)
from bot.approval_values import Dialog, dialog_metadata
from bot.markup import width
from bot.proposals import Proposal, ProposedCall
from bot.shown_json import editable, fields

ARGUMENTS_VIEW = "approval.arguments"
EDIT_VIEW = "approval.edit"
FIELD = "arguments-"
FIELD_INPUT = "json"

_PAGE_CHARACTERS, _PAGE_BLOCKS = 12_000, 90
_FIELD, _FIELD_LIMIT, _MOST_FIELDS = 2_500, 3_000, 12
_TITLE = 24


def arguments_view(proposal: Proposal, dialog: Dialog, *, notice: str = "") -> Block | None:
    """Return a page of everything about the calls of ``dialog``, or None when they are not there.

    A page that does not exist is the last one. ``notice`` is a sentence of ours above it.
    """
    calls = _asked(proposal, dialog)
    if not calls:
        return None
    pages = _pages(calls)
    at = min(dialog.page, len(pages) - 1)
    dialog = replace(dialog, page=at, calls=tuple((c.approval, c.nonce) for c in calls))
    metadata = dialog_metadata(dialog)
    if not metadata:
        return None
    turns = [
        button(PAGE_BACK, messages.PREVIOUS, str(at - 1) if at else ""),
        button(PAGE, messages.NEXT, str(at + 1) if at + 1 < len(pages) else "", "primary"),
    ]
    above = [context(notice)] if notice else []
    view: Block = {
        "type": "modal",
        "callback_id": ARGUMENTS_VIEW,
        "private_metadata": metadata,
        "title": plain(messages.page_title(at + 1, len(pages)), _TITLE),
        "close": plain(messages.CLOSE, _TITLE),
        "blocks": [*above, *pages[at], *row(turns)],
    }
    if at + 1 == len(pages) and not dialog.settled:
        label = messages.APPROVE if len(calls) == 1 else messages.APPROVE_ALL
        view["submit"] = plain(label, _TITLE)
    return view


def edit_view(proposal: Proposal, dialog: Dialog) -> Block | None:
    """Return the dialog in which the one call of ``dialog`` is edited; None when it can't be."""
    calls = _asked(proposal, dialog)
    if len(calls) != 1:
        return None
    call = calls[0]
    parts = fields(editable(call.arguments), _FIELD)
    metadata = dialog_metadata(replace(dialog, page=0, calls=((call.approval, call.nonce),)))
    if len(parts) > _MOST_FIELDS or not metadata:
        return None
    return {
        "type": "modal",
        "callback_id": EDIT_VIEW,
        "private_metadata": metadata,
        "title": plain(messages.EDIT_TITLE, _TITLE),
        "submit": plain(messages.SUBMIT_EDIT, _TITLE),
        "close": plain(messages.CANCEL, _TITLE),
        "blocks": [
            title_block(call, 0),
            *warning_blocks(call, arguments_text(call)),
            *(_field(part, number, len(parts)) for number, part in enumerate(parts)),
        ],
    }


def edited_fields(view: object) -> list[str]:
    """Return what was typed into the fields of the edit dialog that was submitted, in order."""
    state = view.get("state") if isinstance(view, Mapping) else None
    values = state.get("values") if isinstance(state, Mapping) else None
    if not isinstance(values, Mapping):
        return []
    found: list[str] = []
    while isinstance(block := values.get(f"{FIELD}{len(found)}"), Mapping):
        entered = block.get(FIELD_INPUT)
        value = entered.get("value") if isinstance(entered, Mapping) else None
        found.append(value if isinstance(value, str) else "")
    return found


def syntax_fault(parts: Sequence[str]) -> tuple[int, str] | None:
    """Return which field is no JSON, and a sentence about it; None when all is well written.

    Lines count within their field, as whoever typed them sees them. Whether the arguments fit the
    tool is told by whoever decides.
    """
    text = "".join(parts)
    try:
        json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        at = error.pos
        for number, part in enumerate(parts):
            if at <= len(part) or number + 1 == len(parts):
                line = part.count("\n", 0, at) + 1
                return number, f"This is not JSON: {error.msg} in line {line}."
            at -= len(part)
    except (ValueError, RecursionError):
        return None
    return None


def nonces_differ(proposal: Proposal, dialog: Dialog) -> bool:
    """Tell whether what ``dialog`` shows is not what is proposed now."""
    now = {call.approval: call.nonce for call in proposal.calls}
    return any(now.get(approval) != nonce for approval, nonce in dialog.calls)


def _asked(proposal: Proposal, dialog: Dialog) -> list[ProposedCall]:
    """Return the calls that the dialog is about, all of them or none."""
    known = {call.approval: call for call in proposal.calls}
    found = [known[approval] for approval, _ in dialog.calls if approval in known]
    return found if len(found) == len(dialog.calls) else []


def _pages(calls: Sequence[ProposedCall]) -> list[list[Block]]:
    pages: list[list[Block]] = [[]]
    room = _PAGE_CHARACTERS
    for number, call in enumerate(calls, start=1):
        title = title_block(call, number if len(calls) > 1 else 0)
        text = arguments_text(call)
        for block in (
            title,
            *warning_blocks(call, text),
            *argument_blocks(text),
            *origin_blocks(call.origins),
        ):
            needed = _width(block)
            if pages[-1] and (needed > room or len(pages[-1]) >= _PAGE_BLOCKS):
                pages.append([] if block is title else [title])
                room = _PAGE_CHARACTERS - _width(title)
            pages[-1].append(block)
            room -= needed
    return pages


def _width(block: Block) -> int:
    """Return how much text of ours or of others a block shows."""
    total = 0
    pending: list[object] = [block]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            total += width(item["text"]) if isinstance(item.get("text"), str) else 0
            pending += item.values()
        elif isinstance(item, list):
            pending += item
    return total


def _field(part: str, number: int, parts: int) -> Block:
    label = messages.EDIT_LABEL
    if parts > 1:
        label = f"{label} ({messages.page_title(number + 1, parts)})"
    block: Block = {
        "type": "input",
        "block_id": f"{FIELD}{number}",
        "label": plain(label, 150),
        "element": {
            "type": "plain_text_input",
            "action_id": FIELD_INPUT,
            "multiline": True,
            "initial_value": part,
            "max_length": _FIELD_LIMIT,
        },
    }
    if number + 1 == parts:
        block["hint"] = plain(messages.EDIT_HINT, 300)
    # One part of several may be emptied; the arguments as a whole are checked.
    return block if parts == 1 else {**block, "optional": True}
