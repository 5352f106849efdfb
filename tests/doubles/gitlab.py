"""A stand-in for GitLab's issues (REST API v4), quick actions included.

Unlike GitLab it refuses fields that are not documented, which would hide a misspelt one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.doubles.stand_in import Refused, StandIn, json_object

TITLE, DESCRIPTION = 255, 1_048_576
_CREATE = {"title", "description", "labels", "confidential", "due_date", "issue_type", "weight"}
_UPDATE = {*_CREATE, "state_event"}
_LIST = {
    "scope": ("created_by_me", "assigned_to_me", "all"),
    "state": ("all", "opened", "closed"),
    "order_by": ("created_at", "updated_at", "title"),
    "sort": ("asc", "desc"),
}
_QUICK_ACTION = re.compile(r"(?m)^[ \t]*/(close|confidential|assign\b.*|label\b.*)$")


@dataclass
class Issue:
    """An issue; ``commanded`` are the quick actions that its description ran."""

    iid: int
    title: str
    description: str
    state: str = "opened"
    commanded: list[str] = field(default_factory=list)


class GitLab(StandIn):
    """One GitLab with one token and some projects, by their full paths."""

    def __init__(self, *projects: str, token: str = "glpat-stand-in") -> None:
        super().__init__()
        self.token = token
        self.projects: dict[str, list[Issue]] = {name: [] for name in projects}

    def issues(self, project: str) -> list[Issue]:
        """Return the issues of a project, oldest first."""
        return self.projects[project]

    def _answer(self, request: web.Request, content: bytes) -> tuple[int, Any, Mapping[str, str]]:
        if request.headers.get("PRIVATE-TOKEN") != self.token:
            raise Refused(401, {"message": "401 Unauthorized"})
        parts = request.raw_path.partition("?")[0].split("/")[1:]
        if parts[:3] != ["api", "v4", "projects"] or len(parts) not in (5, 6):
            raise Refused(404, {"error": "404 Not Found"})
        project = unquote(parts[3])
        issues = self.projects.get(project)
        if issues is None or parts[4] != "issues":
            raise Refused(404, {"message": "404 Project Not Found"})
        if len(parts) == 5 and request.method == "GET":
            return 200, self._listed(request, project, issues), {}
        if len(parts) == 5 and request.method == "POST":
            issue = _created(_body(request, content), issues)
            return 201, self._shown(project, issue), {}
        found = [one for one in issues if len(parts) == 6 and parts[5] == str(one.iid)]
        if not found:
            raise Refused(404, {"message": "404 Not found"})
        if request.method == "PUT":
            _update(found[0], _body(request, content))
        elif request.method != "GET":
            raise Refused(405, {"error": "405 Not Allowed"})
        return 200, self._shown(project, found[0]), {}

    def _listed(
        self, request: web.Request, project: str, issues: list[Issue]
    ) -> list[dict[str, Any]]:
        query = dict(request.query)
        for key, value in query.items():
            good = value.isdecimal() if key in ("per_page", "page") else value in _LIST.get(key, ())
            if not good:
                raise Refused(400, {"error": f"{key} does not have a valid value"})
        found = issues[::-1] if query.get("sort", "desc") == "desc" else list(issues)
        size = min(int(query.get("per_page", "20")), 100)
        return [self._shown(project, one) for one in found[:size]]

    def _shown(self, project: str, issue: Issue) -> dict[str, Any]:
        return {
            "id": 5_000 + issue.iid,
            "iid": issue.iid,
            "project_id": 7,
            "title": issue.title,
            "description": issue.description,
            "state": issue.state,
            "web_url": f"{self.url}/{project}/-/issues/{issue.iid}",
        }


def _body(request: web.Request, content: bytes) -> dict[str, Any]:
    return json_object(request, content, Refused(400, {"error": "The body could not be parsed"}))


def _created(body: dict[str, Any], issues: list[Issue]) -> Issue:
    _check(body, _CREATE)
    if not body.get("title"):
        raise Refused(400, {"error": "title is missing"})
    description = body.get("description") or ""
    issue = Issue(len(issues) + 1, body["title"], _QUICK_ACTION.sub("", description).strip())
    issue.commanded = [found[1] for found in _QUICK_ACTION.finditer(description)]
    if "close" in issue.commanded:
        issue.state = "closed"
    issues.append(issue)
    return issue


def _update(issue: Issue, body: dict[str, Any]) -> None:
    _check(body, _UPDATE)
    event = body.get("state_event")
    if event not in (None, "close", "reopen"):
        raise Refused(400, {"error": "state_event does not have a valid value"})
    if event:
        issue.state = "closed" if event == "close" else "opened"


def _check(body: dict[str, Any], known: set[str]) -> None:
    for name in body.keys() - known:
        raise Refused(400, {"error": f"{name} is invalid"})
    for name, most in (("title", TITLE), ("description", DESCRIPTION)):
        value = body.get(name)
        if value is not None and not isinstance(value, str):
            raise Refused(400, {"error": f"{name} is invalid"})
        if value is not None and len(value) > most:
            raise Refused(400, {"message": {name: [f"is too long (maximum is {most} characters)"]}})
