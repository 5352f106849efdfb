from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.models import blocks as sdk

from bot.playground.errors import SlackRefusal
from bot.playground.validation import check_chunks, check_message_blocks, check_view

Json = dict[str, Any]


def plain(text: str = "x") -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str = "x") -> Json:
    return {"type": "mrkdwn", "text": text}


def button(**more: Any) -> Json:
    return {"type": "button", "text": plain(), **more}


def modal(*blocks: Json, **more: Any) -> Json:
    return {"type": "modal", "title": plain("Footnote 1"), "blocks": list(blocks), **more}


def thumbs(**more: Any) -> Json:
    up, down = {"text": plain(), "value": "up"}, {"text": plain(), "value": "down"}
    return {"type": "feedback_buttons", "positive_button": up, "negative_button": down, **more}


def context_actions(*elements: Json) -> Json:
    return {"type": "context_actions", "elements": list(elements)}


INPUT = {"type": "input", "label": plain(), "element": {"type": "plain_text_input"}}
GOOD = [
    {"type": "divider"},
    {"type": "header", "text": plain("x" * 150)},
    {"type": "markdown", "text": "**x**"},
    {"type": "section", "text": mrkdwn("x" * 3_000), "accessory": button(value="v" * 2_000)},
    {"type": "section", "fields": [mrkdwn()] * 10},
    {"type": "context", "elements": [plain()] * 10},
    {"type": "actions", "elements": [button(action_id=str(n)) for n in range(25)]},
    {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_quote", "elements": [{"type": "text", "text": "quote"}]},
            {
                "type": "rich_text_list",
                "style": "bullet",
                "elements": [
                    {
                        "type": "rich_text_section",
                        "elements": [{"type": "link", "url": "https://x.example", "text": "x"}],
                    }
                ],
            },
        ],
    },
    context_actions(
        thumbs(
            action_id="a" * 255,
            positive_button={
                "text": plain("x" * 75),
                "value": "v" * 2_000,
                "accessibility_label": "x" * 75,
            },
        ),
        *[
            {"type": "icon_button", "icon": "trash", "text": plain(), "action_id": n}
            for n in "1234"
        ],
    ),
]
BAD = [
    ({"type": "sektion", "text": mrkdwn()}, "/blocks/0", "unsupported type: sektion"),
    ({"type": "section"}, "/blocks/0", "at least one of: text, fields"),
    ({"type": "section", "text": mrkdwn("x" * 3_001)}, "/blocks/0/text/text", "less than 3001"),
    ({"type": "section", "text": mrkdwn("")}, "/blocks/0/text/text", "more than 0"),
    ({"type": "section", "text": mrkdwn(), "txt": 1}, "/blocks/0", "additional property: txt"),
    ({"type": "header", "text": mrkdwn()}, "/blocks/0/text/type", "one of: plain_text"),
    ({"type": "header", "text": plain("x" * 151)}, "/blocks/0/text/text", "less than 151"),
    ({"type": "context", "elements": [plain()] * 11}, "/blocks/0/elements", "no more than 10"),
    ({"type": "context", "elements": [button()]}, "/blocks/0/elements/0", "type: button"),
    ({"type": "context_actions", "elements": [button()]}, "/blocks/0/elements/0", "type here"),
    ({"type": "context_actions", "elements": []}, "/blocks/0/elements", "no fewer than 1"),
    (context_actions(*[thumbs()] * 6), "/blocks/0/elements", "no more than 5"),
    ({"type": "actions", "elements": [thumbs()]}, "/blocks/0/elements/0", "type here"),
    (
        context_actions({"type": "feedback_buttons", "positive_button": {}}),
        "/blocks/0/elements/0",
        "missing required field: negative_button",
    ),
    (
        context_actions(thumbs(negative_button={"text": plain(), "value": "v" * 2_001})),
        "/elements/0/negative_button/value",
        "less than 2001",
    ),
    (
        context_actions(thumbs(negative_button={"text": mrkdwn(), "value": "v"})),
        "/elements/0/negative_button/text/type",
        "one of: plain_text",
    ),
    (
        context_actions(
            thumbs(positive_button={"text": plain(), "value": "", "accessibility_label": "x" * 76})
        ),
        "/elements/0/positive_button/accessibility_label",
        "less than 76",
    ),
    (
        {"type": "actions", "elements": [button(action_id="a"), button(action_id="a")]},
        "/blocks/0",
        "already exists",
    ),
    (
        {"type": "actions", "elements": [button(value="x" * 2_001)]},
        "/blocks/0/elements/0/value",
        "",
    ),
    ({"type": "actions", "elements": [button(style="red")]}, "/blocks/0/elements/0/style", ""),
    ({"type": "actions", "elements": [button(url="javascript:x")]}, "/elements/0/url", "valid URL"),
    ({"type": "actions", "elements": []}, "/blocks/0/elements", "no fewer than 1"),
    ({"type": "markdown", "text": "x" * 12_001}, "/blocks/0/text", "less than 12001"),
    ({"type": "image", "alt_text": "x"}, "/blocks/0", "exactly one of: image_url, slack_file"),
    ("text", "/blocks/0", "must be an object"),
]


@pytest.mark.parametrize("block", GOOD, ids=lambda b: b["type"])
def test_a_block_within_the_limits_is_taken(block: Json) -> None:
    (taken,) = check_message_blocks([block])
    assert {**taken, "block_id": ""}["type"] == block["type"]


@pytest.mark.parametrize(("block", "pointer", "words"), BAD)
def test_a_faulty_block_is_refused_with_the_place_of_the_fault(
    block: Any, pointer: str, words: str
) -> None:
    with pytest.raises(SlackRefusal) as refused:
        check_message_blocks([block])
    assert refused.value.error == "invalid_blocks"
    assert pointer in refused.value.messages[0] and words in refused.value.messages[0]


def test_what_the_sdk_builds_is_taken() -> None:
    built = [
        sdk.HeaderBlock(text="Hello").to_dict(),
        sdk.SectionBlock(
            text="*Hi*", accessory=sdk.ButtonElement(text="Open", action_id="a", value="1")
        ).to_dict(),
        sdk.ContextBlock(elements=[sdk.MarkdownTextObject(text="small")]).to_dict(),
        sdk.MarkdownBlock(text="# x").to_dict(),
        sdk.DividerBlock().to_dict(),
    ]
    assert len(check_message_blocks(built)) == len(built)


@given(st.integers(0, 60))
def test_a_message_takes_up_to_fifty_blocks(count: int) -> None:
    blocks = [{"type": "divider"}] * count
    if count <= 50:
        ids = [b["block_id"] for b in check_message_blocks(blocks)]
        assert len(set(ids)) == count
    else:
        with pytest.raises(SlackRefusal):
            check_message_blocks(blocks)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["type", "text", "elements", "block_id", "accessory", "url", "x"]),
                inner | st.sampled_from(["section", "actions", "button", "rich_text", "mrkdwn"]),
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_json_whatever_breaks_the_check(value: Any) -> None:
    for check in (
        lambda: check_message_blocks(value),
        lambda: check_view(value, "modal"),
        lambda: check_chunks(value),
    ):
        try:
            check()
        except SlackRefusal as refusal:
            assert refusal.error


def test_all_text_of_a_message_together_has_a_limit() -> None:
    blocks = [{"type": "section", "text": mrkdwn("x" * 2_700)}] * 5
    with pytest.raises(SlackRefusal, match="msg_blocks_too_long"):
        check_message_blocks(blocks)
    assert check_message_blocks(blocks[:4])


def test_markdown_blocks_share_one_limit() -> None:
    with pytest.raises(SlackRefusal, match="invalid_blocks"):
        check_message_blocks([{"type": "markdown", "text": "x" * 6_001}] * 2)


def test_block_ids_are_unique_in_a_message() -> None:
    twice = [{"type": "divider", "block_id": "a"}] * 2
    with pytest.raises(SlackRefusal) as refused:
        check_message_blocks(twice)
    assert "already exists" in refused.value.messages[0]


def test_ids_that_were_left_out_are_filled_in_without_touching_the_original() -> None:
    block = {"type": "actions", "elements": [button()]}
    (taken,) = check_message_blocks([block])
    assert taken["block_id"] and taken["elements"][0]["action_id"]
    assert "block_id" not in block and "action_id" not in block["elements"][0]


@pytest.mark.parametrize(
    "view",
    [
        modal(title=plain("x" * 25)),
        modal(private_metadata="x" * 3_001),
        modal({"type": "markdown", "text": "x"}),
        modal(*[{"type": "divider"}] * 101),
        modal(INPUT),
        modal(colour="red"),
        {"type": "home", "blocks": []},
        {"type": "modal", "title": plain()},
    ],
)
def test_a_faulty_modal_is_refused(view: Json) -> None:
    with pytest.raises(SlackRefusal, match="invalid_arguments"):
        check_view(view, "modal")


def test_a_modal_within_the_limits_is_taken() -> None:
    view = modal(INPUT, submit=plain("Save"), close=plain("x" * 24), private_metadata="x" * 3_000)
    assert check_view(view, "modal")["blocks"][0]["element"]["action_id"]


@pytest.mark.parametrize(
    "chunks",
    [
        [{"type": "markdown_text"}],
        [{"type": "task_update", "id": "1", "title": "x", "status": "done"}],
        [{"type": "table_update"}],
        {"type": "markdown_text", "text": "x"},
    ],
)
def test_faulty_chunks_are_refused(chunks: Any) -> None:
    with pytest.raises(SlackRefusal, match="invalid_chunks"):
        check_chunks(chunks)
