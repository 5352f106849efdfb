"""The permissions of the app: one list in the code, the same one in the manifest."""

from pathlib import Path

import yaml

from bot.client import make_client
from bot.playground import Playground
from bot.scopes import BOT_SCOPES, HEADER, scopes_header, scopes_in

ROOT = Path(__file__).parents[2]


def test_the_code_asks_for_what_the_manifest_asks_for() -> None:
    manifest = yaml.safe_load((ROOT / "infra" / "manifest.yml").read_text("utf-8"))
    assert sorted(manifest["oauth_config"]["scopes"]["bot"]) == sorted(BOT_SCOPES)


def test_a_header_is_read_as_it_was_written() -> None:
    assert scopes_in(scopes_header({"chat:write", "commands"})) == {"chat:write", "commands"}
    assert scopes_in(" chat:write, commands ,") == {"chat:write", "commands"}
    assert scopes_in("") == frozenset()


async def test_the_playground_says_what_a_token_may_do_even_when_it_refuses() -> None:
    async with Playground(signing_secret="s", bot_token="xoxb-1", scopes=["commands"]) as slack:
        answer = await make_client("xoxb-1", slack.api_url).auth_test()
        assert answer.headers[HEADER] == "commands"
        refused = await make_client("xoxb-1", slack.api_url).api_call(
            "api.test", json={"foo": "bar"}
        )
        assert refused.headers[HEADER] == "commands"
