import asyncio

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.playground import Playground
from tests.bot.playground.refusal import refusal_of


@pytest.mark.parametrize("way", ["get", "query", "form", "json"])
async def test_arguments_are_read_from_every_place_the_sdk_puts_them(
    slack: Playground, way: str
) -> None:
    arguments = {"channel": "CGENERAL", "text": "hello"}
    url = slack.api_url + "chat.postMessage"
    headers = {"Authorization": "Bearer xoxb-playground"}
    async with aiohttp.ClientSession(headers=headers) as session:
        if way == "get":
            response = await session.get(url, params=arguments)
        elif way == "query":
            response = await session.post(url, params=arguments)
        elif way == "form":
            response = await session.post(url, data=arguments)
        else:
            response = await session.post(url, json=arguments)
        answer = await response.json()
    assert answer["ok"] and answer["message"]["text"] == "hello"


async def test_a_token_in_a_field_is_as_good_as_one_in_the_header(slack: Playground) -> None:
    async with aiohttp.ClientSession() as session:
        response = await session.post(
            slack.api_url + "auth.test", data={"token": "xoxb-playground"}
        )
        assert (await response.json())["user_id"] == "UFOOTNOTE"
    assert slack.calls[-1].arguments == {}, "a token is never kept"


@pytest.mark.parametrize(
    ("token", "method", "error"),
    [
        ("", "auth.test", "not_authed"),
        ("xoxb-other", "auth.test", "invalid_auth"),
        ("xoxb-playground", "apps.connections.open", "not_allowed_token_type"),
        ("xapp-playground", "chat.postMessage", "not_allowed_token_type"),
        ("xoxb-playground", "chat.meMessage", "unknown_method"),
    ],
)
async def test_a_call_without_the_right_token_or_method_is_refused(
    slack: Playground, token: str, method: str, error: str
) -> None:
    client = AsyncWebClient(token=token or None, base_url=slack.api_url)
    assert (await refusal_of(client.api_call(method)))["error"] == error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"text": "x"}, "missing required field: channel"),
        ({"channel": "CGENERAL", "txet": "x"}, "unknown argument: txet"),
        ({"channel": "CGENERAL", "text": 7}, "must be a string"),
        ({"channel": "CGENERAL", "text": "x", "unfurl_links": "maybe"}, "must be a boolean"),
    ],
)
async def test_missing_unknown_and_misshapen_arguments_are_named(
    client: AsyncWebClient, arguments: dict[str, object], words: str
) -> None:
    answer = await refusal_of(client.api_call("chat.postMessage", json=arguments))
    assert answer["error"] == "invalid_arguments"
    assert words in answer["response_metadata"]["messages"][0]


async def test_a_body_that_is_no_json_object_is_refused(slack: Playground) -> None:
    headers = {"Authorization": "Bearer xoxb-playground", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session:
        for body, error in (("{", "invalid_json"), ("[]", "json_not_object")):
            response = await session.post(slack.api_url + "api.test", data=body)
            assert (await response.json())["error"] == error


async def test_calls_are_kept_with_arguments_and_answers(
    slack: Playground, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(channel="CGENERAL", text="hello")
    method, arguments, response = slack.calls[-1]
    assert (method, arguments["text"], response["ok"]) == ("chat.postMessage", "hello", True)


async def test_an_injected_failure_strikes_once_and_does_no_work(
    slack: Playground, client: AsyncWebClient
) -> None:
    slack.fail_next("chat.postMessage", "ratelimited", retry_after=7)
    with pytest.raises(SlackApiError) as failure:
        await client.chat_postMessage(channel="CGENERAL", text="once")
    response = failure.value.response
    assert response.status_code == 429 and response.headers["Retry-After"] == "7"
    assert slack.messages("general") == []
    await client.chat_postMessage(channel="CGENERAL", text="twice")
    assert [m["text"] for m in slack.messages("general")] == ["twice"]


async def test_a_connection_can_be_cut_after_the_work_was_done(
    slack: Playground, client: AsyncWebClient
) -> None:
    slack.fail_next("chat.postMessage", after=True, cut=True)
    client.retry_handlers = []
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel="CGENERAL", text="did it arrive?")
    assert [m["text"] for m in slack.messages("general")] == ["did it arrive?"]


@pytest.mark.parametrize("after", [False, True])
async def test_a_call_can_be_held_before_its_work_or_behind_it(
    slack: Playground, client: AsyncWebClient, after: bool
) -> None:
    failure = slack.fail_next("chat.postMessage", delay=0.3, after=after)
    held = asyncio.create_task(client.chat_postMessage(channel="CGENERAL", text="slow"))
    await slack.wait_until(lambda: failure.begun)
    assert len(slack.messages("general")) == after
    await held
    assert len(slack.messages("general")) == 1
