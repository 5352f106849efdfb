"""A stand-in for Jira Cloud's issues (REST API v3): create, search by JQL, transitions.

It understands the one form of JQL that is used, refuses any other, and checks the document format
of descriptions as far as paragraphs go.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.doubles.stand_in import Refused, StandIn, json_object

SUMMARY, DESCRIPTION = 255, 32_767
_JQL = re.compile(r'project = "([A-Z0-9_]+)" AND creator = currentUser\(\) ORDER BY created DESC')
_SEARCH = {"jql", "maxResults", "fields", "properties", "nextPageToken", "expand"}
_FIELDS = {"project", "issuetype", "summary", "description", "labels"}


@dataclass
class Issue:
    """An issue; ``text`` is its description as plain text, a line for each."""

    key: str
    summary: str
    text: str
    issue_type: str
    status: str = "new"
    properties: dict[str, Any] = field(default_factory=dict)


class Jira(StandIn):
    """One site with one account. ``way_to_done``: whether its workflow can be ended from here."""

    def __init__(
        self,
        *projects: str,
        email: str = "bot@acme.example",
        token: str = "jira-stand-in",
        types: tuple[str, ...] = ("Task", "Bug"),
    ) -> None:
        super().__init__()
        self.email, self.token, self.types = email, token, types
        self.projects: dict[str, list[Issue]] = {key: [] for key in projects}
        self.way_to_done = True

    def issues(self, project: str) -> list[Issue]:
        """Return the issues of a project, oldest first."""
        return self.projects[project]

    def _answer(self, request: web.Request, content: bytes) -> tuple[int, Any, Mapping[str, str]]:
        account = base64.b64encode(f"{self.email}:{self.token}".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {account}":
            raise _no(401, "Client must be authenticated to access this resource.")
        path = request.path.removeprefix("/rest/api/3")
        if path == request.path:
            raise _no(404, "There is no such resource.")
        if (request.method, path) == ("POST", "/issue"):
            return 201, self._created(_body(request, content)), {}
        if (request.method, path) == ("POST", "/search/jql"):
            return 200, self._found(_body(request, content)), {}
        found = re.fullmatch(r"/issue/([A-Z][A-Z0-9_]*)-(\d+)/transitions", path)
        issues = self.projects.get(found[1], []) if found else []
        issue = next((one for one in issues if found and one.key == f"{found[1]}-{found[2]}"), None)
        if issue is None:
            raise _no(404, "Issue does not exist or you do not have permission to see it.")
        if request.method == "GET":
            return 200, {"transitions": self._transitions()}, {}
        if request.method != "POST":
            raise _no(405, "Method not allowed.")
        self._move(issue, _body(request, content))
        return 204, None, {}

    def _created(self, body: dict[str, Any]) -> dict[str, Any]:
        fields, properties = body.get("fields"), body.get("properties", [])
        if not isinstance(fields, dict) or body.keys() - {"fields", "properties", "update"}:
            raise _no(400, "Can not deserialize the request.")
        wrong = {name: f"Field '{name}' cannot be set." for name in fields.keys() - _FIELDS}
        issues = self.projects.get(str((fields.get("project") or {}).get("key")))
        if issues is None:
            wrong["project"] = "valid project is required"
        if (fields.get("issuetype") or {}).get("name") not in self.types:
            wrong["issuetype"] = "Specify a valid issue type"
        summary = fields.get("summary")
        if not isinstance(summary, str) or not summary.strip():
            wrong["summary"] = "You must specify a summary of the issue."
        elif len(summary) > SUMMARY or "\n" in summary:
            wrong["summary"] = f"Summary must be one line of less than {SUMMARY} characters."
        try:
            text = _text_of(fields.get("description"))
        except (KeyError, TypeError, ValueError):
            text, wrong["description"] = "", "Operation value must be an Atlassian Document"
        if len(text) > DESCRIPTION:
            wrong["description"] = "The entered text is too long."
        if wrong or issues is None:
            raise Refused(400, {"errorMessages": [], "errors": wrong})
        key = f"{fields['project']['key']}-{len(issues) + 1}"
        issue = Issue(key, str(summary), text, fields["issuetype"]["name"])
        issue.properties = {one["key"]: one["value"] for one in properties}
        issues.append(issue)
        return {"id": f"{10_000 + len(issues)}", "key": key, "self": f"{self.url}/issue/{key}"}

    def _found(self, body: dict[str, Any]) -> dict[str, Any]:
        if body.keys() - _SEARCH or len(body.get("properties", [])) > 5:
            raise _no(400, "Invalid request payload.")
        named = _JQL.fullmatch(str(body.get("jql")))
        if named is None or named[1] not in self.projects:
            raise _no(400, "Error in the JQL Query.")
        wanted = body.get("properties", [])
        rows = [
            {
                "id": one.key,
                "key": one.key,
                "fields": {"summary": one.summary},
                "properties": {k: v for k, v in one.properties.items() if k in wanted},
            }
            for one in self.projects[named[1]][::-1]
        ]
        most = body.get("maxResults", 50)
        return {"issues": rows[:most], "isLast": len(rows) <= most}

    def _transitions(self) -> list[dict[str, Any]]:
        def way(number: str, name: str, category: str) -> dict[str, Any]:
            return {"id": number, "name": name, "to": {"statusCategory": {"key": category}}}

        ways = [way("11", "Start", "indeterminate")]
        return [*ways, way("31", "Done", "done")] if self.way_to_done else ways

    def _move(self, issue: Issue, body: dict[str, Any]) -> None:
        chosen = (body.get("transition") or {}).get("id")
        for one in self._transitions():
            if one["id"] == chosen:
                issue.status = one["to"]["statusCategory"]["key"]
                return
        raise _no(400, "It is not on the appropriate screen, or unknown.")


def _text_of(document: Any) -> str:
    """Return the text of a document of paragraphs; raise for anything that Jira would refuse."""
    if document is None:
        return ""
    if (document["type"], document["version"]) != ("doc", 1) or document.keys() - {
        *("type", "version", "content")
    }:
        raise ValueError
    return "\n\n".join(_paragraph(one) for one in document["content"])


def _paragraph(block: Any) -> str:
    if block["type"] != "paragraph":
        raise ValueError
    text = ""
    for node in block["content"]:
        if node["type"] == "hardBreak":
            text += "\n"
        elif node["type"] == "text" and node["text"]:
            text += node["text"]
        else:
            raise ValueError
    return text


def _body(request: web.Request, content: bytes) -> dict[str, Any]:
    return json_object(request, content, _no(400, "The body is no JSON."))


def _no(status: int, message: str) -> Refused:
    return Refused(status, {"errorMessages": [message], "errors": {}})
