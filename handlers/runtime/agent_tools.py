"""From settings to the tools of the agent: the built-in ones, and those that an operator set up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from handlers.runtime import agent_files
from handlers.runtime.settings import SecretStr, Settings, SettingsError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from bot.client import SlackClient
    from handlers.tools.builtin.save_card import Cards
    from handlers.tools.ports import Tool
    from index.ports import Embedder, VectorIndex
    from index.retrieval import Retriever


def built_in(
    settings: Settings,
    client: SlackClient,
    index: VectorIndex,
    embedder: Embedder,
    retriever: Retriever,
) -> list[Tool]:
    """Return the tools that come with Footnote, as far as they are set up. Raises SettingsError."""
    from handlers.tools.builtin.list_sources import ListSources
    from handlers.tools.builtin.open_section import OpenSection
    from handlers.tools.builtin.post_message import PostMessage
    from handlers.tools.builtin.search_documents import SearchDocuments
    from handlers.tools.builtin.search_slack import SearchSlack
    from handlers.tools.builtin.set_reminder import SetReminder
    from handlers.tools.builtin.summarise import Summarise

    return [
        SearchDocuments(retriever),
        OpenSection(index, embedder),
        ListSources(index),
        SearchSlack(client),
        Summarise(client),
        PostMessage(client),
        SetReminder(client),
        *set_up(settings),
    ]


def set_up(settings: Settings) -> list[Tool]:
    """Return the tools that work with what an operator named. Raises SettingsError."""
    problems: list[str] = []
    found: list[Tool] = []
    for make in (_cards, _github, _gitlab, _jira, _webhooks):
        try:
            found += make(settings)
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
    return found


def _github(settings: Settings) -> Iterator[Tool]:
    from handlers.adapters.github_issues import GitHubIssues

    if settings.github_repositories:
        with _told("FOOTNOTE_GITHUB_URL and FOOTNOTE_GITHUB_REPOSITORIES"):
            yield GitHubIssues(
                _secret(settings.github_token),
                settings.github_repositories.split(),
                api=settings.github_url,
            )


def _gitlab(settings: Settings) -> Iterator[Tool]:
    from handlers.adapters.gitlab_issues import GitLabIssues

    if settings.gitlab_projects:
        with _told("FOOTNOTE_GITLAB_URL and FOOTNOTE_GITLAB_PROJECTS"):
            yield GitLabIssues(
                _secret(settings.gitlab_token),
                settings.gitlab_projects.split(),
                site=settings.gitlab_url,
            )


def _jira(settings: Settings) -> Iterator[Tool]:
    from handlers.adapters.jira_issues import JiraIssues

    if settings.jira_projects:
        with _told("FOOTNOTE_JIRA_URL and FOOTNOTE_JIRA_PROJECTS"):
            yield JiraIssues(
                settings.jira_email,
                _secret(settings.jira_token),
                settings.jira_projects.split(),
                site=settings.jira_url,
            )


def _webhooks(settings: Settings) -> Iterator[Tool]:
    from handlers.adapters.webhooks import SendWebhook

    if hooks := agent_files.hooks(settings):
        with _told("FOOTNOTE_WEBHOOKS"):
            yield SendWebhook(hooks)


def _cards(settings: Settings) -> Iterator[Tool]:
    from handlers.tools.builtin.save_card import SaveCard

    if settings.cards:
        yield SaveCard(_place_of_cards(settings))


def _place_of_cards(settings: Settings) -> Cards:
    """Return where cards are kept: in a source that everybody can look up. Raises SettingsError."""
    from handlers.adapters.aws import make_client
    from handlers.adapters.card_files import FolderCards, S3Cards
    from handlers.adapters.s3_source import S3Options
    from handlers.runtime.sources import declared_sources
    from index.errors import CatalogInvalid
    from index.sources.files import FolderOptions

    try:
        declared = {one.name: one for one in declared_sources(settings)}
    except CatalogInvalid as error:
        raise SettingsError(list(error.problems)) from None
    found = declared.get(settings.cards)
    options = found.options if found else None
    if isinstance(options, FolderOptions):
        beside = settings.sources.absolute().parent if settings.sources else Path.cwd()
        return FolderCards(beside / options.path.expanduser(), url=options.url)
    if isinstance(options, S3Options):

        def client() -> S3Client:
            return make_client("s3", settings.aws_client_options())

        # What is no plain folder on the web has no address for a card.
        url = "" if "{" in options.url else options.url
        return S3Cards(client, options.bucket, options.prefix, url=url)
    raise SettingsError(
        [f"FOOTNOTE_CARDS is {settings.cards}, which is no source of kind folder or s3. Name one."]
    )


@contextmanager
def _told(names: str) -> Iterator[None]:
    """Turn the ValueError of an adapter, a sentence for the operator, into a SettingsError."""
    try:
        yield
    except ValueError as error:
        raise SettingsError([f"{names}: {error}"]) from None


def _secret(value: SecretStr | None) -> str:
    return value.get_secret_value() if value else ""
