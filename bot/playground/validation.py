"""Are these blocks, this view, these chunks fit for Slack? Pure.

Every function raises ``SlackRefusal`` with the error Slack uses and, in ``errors`` and
``response_metadata.messages``, one sentence a problem with the JSON pointer of the place.
"""

import copy
import itertools
from collections.abc import Iterator
from typing import Any

from bot.playground import limits
from bot.playground.block_shapes import BLOCKS, CHUNKS, ONLY_IN_MESSAGES, VIEWS
from bot.playground.errors import SlackRefusal
from bot.playground.shapes import Problems, kind_of, list_of, note

Blocks = list[dict[str, Any]]


def check_message_blocks(blocks: Any) -> Blocks:
    """Return a copy of the blocks of a message, every block and element with its id."""
    problems = _problems(blocks, "/blocks", limits.MESSAGE_BLOCKS, set(BLOCKS))
    if not problems:
        markdown = sum(len(b["text"]) for b in blocks if b["type"] == "markdown")
        if markdown > limits.MARKDOWN_TEXT:
            note(problems, "markdown blocks may hold 12000 characters together", "/blocks")
    _refuse("invalid_blocks", problems)
    if sum(map(len, _texts(blocks))) > limits.MESSAGE_BLOCK_CHARACTERS:
        raise SlackRefusal("msg_blocks_too_long")
    return completed(blocks)


def check_view(view: Any, surface: str) -> dict[str, Any]:
    """Return a copy of a view of this ``surface`` (modal, home), its blocks completed."""
    problems: Problems = []
    if not isinstance(view, dict) or view.get("type") != surface:
        note(problems, f"must be a {surface} view", "/view/type")
        _refuse("invalid_arguments", problems)
    VIEWS[surface](view, "/view", problems)
    blocks = view.get("blocks")
    problems += _problems(
        blocks, "/view/blocks", limits.VIEW_BLOCKS, set(BLOCKS) - ONLY_IN_MESSAGES
    )
    inputs = isinstance(blocks, list) and any(
        isinstance(b, dict) and b.get("type") == "input" for b in blocks
    )
    if surface == "modal" and inputs and "submit" not in view:
        note(problems, "must define `submit` to use an `input` block in modals", "/view")
    _refuse("invalid_arguments", problems)
    if len(repr(view).encode()) > limits.VIEW_BYTES:
        raise SlackRefusal("view_too_large")
    return {**copy.deepcopy(view), "blocks": completed(view["blocks"])}


def check_chunks(chunks: Any) -> list[dict[str, Any]]:
    """Return the chunks of a stream; blocks inside a chunk are completed."""
    problems: Problems = []
    list_of(kind_of(CHUNKS), minimum=0)(chunks, "/chunks", problems)
    _refuse("invalid_chunks", problems)
    return [
        {**chunk, "blocks": check_message_blocks(chunk["blocks"])}
        if chunk["type"] == "blocks"
        else dict(chunk)
        for chunk in chunks
    ]


def completed(blocks: Blocks) -> Blocks:
    """Return a copy in which every block and every element that acts has an id, as Slack gives."""
    whole = [copy.deepcopy(block) for block in blocks]  # apart, even when one is listed twice
    taken = {b.get("block_id") for b in whole}
    fresh = (name for n in itertools.count(1) if (name := f"b{n}") not in taken)
    for block in whole:
        block.setdefault("block_id", next(fresh))
        for number_, element in enumerate(acting_elements(block), start=1):
            element.setdefault("action_id", f"a{number_}")
    return whole


def acting_elements(block: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the interactive elements of a block, those of its children included."""
    found = [block.get("accessory"), block.get("element"), *block.get("actions", [])]
    if block.get("type") in ("actions", "context_actions"):
        found += block["elements"]
    yield from (e for e in found if isinstance(e, dict) and e.get("type") != "image")
    nested = [*block.get("child_blocks", [])]
    if block.get("type") == "carousel":
        nested += block["elements"]
    for child in nested:
        yield from acting_elements(child)


def _problems(blocks: Any, at: str, maximum: int, allowed: set[str]) -> Problems:
    problems: Problems = []
    list_of(kind_of(BLOCKS, allowed), maximum, minimum=0)(blocks, at, problems)
    if isinstance(blocks, list):
        ids = [b.get("block_id") for b in blocks if isinstance(b, dict)]
        for block_id in {i for i in ids if isinstance(i, str) and i and ids.count(i) > 1}:
            note(problems, f"`block_id` {block_id} already exists", at)
    return problems


def _texts(value: Any) -> Iterator[str]:
    """Yield every text a reader would see."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ("text", "title", "alt_text") and isinstance(item, str):
                yield item
            else:
                yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _refuse(error: str, problems: Problems) -> None:
    if problems:
        raise SlackRefusal(error, *problems, errors=list(problems))
