"""The blocks, views and stream chunks of Slack, as shapes. Pure.

Source: the Block Kit reference of docs.slack.dev, and the types of the package @slack/types.
"""

from typing import Any

from bot.playground import elements as kit
from bot.playground import limits
from bot.playground.shapes import (
    Problems,
    Rule,
    anything,
    at_least_one,
    boolean,
    exactly_one,
    kind_of,
    list_of,
    note,
    number,
    one_of,
    shape,
    string,
    web_address,
)


def _block(required: dict[str, Rule], optional: dict[str, Rule], also: Rule | None = None) -> Rule:
    return shape({"type": kit.TYPE, **required}, {"block_id": string(255), **optional}, also=also)


def _one_action_id_each(value: Any, at: str, problems: Problems) -> None:
    ids = [e.get("action_id") for e in value.get("elements", []) if isinstance(e, dict)]
    for action_id in {i for i in ids if i and ids.count(i) > 1}:
        note(problems, f"`action_id` {action_id} already exists in this block", at)


_RICH = _block({"elements": list_of(kind_of(kit.RICH_ELEMENTS), minimum=0)}, {})
_RICH_OBJECT = kind_of({"rich_text": _RICH})
_CELL = kind_of({**kit.RAW_CELLS, "rich_text": _RICH})
_STATUS = one_of("pending", "in_progress", "complete", "error")
_TASK = _block(
    {"task_id": string(255, 1), "title": string(255, 1), "status": _STATUS},
    {"details": _RICH_OBJECT, "output": _RICH_OBJECT, "sources": list_of(kit.SOURCE)},
)
_CARD = _block(
    {},
    {
        "hero_image": kit.IMAGE,
        "icon": kit.IMAGE,
        "title": kit.mrkdwn(150),
        "subtitle": kit.mrkdwn(150),
        "body": kit.mrkdwn(200),
        "actions": list_of(kind_of(kit.ELEMENTS, {"button"}), 3),
    },
    also=kit.CARD_TEXT,
)
_COLUMN = shape({}, {"align": one_of("left", "center", "right"), "is_wrapped": boolean})

BLOCKS: dict[str, Rule] = {
    "section": _block(
        {},
        {
            "text": kit.any_text(3_000),
            "fields": list_of(kit.any_text(2_000), 10),
            "accessory": kind_of(kit.ELEMENTS, kit.IN_SECTION),
            "expand": boolean,
        },
        also=at_least_one("text", "fields"),
    ),
    "divider": _block({}, {}),
    "header": _block({"text": kit.plain_text(150)}, {}),
    "markdown": _block({"text": string(limits.MARKDOWN_TEXT, 1)}, {}),
    "rich_text": _RICH,
    "image": _block(
        {"alt_text": string(2_000)},
        {
            "image_url": web_address(),
            "slack_file": kit.SLACK_FILE,
            "title": kit.plain_text(2_000),
        },
        also=exactly_one("image_url", "slack_file"),
    ),
    "actions": _block(
        {"elements": list_of(kind_of(kit.ELEMENTS, kit.IN_ACTIONS), 25)},
        {},
        also=_one_action_id_each,
    ),
    "context": _block(
        {
            "elements": list_of(
                kind_of(
                    {
                        "image": kit.IMAGE,
                        "plain_text": kit.plain_text(3_000),
                        "mrkdwn": kit.mrkdwn(3_000),
                    }
                ),
                10,
            )
        },
        {},
    ),
    "context_actions": _block(
        {"elements": list_of(kind_of(kit.ELEMENTS, kit.IN_CONTEXT_ACTIONS), 5)},
        {},
        also=_one_action_id_each,
    ),
    "input": _block(
        {"label": kit.plain_text(2_000), "element": kind_of(kit.ELEMENTS, kit.IN_INPUT)},
        {"hint": kit.plain_text(2_000), "optional": boolean, "dispatch_action": boolean},
    ),
    "table": _block(
        {"rows": list_of(list_of(_CELL, 20), 100)}, {"column_settings": list_of(_COLUMN, 20)}
    ),
    "data_table": _block(
        {"rows": list_of(list_of(_CELL, 20), 100), "caption": string(255, 1)},
        {"page_size": number, "row_header_column_index": number},
    ),
    "task_card": _TASK,
    "plan": _block(
        {"title": string(255, 1)}, {"tasks": list_of(kind_of({"task_card": _TASK}), minimum=0)}
    ),
    "alert": _block(
        {"text": kit.any_text(200)},
        {"level": one_of("default", "info", "warning", "error", "success")},
    ),
    "card": _CARD,
    "carousel": _block({"elements": list_of(kind_of({"card": _CARD}), 10)}, {}),
}
_IN_CONTAINER = {
    "actions",
    "context",
    "divider",
    "header",
    "image",
    "input",
    "rich_text",
    "section",
    "table",
}
BLOCKS["container"] = _block(
    {"child_blocks": list_of(kind_of(dict(BLOCKS), _IN_CONTAINER), 10)},
    {
        "title": kit.plain_text(150),
        "rich_text_title": _RICH_OBJECT,
        "subtitle": kit.any_text(150),
        "icon": kit.IMAGE,
        "width": one_of("narrow", "standard", "wide", "full"),
        "is_collapsible": boolean,
        "default_collapsed": boolean,
        "has_header_divider": boolean,
    },
    also=at_least_one("title", "rich_text_title"),
)
ONLY_IN_MESSAGES = {
    "markdown",
    "context_actions",
    "task_card",
    "plan",
    "card",
    "carousel",
    "container",
    "table",
    "data_table",
}
_VIEW = {
    "type": kit.TYPE,
    "blocks": anything,
}
_VIEW_KEYS: dict[str, Rule] = {
    "private_metadata": string(limits.PRIVATE_METADATA),
    "callback_id": string(limits.CALLBACK_ID),
    "external_id": string(limits.EXTERNAL_ID),
}
VIEWS: dict[str, Rule] = {
    "home": shape(_VIEW, _VIEW_KEYS),
    "modal": shape(
        {**_VIEW, "title": kit.plain_text(limits.VIEW_TITLE)},
        {
            **_VIEW_KEYS,
            "close": kit.plain_text(limits.VIEW_TITLE),
            "submit": kit.plain_text(limits.VIEW_TITLE),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
        },
    ),
}
_text_chunk = shape({"type": kit.TYPE, "text": string(limits.MARKDOWN_TEXT)})
CHUNKS: dict[str, Rule] = {
    "markdown_text": _text_chunk,
    "plan_update": shape({"type": kit.TYPE, "title": string(256, 1)}),
    "task_update": shape(
        {"type": kit.TYPE, "id": string(255, 1), "title": string(256, 1), "status": _STATUS},
        {
            "details": string(256),
            "output": string(256),
            "sources": list_of(kit.SOURCE),
        },
    ),
    "blocks": shape({"type": kit.TYPE, "blocks": anything}),
}
