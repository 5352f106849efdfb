"""Parameters over real HTTP: all of them, decrypted, and a sentence when they cannot be read."""

import socket
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from handlers.adapters.aws import make_client
from handlers.adapters.parameters import ParametersUnreadable
from handlers.runtime.deployed import deployed_settings
from handlers.runtime.settings import SettingsError
from tests.doubles.aws import Aws, aws_environment, client_options, running_aws


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with running_aws() as running:
        yield running


@pytest.fixture
def path(aws: Aws) -> str:
    return f"/footnote/{uuid.uuid4().hex}/"


def keep(aws: Aws, path: str, **parameters: str) -> None:
    ssm = make_client("ssm", client_options(aws.endpoint))
    for name, value in parameters.items():
        ssm.put_parameter(Name=f"{path}{name}", Value=value, Type="SecureString", Overwrite=True)
    ssm.close()


def environ(endpoint: str, path: str, **more: str) -> dict[str, str]:
    return {"FOOTNOTE_PARAMETERS": path, **aws_environment(endpoint), **more}


async def test_all_parameters_are_read_however_many_pages_they_fill(aws: Aws, path: str) -> None:
    whole = {
        "FOOTNOTE_PORT": "1", "FOOTNOTE_WORKERS": "2", "FOOTNOTE_PASSAGES": "3",
        "FOOTNOTE_ANSWER_SECONDS": "44", "FOOTNOTE_SYNC_MINUTES": "5", "FOOTNOTE_HOST": "h",
        "FOOTNOTE_CONTEXT_CHARACTERS": "6000", "FOOTNOTE_LOG_LEVEL": "DEBUG",
        "FOOTNOTE_HOME": "/h", "FOOTNOTE_DOCS": "/d", "OPENAI_MODEL": "m",
        "OPENAI_API_KEY": "sk-key", "SLACK_BOT_TOKEN": "xoxb-1-abc",
    }  # fmt: skip
    keep(aws, path, **whole)
    keep(aws, path.replace("/footnote/", "/another/"), FOOTNOTE_PORT="9")
    settings = await deployed_settings(environ(aws.endpoint, path, FOOTNOTE_WORKERS="7"))
    assert (settings.port, settings.workers, settings.passages) == (1, 7, 3)
    # A model in the one place and its key in the other fit together.
    assert settings.openai_model == "m"
    assert settings.slack_bot_token is not None
    assert settings.slack_bot_token.get_secret_value() == "xoxb-1-abc"


async def test_a_key_among_the_parameters_completes_a_model_in_the_environment(
    aws: Aws, path: str
) -> None:
    keep(aws, path, OPENAI_API_KEY="sk-key")
    settings = await deployed_settings(environ(aws.endpoint, path, OPENAI_MODEL="m"))
    assert settings.openai_api_key is not None


async def test_problems_of_both_places_are_told_at_once(aws: Aws, path: str) -> None:
    keep(aws, path, SLACK_TOKEN="zq7Secret9", FOOTNOTE_PORT="http")
    keep(aws, f"{path}deeper/", OPENAI_API_KEY="zq7Secret9")
    with pytest.raises(SettingsError) as raised:
        await deployed_settings(environ(aws.endpoint, path, FOOTNOTE_WORKERS="none"))
    text = str(raised.value)
    assert len(raised.value.problems) == 2
    for name in ("FOOTNOTE_PORT", "FOOTNOTE_WORKERS"):
        assert name in text
    assert "zq7Secret9" not in text


async def test_without_a_path_nothing_is_asked() -> None:
    nowhere = environ("http://127.0.0.1:9", "")
    assert (await deployed_settings(nowhere)).parameters == ""


async def test_a_wrong_path_is_told_together_with_everything_else() -> None:
    with pytest.raises(SettingsError) as raised:
        await deployed_settings(environ("http://127.0.0.1:9", "dev", FOOTNOTE_PORT="http"))
    assert [problem.split()[0] for problem in raised.value.problems] == [
        "FOOTNOTE_PORT",
        "FOOTNOTE_PARAMETERS",
    ]


@asynccontextmanager
async def refusing() -> AsyncIterator[str]:
    """A server that denies every call as AWS does."""

    async def deny(request: web.Request) -> web.Response:
        kind = {"__type": "AccessDeniedException", "Message": "zq7Secret9 is not authorized"}
        return web.json_response(kind, status=400, content_type="application/x-amz-json-1.1")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", deny)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_a_denied_call_names_path_code_and_permission() -> None:
    async with refusing() as endpoint:
        with pytest.raises(SettingsError) as raised:
            await deployed_settings(environ(endpoint, "/footnote/dev/"))
    [problem] = raised.value.problems
    assert isinstance(raised.value.__cause__, ParametersUnreadable)
    for part in ("/footnote/dev/,", "AccessDeniedException", "ssm:GetParametersByPath",
                 "parameter/footnote/dev/*", "kms:Decrypt"):  # fmt: skip
        assert part in problem
    assert "zq7Secret9" not in problem


async def test_a_store_that_is_away_is_told_in_seconds() -> None:
    with socket.socket() as bound:
        # Bound but not listening: connections are refused at once.
        bound.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{bound.getsockname()[1]}"
        with pytest.raises(SettingsError, match="EndpointConnectionError"):
            await deployed_settings(environ(endpoint, "/footnote/dev/"))
