"""Open an issue on GitLab, whoever runs it.

https://docs.gitlab.com/api/issues. GitLab has no key that keeps a second try from opening a second
issue, so each carries the mark of its call, and a call looks for it among the newest issues before
it opens one.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from handlers.adapters.issue_trackers import Issues, number_in, parameters, undone
from handlers.adapters.operator_service import OperatorService, checked_address, segment
from handlers.tools.errors import ToolRefused
from handlers.tools.ports import Effect, ToolContext, ToolResult

SITE: Final = "https://gitlab.com"
_QUICK_ACTION = re.compile(r"(?m)^([ \t]*)/(?=[a-zA-Z])")


class GitLabIssues:
    """Opens issues in the projects that the operator named; undo closes one."""

    name = "open_gitlab_issue"
    description = "Open an issue in a GitLab project, for a bug or for work that is wanted."
    effect = Effect.WRITE

    def __init__(
        self,
        token: str,
        projects: Sequence[str],
        *,
        site: str = SITE,
        seconds: float = 15.0,
    ) -> None:
        """Keep the settings; nothing is asked here.

        ``token`` is an access token with the scope api; ``projects`` are full paths such as
        ``group/subgroup/name``. Raises ValueError with a sentence for the operator.
        """
        for one in projects:
            if "/" not in one or not all(one.split("/")) or one.split() != [one]:
                raise ValueError(f"{one!r} is no project; write its full path, group/name.")
        self._projects = tuple(projects)
        self._site = checked_address(site)
        self._service = OperatorService(
            "GitLab", f"{self._site}/api/v4", {"PRIVATE-TOKEN": token}, seconds=seconds
        )
        self.parameters: Mapping[str, object] = parameters(
            "project", "The project.", self._projects
        )

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Open the issue, unless this call has opened it. Raises ToolRefused, ToolUnavailable."""
        project = self._project(arguments)
        text = without_quick_actions(str(arguments["body"]))
        answer = await self._issues(project).opened_once(context, str(arguments["title"]), text)
        return self._opened(project, answer)

    async def done_before(
        self, arguments: Mapping[str, object], context: ToolContext
    ) -> ToolResult | None:
        """Return the issue that this call opened. Raises ToolRefused, ToolUnavailable."""
        project = self._project(arguments)
        before = await self._issues(project).opened_before(context)
        return None if before is None else self._opened(project, before)

    async def undo(self, undo: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Close the issue. Raises ToolRefused, ToolUnavailable."""
        project, number = undone(undo, "project", self._projects)
        await self._service.ask(
            "PUT",
            f"/projects/{segment(project)}/issues/{number}",
            body={"state_event": "close"},
            deadline=context.deadline,
        )
        return ToolResult(f"Issue {project}#{number} was closed.")

    def _project(self, arguments: Mapping[str, object]) -> str:
        project = str(arguments["project"])
        if project not in self._projects:
            raise ToolRefused("Issues may not be opened in that project.")
        return project

    def _issues(self, project: str) -> Issues:
        newest = {"scope": "all", "order_by": "created_at", "sort": "desc"}
        path = f"/projects/{segment(project)}/issues"
        return Issues(self._service, path, newest, "description")

    def _opened(self, project: str, answer: Any) -> ToolResult:
        number = number_in(answer, "iid")
        return ToolResult(
            f"Issue {project}#{number} is open.",
            url=f"{self._site}/{'/'.join(map(segment, project.split('/')))}/-/issues/{number}",
            undo={"project": project, "number": number},
        )


def without_quick_actions(text: str) -> str:
    """Return a text whose lines command nothing: GitLab runs ``/close`` or ``/assign`` in a text.

    A backslash before the slash is not shown. Pure.
    """
    return _QUICK_ACTION.sub(r"\1\/", text)
