"""What `footnote doctor` says of Slack, asked over real HTTP."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.playground import Playground
from bot.scopes import BOT_SCOPES
from handlers.runtime import wiring
from handlers.runtime.doctor import slack_checks
from handlers.runtime.doctor.findings import Finding, Verdict
from handlers.runtime.http import EVENTS_PATH, serve_http
from handlers.runtime.settings import Settings

SECRET = "a-signing-secret"
NOWHERE = "http://127.0.0.1:9/"
OK, SKIPPED, WARNING, FAILED = Verdict


def settings_for(slack: Playground, **more: str) -> Settings:
    return Settings.load(
        {
            "SLACK_BOT_TOKEN": "xoxb-1",
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": slack.api_url,
        }
        | more
    )


def playground(scopes: frozenset[str] = BOT_SCOPES) -> Playground:
    return Playground(signing_secret=SECRET, bot_token="xoxb-1", app_token="xapp-1", scopes=scopes)


@pytest.fixture
async def slack() -> AsyncIterator[Playground]:
    async with playground() as running:
        yield running


@asynccontextmanager
async def the_bot(settings: Settings, home: Path) -> AsyncIterator[str]:
    """The real Slack app behind real HTTP, as `footnote serve` runs it, without a worker."""
    settings = settings.replaced(home=home)
    queue, client = wiring.laptop_queue(settings), wiring.slack_client(settings)
    async with wiring.opened_store(settings) as store:
        app = wiring.slack_app(settings, client, queue, store)
        async with serve_http(app, host="127.0.0.1", port=0) as address:
            yield f"{address}{EVENTS_PATH}"
    await queue.close()


def verdicts(findings: list[Finding]) -> list[Verdict]:
    return [finding.verdict for finding in findings]


async def test_a_good_token_tells_who_the_bot_is_and_what_it_may_do(slack: Playground) -> None:
    found = await slack_checks.token_findings(settings_for(slack))
    assert verdicts(found) == [OK, OK]
    assert "Playground" in found[0].found


async def test_a_missing_permission_is_named() -> None:
    async with playground(BOT_SCOPES - {"groups:history"}) as slack:
        found = await slack_checks.token_findings(settings_for(slack))
    assert verdicts(found) == [OK, FAILED]
    assert "groups:history" in found[1].found
    assert "manifest" in found[1].todo


@pytest.mark.parametrize("code", ["token_revoked", "account_inactive", "invalid_auth"])
async def test_a_token_that_slack_refuses_is_failed_in_slacks_words(
    slack: Playground, code: str
) -> None:
    slack.fail_next("auth.test", code)
    found = await slack_checks.token_findings(settings_for(slack))
    assert verdicts(found) == [FAILED, SKIPPED]
    assert code in found[0].found
    assert "xoxb-1" not in str(found)


async def test_slack_out_of_reach_is_no_matter_of_the_token(slack: Playground) -> None:
    found = await slack_checks.token_findings(settings_for(slack, SLACK_API_URL=NOWHERE))
    assert verdicts(found) == [FAILED, SKIPPED]
    assert "SLACK_API_URL" in found[0].todo


async def test_without_a_token_the_setting_is_named(slack: Playground) -> None:
    settings = settings_for(slack, SLACK_BOT_TOKEN="")
    assert "SLACK_BOT_TOKEN" in (await slack_checks.token_findings(settings))[0].found
    assert verdicts(await slack_checks.channel_findings(settings)) == [SKIPPED]


async def test_the_channels_of_the_bot_are_listed(slack: Playground) -> None:
    [found] = await slack_checks.channel_findings(settings_for(slack))
    assert found.verdict is OK
    assert "#general" in found.found
    assert "random" not in found.found


async def test_a_bot_in_no_channel_is_told_to_be_invited(slack: Playground) -> None:
    for conversation in slack.workspace.conversations.values():
        conversation.members = [m for m in conversation.members if m != "UFOOTNOTE"]
    [found] = await slack_checks.channel_findings(settings_for(slack))
    assert found.verdict is WARNING
    assert "/invite" in found.todo


async def test_channels_that_may_not_be_listed_point_to_the_permissions(slack: Playground) -> None:
    slack.fail_next("users.conversations", "missing_scope")
    assert verdicts(await slack_checks.channel_findings(settings_for(slack))) == [SKIPPED]


async def test_socket_mode_is_tried_with_the_app_token(slack: Playground) -> None:
    good = settings_for(slack, SLACK_APP_TOKEN="xapp-1")
    assert verdicts(await slack_checks.socket_findings(good)) == [OK]
    bad = settings_for(slack, SLACK_APP_TOKEN="xapp-2")
    [found] = await slack_checks.socket_findings(bad)
    assert found.verdict is FAILED
    assert "connections:write" in found.todo
    assert "xapp-2" not in str(found)


async def test_the_address_answers_a_signed_challenge(slack: Playground, tmp_path: Path) -> None:
    settings = settings_for(slack)
    async with the_bot(settings, tmp_path) as address:
        assert verdicts(await slack_checks.event_findings(settings, address)) == [OK]
        other = settings.replaced(slack_signing_secret="another-secret")
        [found] = await slack_checks.event_findings(other, address)
        assert found.verdict is FAILED
        assert "SLACK_SIGNING_SECRET" in found.todo
        [elsewhere] = await slack_checks.event_findings(settings, f"{address}/elsewhere")
        assert elsewhere.verdict is FAILED
        assert "404" in elsewhere.found


@pytest.mark.parametrize(
    ("given", "address", "verdict"),
    [
        ({}, "", SKIPPED),
        ({}, NOWHERE, FAILED),
        ({"SLACK_SIGNING_SECRET": ""}, "", FAILED),
        ({"SLACK_SIGNING_SECRET": "", "SLACK_APP_TOKEN": "xapp-1"}, "", SKIPPED),
    ],
)
async def test_events_come_by_an_address_or_by_socket_mode(
    slack: Playground, given: dict[str, str], address: str, verdict: Verdict
) -> None:
    found = await slack_checks.event_findings(settings_for(slack, **given), address)
    assert verdicts(found) == [verdict]


@pytest.mark.parametrize(("off", "verdict"), [(0, OK), (100, WARNING), (-400, FAILED)])
async def test_the_clock_is_compared_with_slacks(
    slack: Playground, off: float, verdict: Verdict
) -> None:
    settings = settings_for(slack)
    found = await slack_checks.clock_findings(settings, clock=lambda: time.time() + off)
    assert verdicts(found) == [verdict]


async def test_where_slack_is_silent_the_clock_is_compared_with_that_of_aws(
    slack: Playground,
) -> None:
    settings = settings_for(slack, SLACK_API_URL=NOWHERE, AWS_ENDPOINT_URL=slack.url)
    [found] = await slack_checks.clock_findings(settings)
    assert (found.verdict, "AWS" in found.found) == (OK, True)
