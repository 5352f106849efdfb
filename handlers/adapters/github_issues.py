"""Open an issue on GitHub, or on a GitHub Enterprise Server.

https://docs.github.com/rest/issues/issues, version 2022-11-28. GitHub has no key that keeps a
second try from opening a second issue, so each carries the mark of its call, and a call looks for
it among the newest issues before it opens one.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from handlers.adapters.issue_trackers import Issues, number_in, parameters, undone
from handlers.adapters.operator_service import OperatorService, checked_address, segment
from handlers.tools.errors import ToolRefused
from handlers.tools.ports import Effect, ToolContext, ToolResult

API: Final = "https://api.github.com"
VERSION: Final = "2022-11-28"


class GitHubIssues:
    """Opens issues in the repositories that the operator named; undo closes one as not planned."""

    name = "open_github_issue"
    description = "Open an issue in a GitHub repository, for a bug or for work that is wanted."
    effect = Effect.WRITE

    def __init__(
        self,
        token: str,
        repositories: Sequence[str],
        *,
        api: str = API,
        seconds: float = 15.0,
    ) -> None:
        """Keep the settings; nothing is asked here.

        ``token`` needs to read and write issues of these ``repositories``, each ``owner/name``.
        ``api`` is https://HOST/api/v3 for an Enterprise Server. Raises ValueError with a sentence
        for the operator.
        """
        for one in repositories:
            if one.count("/") != 1 or not all(one.split("/")) or one.split() != [one]:
                raise ValueError(f"{one!r} is no repository; write owner/name.")
        self._repositories = tuple(repositories)
        self._site = site_of(checked_address(api))
        self._service = OperatorService(
            "GitHub",
            checked_address(api),
            {
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {token}",
                "X-GitHub-Api-Version": VERSION,
            },
            seconds=seconds,
        )
        self.parameters: Mapping[str, object] = parameters(
            "repository", "The repository.", self._repositories
        )

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Open the issue, unless this call has opened it. Raises ToolRefused, ToolUnavailable."""
        repository = self._repository(arguments)
        issues = self._issues(repository)
        answer = await issues.opened_once(context, str(arguments["title"]), str(arguments["body"]))
        return self._opened(repository, answer)

    async def done_before(
        self, arguments: Mapping[str, object], context: ToolContext
    ) -> ToolResult | None:
        """Return the issue that this call opened. Raises ToolRefused, ToolUnavailable."""
        repository = self._repository(arguments)
        before = await self._issues(repository).opened_before(context)
        return None if before is None else self._opened(repository, before)

    async def undo(self, undo: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Close the issue. Raises ToolRefused, ToolUnavailable."""
        repository, number = undone(undo, "repository", self._repositories)
        await self._service.ask(
            "PATCH",
            f"{_path(repository)}/issues/{number}",
            body={"state": "closed", "state_reason": "not_planned"},
            deadline=context.deadline,
        )
        return ToolResult(f"Issue {repository}#{number} was closed.")

    def _repository(self, arguments: Mapping[str, object]) -> str:
        repository = str(arguments["repository"])
        if repository not in self._repositories:
            raise ToolRefused("Issues may not be opened in that repository.")
        return repository

    def _issues(self, repository: str) -> Issues:
        newest = {"state": "all", "sort": "created", "direction": "desc"}
        return Issues(self._service, f"{_path(repository)}/issues", newest, "body")

    def _opened(self, repository: str, answer: Any) -> ToolResult:
        number = number_in(answer, "number")
        return ToolResult(
            f"Issue {repository}#{number} is open.",
            url=f"{self._site}{_path(repository).removeprefix('/repos')}/issues/{number}",
            undo={"repository": repository, "number": number},
        )


def site_of(api: str) -> str:
    """Return where people open what the API at a checked address made. Pure."""
    return re.sub(r"^(https?://)api\.", r"\1", api).removesuffix("/api/v3")


def _path(repository: str) -> str:
    owner, name = repository.split("/")
    return f"/repos/{segment(owner)}/{segment(name)}"
