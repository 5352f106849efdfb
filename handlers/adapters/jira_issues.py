"""Open an issue in Jira Cloud.

https://developer.atlassian.com/cloud/jira/platform/rest/v3. Jira has no key that keeps a second try
from opening a second issue, so each bears the name of its call as a property, and a call looks for
it among the newest issues of its own account before it opens one. Jira's search may lag seconds
behind: a try that follows at once could still open a second one.
"""

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from handlers.adapters.issue_trackers import RECENT, listing, parameters
from handlers.adapters.operator_service import OperatorService, checked_address
from handlers.tools.errors import ToolRefused
from handlers.tools.ports import Effect, ToolContext, ToolResult
from handlers.work.jobs import opaque

PROPERTY: Final = "footnote.call"
_PROJECT = re.compile(r"[A-Z][A-Z0-9_]{1,31}")
_KEY = re.compile(r"([A-Z][A-Z0-9_]{1,31})-[1-9][0-9]{0,9}")


class JiraIssues:
    """Opens issues in the projects that the operator named; undo moves one to a done status."""

    name = "open_jira_issue"
    description = "Open an issue in a Jira project, for a bug or for work that is wanted."
    effect = Effect.WRITE

    def __init__(
        self,
        email: str,
        token: str,
        projects: Sequence[str],
        *,
        site: str,
        issue_type: str = "Task",
        seconds: float = 15.0,
    ) -> None:
        """Keep the settings; nothing is asked here.

        ``email`` and ``token`` are those of an account with an API token, ``projects`` are keys,
        ``site`` is https://COMPANY.atlassian.net. Raises ValueError with a sentence for the
        operator.
        """
        for one in projects:
            if not _PROJECT.fullmatch(one):
                raise ValueError(f"{one!r} is no key of a project; write it as Jira does: WEB.")
        self._projects = tuple(projects)
        self._site = checked_address(site)
        self._issue_type = issue_type
        account = base64.b64encode(f"{email}:{token}".encode()).decode()
        self._service = OperatorService(
            "Jira",
            f"{self._site}/rest/api/3",
            {"Accept": "application/json", "Authorization": f"Basic {account}"},
            seconds=seconds,
        )
        self.parameters: Mapping[str, object] = parameters(
            "project", "The key of the project.", self._projects
        )

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Open the issue, unless this call has opened it. Raises ToolRefused, ToolUnavailable."""
        project = self._project(arguments)
        named = opaque(context.call)[:32]
        key = await self._opened_before(project, named, context)
        if not key:
            fields = {
                "project": {"key": project},
                "issuetype": {"name": self._issue_type},
                "summary": str(arguments["title"]),
                "description": document(str(arguments["body"])),
            }
            answer = await self._service.ask(
                "POST",
                "/issue",
                body={"fields": fields, "properties": [{"key": PROPERTY, "value": named}]},
                deadline=context.deadline,
            )
            key = self._key(answer, project)
        if not key:
            raise ToolRefused("Jira took the issue, but did not say which key it has.")
        return self._opened(key)

    async def done_before(
        self, arguments: Mapping[str, object], context: ToolContext
    ) -> ToolResult | None:
        """Return the issue that this call opened. Raises ToolRefused, ToolUnavailable.

        One that Jira's search does not know yet is not found.
        """
        project = self._project(arguments)
        key = await self._opened_before(project, opaque(context.call)[:32], context)
        return self._opened(key) if key else None

    async def undo(self, undo: Mapping[str, object], context: ToolContext) -> ToolResult:
        """Move the issue to a done status. Raises ToolRefused, ToolUnavailable."""
        key = undo.get("key")
        found = _KEY.fullmatch(key) if isinstance(key, str) else None
        if found is None or found[1] not in self._projects:
            raise ToolRefused("It is not known any more which issue that was.")
        path = f"/issue/{found[0]}/transitions"
        answer = await self._service.ask("GET", path, deadline=context.deadline)
        done = _transition_to_done(answer)
        if not done:
            raise ToolRefused(f"The workflow of {key} has no way from here to a done status.")
        await self._service.ask(
            "POST", path, body={"transition": {"id": done}}, deadline=context.deadline
        )
        return ToolResult(f"Issue {key} was closed.")

    def _project(self, arguments: Mapping[str, object]) -> str:
        project = str(arguments["project"])
        if project not in self._projects:
            raise ToolRefused("Issues may not be opened in that project.")
        return project

    def _opened(self, key: str) -> ToolResult:
        return ToolResult(
            f"Issue {key} is open.", url=f"{self._site}/browse/{key}", undo={"key": key}
        )

    async def _opened_before(self, project: str, named: str, context: ToolContext) -> str:
        answer = await self._service.ask(
            "POST",
            "/search/jql",
            body={
                "jql": f'project = "{project}" AND creator = currentUser() ORDER BY created DESC',
                "maxResults": RECENT,
                "fields": ["summary"],
                "properties": [PROPERTY],
            },
            deadline=context.deadline,
        )
        for one in listing(answer.get("issues") if isinstance(answer, dict) else None):
            about = one.get("properties") if isinstance(one, dict) else None
            if isinstance(about, dict) and about.get(PROPERTY) == named:
                return self._key(one, project)
        return ""

    def _key(self, answer: Any, project: str) -> str:
        """Return the key of an issue, or "" for anything that is none of this project."""
        key = answer.get("key") if isinstance(answer, dict) else None
        found = _KEY.fullmatch(key) if isinstance(key, str) else None
        return found[0] if found is not None and found[1] == project else ""


def document(text: str) -> dict[str, object]:
    """Return a text in Atlassian's document format: a paragraph for each block of lines. Pure.

    Markdown stays as it is written: nothing in it becomes a link or a mention.
    """
    paragraphs: list[object] = []
    whole = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    for block in re.split(r"\n\s*\n", whole):
        content: list[object] = []
        for line in block.split("\n"):
            if content:
                content.append({"type": "hardBreak"})
            if line:
                content.append({"type": "text", "text": line})
        paragraphs.append({"type": "paragraph", "content": content})
    return {"type": "doc", "version": 1, "content": paragraphs}


def _transition_to_done(answer: Any) -> str:
    rows = answer.get("transitions") if isinstance(answer, dict) else None
    for row in rows if isinstance(rows, list) else ():
        to = row.get("to") if isinstance(row, dict) else None
        category = to.get("statusCategory") if isinstance(to, dict) else None
        if isinstance(category, dict) and category.get("key") == "done":
            return str(row.get("id", ""))
    return ""
