"""The settings of agent mode, with those of setting_fields_search.py below them. Pure."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from handlers.runtime import setting_kinds as kinds
from handlers.runtime.secret import SecretStr
from handlers.runtime.setting_fields import Setting
from handlers.runtime.setting_fields_search import SearchFields

_AGENT = "Agent mode"


@dataclass(frozen=True, kw_only=True)
class AgentFields(SearchFields):
    """The values of the settings of the agent: whether it acts, how much, and with which tools."""

    agent: Annotated[
        str,
        Setting(
            _AGENT,
            "FOOTNOTE_AGENT",
            kinds.one_of("ON", "OFF"),
            "Whether a mention that begins with `agent` is worked on with tools. It needs a model "
            "that calls tools; every fetch and every write waits for a human.",
        ),
    ] = "OFF"
    agent_approvers: Annotated[
        str,
        Setting(
            _AGENT,
            "FOOTNOTE_AGENT_APPROVERS",
            kinds.user_ids,
            "Slack user ids of those who may approve, with spaces between.",
            shown="every full member in the room",
        ),
    ] = ""
    agent_approval_hours: Annotated[
        float,
        Setting(
            _AGENT,
            "FOOTNOTE_AGENT_APPROVAL_HOURS",
            kinds.number(0.001, 168),
            "How long a proposal waits for a decision before it lapses.",
        ),
    ] = 24.0
    agent_policy: Annotated[
        Path | None,
        Setting(
            _AGENT,
            "FOOTNOTE_AGENT_POLICY",
            kinds.path,
            "TOML file with the calls that need no human: exactly that tool, with exactly such "
            "arguments.",
        ),
    ] = None
    agent_turns: Annotated[
        int,
        Setting(
            _AGENT,
            "FOOTNOTE_AGENT_TURNS",
            kinds.whole(2, 100),
            "Most turns of the model in one run; the last one must conclude.",
        ),
    ] = 12
    agent_tokens: Annotated[
        int,
        Setting(
            _AGENT,
            "FOOTNOTE_AGENT_TOKENS",
            kinds.whole(1000, 10000000),
            "Most tokens of one run, read and written.",
        ),
    ] = 150000
    agent_seconds: Annotated[
        float,
        Setting(
            _AGENT,
            "FOOTNOTE_AGENT_SECONDS",
            kinds.number(10, 3600),
            "Most seconds of work in one run; waiting for a human is not counted.",
        ),
    ] = 300.0
    agent_cost: Annotated[
        float,
        Setting(
            _AGENT,
            "FOOTNOTE_AGENT_COST",
            kinds.number(0, 1000),
            "Most US dollars of one run, by the prices of the model; 0 sets no limit.",
        ),
    ] = 0.5
    agent_tools: Annotated[
        str,
        Setting(
            _AGENT,
            "FOOTNOTE_AGENT_TOOLS",
            kinds.one_of("NATIVE", "SCHEMA"),
            "How the model is told of tools: natively, or as text with an answer held to a JSON "
            "Schema, for servers that return tool calls as text.",
        ),
    ] = "NATIVE"
    mcp: Annotated[
        Path | None,
        Setting(
            _AGENT,
            "FOOTNOTE_MCP",
            kinds.path,
            "TOML file of the MCP servers whose tools the agent may propose.",
        ),
    ] = None
    webhooks: Annotated[
        Path | None,
        Setting(
            _AGENT,
            "FOOTNOTE_WEBHOOKS",
            kinds.path,
            "TOML file of the webhooks that the agent may propose to send.",
        ),
    ] = None
    tool_secrets: Annotated[
        SecretStr | None,
        Setting(
            _AGENT,
            "FOOTNOTE_TOOL_SECRETS",
            kinds.secrets,
            "Tokens that those two files name, `name=value` with spaces between.",
        ),
    ] = None
    cards: Annotated[
        str,
        Setting(
            _AGENT,
            "FOOTNOTE_CARDS",
            kinds.text,
            "Name of a source in the catalog, of kind `folder` or `s3`, that the agent may propose "
            "to save cards in.",
        ),
    ] = ""
    github_url: Annotated[
        str,
        Setting(
            _AGENT,
            "FOOTNOTE_GITHUB_URL",
            kinds.url,
            "GitHub's API; `https://HOST/api/v3` for an Enterprise Server.",
        ),
    ] = "https://api.github.com"
    github_repositories: Annotated[
        str,
        Setting(
            _AGENT,
            "FOOTNOTE_GITHUB_REPOSITORIES",
            kinds.text,
            "Repositories that issues may be opened in, such as `acme/handbook`, with spaces "
            "between.",
        ),
    ] = ""
    github_token: Annotated[
        SecretStr | None,
        Setting(
            _AGENT,
            "FOOTNOTE_GITHUB_TOKEN",
            kinds.secret,
            "Token that may read and write issues there, and nothing else.",
        ),
    ] = None
    gitlab_url: Annotated[
        str,
        Setting(_AGENT, "FOOTNOTE_GITLAB_URL", kinds.url, "GitLab, or a server of your own."),
    ] = "https://gitlab.com"
    gitlab_projects: Annotated[
        str,
        Setting(
            _AGENT,
            "FOOTNOTE_GITLAB_PROJECTS",
            kinds.text,
            "Projects that issues may be opened in, such as `acme/handbook`, with spaces between.",
        ),
    ] = ""
    gitlab_token: Annotated[
        SecretStr | None,
        Setting(
            _AGENT,
            "FOOTNOTE_GITLAB_TOKEN",
            kinds.secret,
            "Access token of those projects, with the scope `api`.",
        ),
    ] = None
    jira_url: Annotated[
        str,
        Setting(
            _AGENT,
            "FOOTNOTE_JIRA_URL",
            kinds.url,
            "Your Jira Cloud, such as `https://acme.atlassian.net`.",
        ),
    ] = ""
    jira_projects: Annotated[
        str,
        Setting(
            _AGENT,
            "FOOTNOTE_JIRA_PROJECTS",
            kinds.text,
            "Keys of projects that issues may be opened in, such as `OPS`, with spaces between.",
        ),
    ] = ""
    jira_email: Annotated[
        str,
        Setting(
            _AGENT,
            "FOOTNOTE_JIRA_EMAIL",
            kinds.text,
            "E-mail address of the account that opens them.",
        ),
    ] = ""
    jira_token: Annotated[
        SecretStr | None,
        Setting(_AGENT, "FOOTNOTE_JIRA_TOKEN", kinds.secret, "API token of that account."),
    ] = None
