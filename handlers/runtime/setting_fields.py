"""Every setting: its name, its default, what it may hold and what it means. Pure.

Here are those of Slack. Each group has a file of its own, and all of them together make Settings:
setting_fields, _documents, _answers, _search, _agent, _mcp, _aws.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from handlers.runtime import setting_kinds as kinds
from handlers.runtime.secret import SecretStr


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of a setting besides its type.

    ``shown`` stands for the default in the table, ``also`` is a second name that is read.
    """

    group: str
    name: str
    parse: Callable[[str], object]
    meaning: str
    shown: str = ""
    also: str = ""


_SLACK = "Slack"


@dataclass(frozen=True, kw_only=True)
class SlackFields:
    """The values of the settings of the Slack app."""

    slack_bot_token: Annotated[
        SecretStr | None,
        Setting(
            _SLACK,
            "SLACK_BOT_TOKEN",
            kinds.token("xoxb-", "xoxe.xoxb-", where='"OAuth & Permissions" of your Slack app'),
            "Bot User OAuth Token, `xoxb-…`.",
        ),
    ] = None
    slack_signing_secret: Annotated[
        SecretStr | None,
        Setting(
            _SLACK,
            "SLACK_SIGNING_SECRET",
            kinds.signing_secret,
            "Signing Secret; needed when Slack posts to `/slack/events`.",
        ),
    ] = None
    slack_app_token: Annotated[
        SecretStr | None,
        Setting(
            _SLACK,
            "SLACK_APP_TOKEN",
            kinds.token("xapp-", where='"Basic Information" of your Slack app, App-Level Tokens'),
            "App-level token, `xapp-…`. When set, Footnote connects by Socket Mode and needs no "
            "public address.",
        ),
    ] = None
    slack_api_url: Annotated[
        str,
        Setting(
            _SLACK,
            "SLACK_API_URL",
            kinds.url_folder,
            "Slack's Web API, or any server that speaks it.",
        ),
    ] = "https://slack.com/api/"
