"""This folder comes last in the suite, so what the other tests emitted is there to be checked."""

from pathlib import Path
from typing import Any

from tests.bot.playground.scripted_app import rows, view
from tests.typescript.check import HERE, check, emitted

TEXT = {"type": "plain_text", "text": "x"}
BUTTON = {"type": "button", "text": TEXT, "action_id": "a"}
PLANTED: dict[str, Any] = {
    "unknown_block": [{"type": "sektion", "text": TEXT}],
    "missing_text": [{"type": "header"}],
    "mrkdwn_header": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
    "unknown_key": [{"type": "divider", "colour": "red"}],
    "button_in_context": [{"type": "context", "elements": [BUTTON]}],
    "bad_style": [{"type": "actions", "elements": [{**BUTTON, "style": "red"}]}],
    "text_is_a_string": [{"type": "section", "text": "x"}],
}


def test_every_payload_that_the_tests_emitted_keeps_slacks_types() -> None:
    known = {
        "scripted_rows": {"kind": "message", "blocks": rows()},
        "scripted_view": {"kind": "modal", "view": view("1")},
    }
    assert check({**known, **emitted()}) == []


def test_planted_faults_are_found_in_messages_and_in_views(tmp_path: Path) -> None:
    payloads: dict[str, Any] = {}
    for name, blocks in PLANTED.items():
        payloads[f"message_{name}"] = {"kind": "message", "blocks": blocks}
        modal = {"type": "modal", "title": TEXT, "blocks": blocks}
        payloads[f"modal_{name}"] = {"kind": "modal", "view": modal}
    payloads["modal_title"] = {"kind": "modal", "view": {"type": "modal", "blocks": []}}
    payloads["home_close"] = {"kind": "home", "view": {"type": "home", "blocks": [], "close": TEXT}}
    call = {"method": "chat.postMessage", "arguments": {"channel": "C1", "txt": "x"}}
    payloads["call"] = {"kind": "call", **call}
    complaints = check(payloads, tmp_path)
    assert {line.partition(".ts(")[0] for line in complaints} == set(payloads)


def test_calls_are_checked_against_the_sdks_own_types(tmp_path: Path) -> None:
    arguments = {"channel": "C1", "text": "x", "blocks": rows(), "thread_ts": "1.000000"}
    call = {"kind": "call", "method": "chat.postMessage", "arguments": arguments}
    assert check({"call": call}, tmp_path) == []


def test_the_lock_file_names_no_registry() -> None:
    lock = (HERE / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock and '"integrity"' in lock
