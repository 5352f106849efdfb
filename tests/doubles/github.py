"""A stand-in for GitHub's issues (REST API, version 2022-11-28): as strict as the documentation.

    async with GitHub({"acme/web": Repository()}) as github:
        tool = GitHubIssues(github.token, ["acme/web"], api=github.url)
    github.issues("acme/web")

Unlike GitHub it refuses fields that are not documented, which would hide a misspelt one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.doubles.stand_in import Refused, StandIn, json_object

DOCS = "https://docs.github.com/rest/issues/issues#create-an-issue"
VERSIONS = ("2022-11-28",)
TITLE, BODY = 256, 65_536
_CREATE = {"title", "body", "labels", "assignees", "milestone", "assignee", "type"}
_UPDATE = {*_CREATE, "state", "state_reason"}
_REASONS = (None, "completed", "not_planned", "duplicate", "reopened")
_LIST = {
    "state": ("open", "closed", "all"),
    "sort": ("created", "updated", "comments"),
    "direction": ("asc", "desc"),
}


@dataclass
class Issue:
    """An issue; ``reason`` says why it is closed."""

    number: int
    title: str
    body: str
    state: str = "open"
    reason: str | None = None


@dataclass
class Repository:
    """A repository of which the token may see and do this much."""

    issues: list[Issue] = field(default_factory=list)
    has_issues: bool = True
    may_write: bool = True


class GitHub(StandIn):
    """One GitHub with one token."""

    def __init__(
        self, repositories: Mapping[str, Repository], *, token: str = "ghp_stand_in"
    ) -> None:
        super().__init__()
        self.token = token
        self.repositories = dict(repositories)

    def issues(self, repository: str) -> list[Issue]:
        """Return the issues of a repository, oldest first."""
        return self.repositories[repository].issues

    def _answer(self, request: web.Request, content: bytes) -> tuple[int, Any, Mapping[str, str]]:
        self._admit(request)
        parts = [unquote(part) for part in request.raw_path.partition("?")[0].split("/")[1:]]
        if len(parts) not in (4, 5) or parts[0] != "repos" or parts[3] != "issues":
            raise _not_found()
        name = f"{parts[1]}/{parts[2]}"
        repository = self.repositories.get(name)
        if repository is None:
            raise _not_found()
        if not repository.has_issues:
            raise Refused(410, {"message": "Issues are disabled for this repo", "status": "410"})
        if len(parts) == 4 and request.method == "GET":
            return 200, self._listed(request, name, repository), {}
        if len(parts) == 4 and request.method == "POST":
            issue = self._created(_body(request, content), repository)
            place = f"{self.url}/repos/{name}/issues/{issue.number}"
            return 201, self._shown(name, issue), {"Location": place}
        found = [
            one for one in repository.issues if len(parts) == 5 and parts[4] == str(one.number)
        ]
        if not found or request.method not in ("GET", "PATCH"):
            raise _not_found()
        if request.method == "PATCH":
            _update(found[0], _body(request, content), repository)
        return 200, self._shown(name, found[0]), {}

    def _admit(self, request: web.Request) -> None:
        headers = request.headers
        if not headers.get("User-Agent"):
            raise Refused(403, {"message": "Request forbidden by administrative rules."})
        version = headers.get("X-GitHub-Api-Version", VERSIONS[0])
        if version not in VERSIONS:
            raise Refused(400, {"message": f"API version {version} is not supported."})
        if headers.get("Accept", "*/*") not in ("*/*", "application/vnd.github+json"):
            raise Refused(415, {"message": "Unsupported 'Accept' header."})
        if headers.get("Authorization") != f"Bearer {self.token}":
            raise Refused(401, {"message": "Bad credentials", "status": "401"})

    def _listed(
        self, request: web.Request, name: str, repository: Repository
    ) -> list[dict[str, Any]]:
        query = dict(request.query)
        for key, value in query.items():
            good = value.isdecimal() if key in ("per_page", "page") else value in _LIST.get(key, ())
            if not good:
                raise _invalid("Issue", key, "invalid")
        state = query.get("state", "open")
        found = [one for one in repository.issues if state in ("all", one.state)]
        if query.get("direction", "desc") == "desc":
            found = found[::-1]
        size = min(int(query.get("per_page", "30")), 100)
        start = (int(query.get("page", "1")) - 1) * size
        return [self._shown(name, one) for one in found[start : start + size]]

    def _created(self, body: dict[str, Any], repository: Repository) -> Issue:
        _check(body, _CREATE)
        if not isinstance(body.get("title"), str) or not body["title"].strip():
            raise _invalid("Issue", "title", "missing_field")
        issue = Issue(len(repository.issues) + 1, body["title"], body.get("body") or "")
        repository.issues.append(issue)
        return issue

    def _shown(self, name: str, issue: Issue) -> dict[str, Any]:
        return {
            "id": 1_000 + issue.number,
            "number": issue.number,
            "url": f"{self.url}/repos/{name}/issues/{issue.number}",
            "html_url": f"{self.url}/{name}/issues/{issue.number}",
            "title": issue.title,
            "body": issue.body or None,
            "state": issue.state,
            "state_reason": issue.reason,
            "user": {"login": "footnote[bot]", "type": "Bot"},
            "labels": [],
            "assignees": [],
            "locked": False,
        }


def _body(request: web.Request, content: bytes) -> dict[str, Any]:
    return json_object(request, content, Refused(400, {"message": "Problems parsing JSON"}))


def _update(issue: Issue, body: dict[str, Any], repository: Repository) -> None:
    if not repository.may_write:
        raise Refused(403, {"message": "Resource not accessible by personal access token"})
    _check(body, _UPDATE)
    if body.get("state", issue.state) not in ("open", "closed"):
        raise _invalid("Issue", "state", "invalid")
    if body.get("state_reason") not in _REASONS:
        raise _invalid("Issue", "state_reason", "invalid")
    issue.state = body.get("state", issue.state)
    issue.reason = body.get("state_reason", issue.reason)
    issue.title = body.get("title", issue.title)
    issue.body = body.get("body", issue.body)


def _check(body: dict[str, Any], known: set[str]) -> None:
    for name in body.keys() - known:
        raise _invalid("Issue", name, "custom")
    for name, most in (("title", TITLE), ("body", BODY)):
        value = body.get(name)
        if value is not None and not isinstance(value, str):
            raise _invalid("Issue", name, "invalid")
        if value is not None and len(value) > most:
            raise _invalid("Issue", name, "custom", f"{name} is too long (maximum is {most})")


def _not_found() -> Refused:
    return Refused(404, {"message": "Not Found", "documentation_url": DOCS, "status": "404"})


def _invalid(resource: str, name: str, code: str, message: str = "") -> Refused:
    error = {"resource": resource, "field": name, "code": code}
    errors = [{**error, "message": message} if message else error]
    return Refused(422, {"message": "Validation Failed", "errors": errors, "status": "422"})
