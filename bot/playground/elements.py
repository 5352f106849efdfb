"""The composition objects and elements of Block Kit, as shapes. Pure.

Source: the Block Kit reference of docs.slack.dev, and the types of the package @slack/types.
"""

from typing import Any

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

COLOUR = one_of("primary", "danger")
TYPE = anything  # the caller looked at ``type`` to find the shape


def plain_text(maximum: int, minimum: int = 1) -> Rule:
    """Return the rule of a ``plain_text`` object."""
    return shape(
        {"type": one_of("plain_text"), "text": string(maximum, minimum)}, {"emoji": boolean}
    )


def mrkdwn(maximum: int) -> Rule:
    """Return the rule of a ``mrkdwn`` object."""
    return shape({"type": one_of("mrkdwn"), "text": string(maximum, 1)}, {"verbatim": boolean})


def any_text(maximum: int) -> Rule:
    """Return the rule of a text object of either kind."""
    return kind_of({"plain_text": plain_text(maximum), "mrkdwn": mrkdwn(maximum)})


CONFIRM = shape(
    {"text": any_text(300)},
    {"title": plain_text(100), "confirm": plain_text(30), "deny": plain_text(30), "style": COLOUR},
)
DISPATCH = shape(
    {}, {"trigger_actions_on": list_of(one_of("on_enter_pressed", "on_character_entered"))}
)
OPTION = shape(
    {"text": any_text(75), "value": string(150)},
    {"description": any_text(75), "url": web_address()},
)
OPTION_GROUP = shape({"label": plain_text(75), "options": list_of(OPTION, 100)})
FILTER = shape(
    {},
    {
        "include": list_of(one_of("im", "mpim", "private", "public")),
        "exclude_external_shared_channels": boolean,
        "exclude_bot_users": boolean,
    },
)
SLACK_FILE = shape({}, {"url": web_address(), "id": string(255)}, also=exactly_one("url", "id"))
IMAGE = shape(
    {"type": TYPE, "alt_text": string(2_000)},
    {"image_url": web_address(), "slack_file": SLACK_FILE},
    also=exactly_one("image_url", "slack_file"),
)
SOURCE = shape({"type": one_of("url"), "url": web_address(), "text": string(255, 1)})

_FIELD = 3_000
_action: dict[str, Rule] = {"action_id": string(255)}
_confirm: dict[str, Rule] = {"confirm": CONFIRM}
_focus: dict[str, Rule] = {"focus_on_load": boolean}
_hint: dict[str, Rule] = {"placeholder": plain_text(150)}
_dispatch: dict[str, Rule] = {"dispatch_action_config": DISPATCH}
_choose: dict[str, Rule] = {**_action, **_confirm, **_focus, **_hint}
_many: dict[str, Rule] = {**_choose, "max_selected_items": number}
_options: dict[str, Rule] = {
    "options": list_of(OPTION, 100),
    "option_groups": list_of(OPTION_GROUP, 100),
}
_typed: dict[str, Rule] = {**_action, **_focus, **_hint, **_dispatch, "initial_value": string()}
_feedback = shape(
    {"text": plain_text(75), "value": string(2_000)}, {"accessibility_label": string(75)}
)


def _element(
    required: dict[str, Rule], optional: dict[str, Rule], also: Rule | None = None
) -> Rule:
    return shape({"type": TYPE, **required}, optional, also=also)


def _select(kind: str, single: str, more: dict[str, Rule]) -> dict[str, Rule]:
    """Return the shapes of a select menu and of its multi-select twin."""
    initial = OPTION if "option" in single else string(255)
    return {
        kind: _element({}, {**_choose, single: initial, **more}),
        f"multi_{kind}": _element({}, {**_many, f"{single}s": list_of(initial, 100), **more}),
    }


def _has_options(value: Any, at: str, problems: Problems) -> None:
    exactly_one("options", "option_groups")(value, at, problems)


def _fits_its_field(value: Any, at: str, problems: Problems) -> None:
    most = value.get("max_length", _FIELD)
    if isinstance(most, int) and not 0 < most <= _FIELD:
        note(problems, f"must be between 1 and {_FIELD}", f"{at}/max_length")
    elif isinstance(most, int):
        string(most)(value.get("initial_value", ""), f"{at}/initial_value", problems)


SELECTS: dict[str, Rule] = {
    "static_select": _element(
        {}, {**_choose, **_options, "initial_option": OPTION}, also=_has_options
    ),
    "multi_static_select": _element(
        {}, {**_many, **_options, "initial_options": list_of(OPTION, 100)}, also=_has_options
    ),
    **_select("external_select", "initial_option", {"min_query_length": number}),
    **_select("users_select", "initial_user", {}),
    **_select(
        "conversations_select",
        "initial_conversation",
        {
            "default_to_current_conversation": boolean,
            "filter": FILTER,
            "response_url_enabled": boolean,
        },
    ),
    **_select("channels_select", "initial_channel", {"response_url_enabled": boolean}),
}

ELEMENTS: dict[str, Rule] = {
    **SELECTS,
    "button": _element(
        {"text": plain_text(75)},
        {
            **_action,
            **_confirm,
            "url": web_address(),
            "value": string(2_000),
            "style": COLOUR,
            "accessibility_label": string(75),
        },
    ),
    "workflow_button": _element(
        {"text": plain_text(75), "workflow": anything},
        {**_action, **_confirm, "style": COLOUR, "accessibility_label": string(75)},
    ),
    "overflow": _element({"options": list_of(OPTION, 5)}, {**_action, **_confirm}),
    "image": IMAGE,
    "checkboxes": _element(
        {"options": list_of(OPTION, 10)},
        {**_action, **_confirm, **_focus, "initial_options": list_of(OPTION, 10)},
    ),
    "radio_buttons": _element(
        {"options": list_of(OPTION, 10)},
        {**_action, **_confirm, **_focus, "initial_option": OPTION},
    ),
    "datepicker": _element({}, {**_choose, "initial_date": string(10, 10)}),
    "timepicker": _element({}, {**_choose, "initial_time": string(5, 5), "timezone": string(255)}),
    "datetimepicker": _element({}, {**_action, **_confirm, **_focus, "initial_date_time": number}),
    "plain_text_input": _element(
        {},
        {**_typed, "multiline": boolean, "min_length": number, "max_length": number},
        also=_fits_its_field,
    ),
    "email_text_input": _element({}, _typed),
    "url_text_input": _element({}, _typed),
    "number_input": _element(
        {"is_decimal_allowed": boolean}, {**_typed, "min_value": string(), "max_value": string()}
    ),
    "rich_text_input": _element(
        {}, {**_typed, "initial_value": anything, "min_lines": number, "max_lines": number}
    ),
    "file_input": _element({}, {**_action, "filetypes": list_of(string(50)), "max_files": number}),
    "feedback_buttons": _element(
        {"positive_button": _feedback, "negative_button": _feedback}, _action
    ),
    "icon_button": _element(
        {"icon": one_of("trash"), "text": plain_text(75)},
        {
            **_action,
            **_confirm,
            "value": string(2_000),
            "accessibility_label": string(75),
            "visible_to_user_ids": list_of(string(255)),
        },
    ),
}

_PICKERS = {"datepicker", "timepicker", "checkboxes", "radio_buttons"}
IN_SECTION = {"button", "workflow_button", "overflow", "image", *_PICKERS, *SELECTS}
IN_ACTIONS = {
    "button",
    "workflow_button",
    "overflow",
    "datetimepicker",
    "rich_text_input",
    *_PICKERS,
    *SELECTS,
}
IN_CONTEXT_ACTIONS = {"feedback_buttons", "icon_button"}
IN_INPUT = {
    "plain_text_input",
    "email_text_input",
    "url_text_input",
    "number_input",
    "rich_text_input",
    "file_input",
    "datetimepicker",
    *_PICKERS,
    *SELECTS,
}

_STYLE = shape(
    {},
    dict.fromkeys(
        (
            "bold",
            "italic",
            "strike",
            "code",
            "underline",
            "highlight",
            "client_highlight",
            "unlink",
        ),
        boolean,
    ),
)
_style: dict[str, Rule] = {"style": _STYLE}
RICH_PARTS: dict[str, Rule] = {
    "text": _element({"text": string(minimum=1)}, _style),
    "link": _element({"url": web_address()}, {**_style, "text": string(), "unsafe": boolean}),
    "user": _element({"user_id": string(255, 1)}, _style),
    "usergroup": _element({"usergroup_id": string(255, 1)}, _style),
    "channel": _element({"channel_id": string(255, 1)}, _style),
    "team": _element({"team_id": string(255, 1)}, _style),
    "emoji": _element({"name": string(255, 1)}, {**_style, "unicode": string(), "url": string()}),
    "color": _element({"value": string(7, 4)}, _style),
    "broadcast": _element({"range": one_of("here", "channel", "everyone")}, _style),
    "date": _element(
        {"timestamp": number, "format": string(minimum=1)},
        {**_style, "url": web_address(), "fallback": string()},
    ),
}
_parts = list_of(kind_of(RICH_PARTS), minimum=0)
_section = _element({"elements": _parts}, {})
RICH_ELEMENTS: dict[str, Rule] = {
    "rich_text_section": _section,
    "rich_text_list": _element(
        {
            "elements": list_of(kind_of({"rich_text_section": _section}), minimum=0),
            "style": one_of("bullet", "ordered"),
        },
        {"indent": number, "border": number, "offset": number},
    ),
    "rich_text_quote": _element({"elements": _parts}, {"border": number}),
    "rich_text_preformatted": _element(
        {"elements": _parts}, {"border": number, "language": string()}
    ),
}
RAW_CELLS: dict[str, Rule] = {
    "raw_text": _element({"text": string(minimum=1)}, {}),
    "raw_number": _element({"value": number, "text": string(minimum=1)}, {}),
}
CARD_TEXT = at_least_one("hero_image", "title", "actions", "body")
