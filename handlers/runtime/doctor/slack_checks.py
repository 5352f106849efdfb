"""What `footnote doctor` asks Slack: the tokens, their permissions, the channels, the time."""

import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.client import make_client
from bot.errors import TROUBLE, code_of
from bot.listings import next_page, rows, word
from bot.scopes import HEADER, scopes_in
from handlers.runtime.doctor import verdicts
from handlers.runtime.doctor.findings import Finding, failed, ok, skipped, warning
from handlers.runtime.doctor.signed_requests import EndpointUnreachable, EventsEndpoint
from handlers.runtime.settings import SecretStr, Settings

TOKEN, SCOPES, SOCKET = "Slack token", "Slack permissions", "Socket Mode"
EVENTS, CHANNELS, CLOCK = "Slack events", "Slack channels", "clock"

ACK_SECONDS = 3.0
_PAGES = 10
_NO_TOKEN = "SLACK_BOT_TOKEN is not set."  # noqa: S105 - a sentence
_SET_TOKEN = 'Copy the Bot User OAuth Token from "OAuth & Permissions" of your Slack app.'  # noqa: S105
_UNREACHABLE = "See whether this machine can reach SLACK_API_URL."


async def token_findings(settings: Settings) -> list[Finding]:
    """Ask Slack who the bot is, and read from the answer what the token may do."""
    client = _client(settings)
    if client is None:
        return [failed(TOKEN, _NO_TOKEN, _SET_TOKEN), skipped(SCOPES, _NO_TOKEN)]
    try:
        answer = await client.auth_test()
    except TROUBLE as error:
        found = _trouble(TOKEN, error, _SET_TOKEN)
        return [found, skipped(SCOPES, "Slack did not take the token.")]
    headers = {str(name).lower(): value for name, value in answer.headers.items()}
    granted = headers.get(HEADER)
    who = f"The bot is {word(answer, 'user')} in {word(answer, 'team')}."
    scopes = scopes_in(str(granted)) if granted is not None else None
    return [ok(TOKEN, who), verdicts.scopes_verdict(SCOPES, scopes)]


async def channel_findings(settings: Settings) -> list[Finding]:
    """List the channels that the bot is in."""
    client = _client(settings)
    if client is None:
        return [skipped(CHANNELS, _NO_TOKEN)]
    names, shared, cursor = [], 0, ""
    try:
        for _ in range(_PAGES):
            answer = await client.users_conversations(
                types="public_channel,private_channel",
                exclude_archived=True,
                limit=200,
                cursor=cursor or None,
            )
            for row in rows(answer, "channels"):
                names.append(word(row, "name") or word(row, "id"))
                shared += row.get("is_ext_shared") is True
            cursor = next_page(answer)
            if not cursor:
                break
    except TROUBLE as error:
        if code_of(error) == "missing_scope":
            return [skipped(CHANNELS, "The token may not list them; see Slack permissions.")]
        return [_trouble(CHANNELS, error, _SET_TOKEN)]
    return [verdicts.channels_verdict(CHANNELS, names, shared)]


async def socket_findings(settings: Settings) -> list[Finding]:
    """Ask Slack for a connection by Socket Mode, without using it."""
    if settings.slack_app_token is None:
        return [skipped(SOCKET, "SLACK_APP_TOKEN is not set, so Slack posts its events.")]
    token = settings.slack_app_token.get_secret_value()
    client = make_client(token, settings.slack_api_url)
    try:
        await client.apps_connections_open(app_token=token)
    except TROUBLE as error:
        todo = (
            'Make an app-level token with the scope connections:write under "Basic Information", '
            "and see that Socket Mode is switched on."
        )
        return [_trouble(SOCKET, error, todo)]
    return [ok(SOCKET, "Slack lets the bot connect.")]


async def event_findings(
    settings: Settings, events_url: str, *, clock: Callable[[], float] = time.time
) -> list[Finding]:
    """Send the address that Slack posts to a signed challenge, if there is one."""
    secret = settings.slack_signing_secret
    if secret is None:
        if settings.slack_app_token is not None and not events_url:
            return [skipped(EVENTS, "They come by Socket Mode.")]
        return [
            failed(
                EVENTS,
                "SLACK_SIGNING_SECRET is not set, so nothing that Slack posts can be believed.",
                'Copy it from "Basic Information" of your Slack app; or set SLACK_APP_TOKEN to '
                "connect by Socket Mode.",
            )
        ]
    if not events_url:
        return [skipped(EVENTS, "The signing secret is set; give --events-url to try it out.")]
    return [await challenge_finding(EVENTS, events_url, secret, clock=clock)]


async def challenge_finding(
    check: str, events_url: str, secret: SecretStr, *, clock: Callable[[], float] = time.time
) -> Finding:
    """Judge how an address answers the challenge that Slack sends when it is entered."""
    endpoint = EventsEndpoint(events_url, secret.get_secret_value(), clock=clock)
    try:
        reply, right = await endpoint.challenge()
    except EndpointUnreachable as error:
        return failed(check, str(error), "See whether it is deployed, or `footnote serve` runs.")
    if right and reply.seconds > ACK_SECONDS:
        return warning(
            check,
            f"The challenge was answered after {reply.seconds:.1f} s; Slack waits {ACK_SECONDS:g}.",
            "Try again: a first start is slower. If it stays slow, give the function more memory.",
        )
    if right:
        return ok(check, f"The challenge was answered in {reply.seconds:.2f} s.")
    if reply.status == 401:
        return failed(
            check,
            "The address refused our signature (401).",
            "SLACK_SIGNING_SECRET differs between here and there, or one of the clocks is wrong.",
        )
    return failed(
        check,
        f"The challenge was answered with status {reply.status} and not as Slack expects it.",
        "See whether the address ends in /slack/events, and what the log there says.",
    )


async def clock_findings(
    settings: Settings, *, clock: Callable[[], float] = time.time
) -> list[Finding]:
    """Compare the clock with Slack's, or with that of AWS where Slack does not answer."""
    places = [("Slack", f"{settings.slack_api_url}api.test")]
    if settings.aws_endpoint_url or settings.aws_region:
        default = f"https://sts.{settings.aws_region}.amazonaws.com/"
        places.append(("AWS", settings.aws_endpoint_url or default))
    for whose, url in places:
        ahead = await _seconds_ahead(url, clock)
        if ahead is not None:
            return [verdicts.clock_verdict(CLOCK, ahead, whose)]
    return [skipped(CLOCK, "No server told its time.")]


async def _seconds_ahead(url: str, clock: Callable[[], float]) -> float | None:
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=4)) as session:
            sent = clock()
            async with session.get(url, allow_redirects=False) as response:
                here = (sent + clock()) / 2
        there = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    except (aiohttp.ClientError, OSError, ValueError):
        return None
    # The header has whole seconds, cut off.
    return here - (there + 0.5)


def _client(settings: Settings) -> AsyncWebClient | None:
    if settings.slack_bot_token is None:
        return None
    return make_client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url)


def _trouble(check: str, error: BaseException, todo: str) -> Finding:
    code = code_of(error)
    if isinstance(error, SlackApiError) and code and code != "ratelimited":
        return failed(check, f"Slack refused it: {code}.", todo)
    if code:
        return warning(check, "Slack asked to wait (ratelimited).", "Try again in a minute.")
    return failed(check, f"Slack did not answer ({type(error).__name__}).", _UNREACHABLE)
