"""Issues on GitHub, GitLab and Jira, each against a strict stand-in over real HTTP."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bot.conversation import Place
from handlers.adapters.github_issues import GitHubIssues, site_of
from handlers.adapters.gitlab_issues import GitLabIssues
from handlers.adapters.issue_trackers import LONGEST_BODY, LONGEST_TITLE
from handlers.adapters.jira_issues import JiraIssues
from handlers.tools.errors import ToolError, ToolRefused, ToolUnavailable
from handlers.tools.ports import Caller, Effect, Tool, ToolContext, ToolResult, Traceable, Undoable
from index.audience import Audience
from tests.doubles.github import GitHub, Repository
from tests.doubles.gitlab import GitLab
from tests.doubles.jira import Jira
from tests.doubles.stand_in import StandIn, Trouble


@dataclass
class Tracker:
    """A stand-in and the tool for it. ``shown`` lists (title, text without marks, is it open)."""

    server: StandIn
    tool: Tool
    place: Mapping[str, object]
    url: str
    shown: Callable[[], list[tuple[str, str, bool]]]
    other: Callable[..., Tool]

    async def open(self, call: str = "c1", *, seconds: float = 5.0, **changed: object) -> Any:
        arguments = {**self.place, "title": "The lift is stuck", "body": "On floor 3.\n\n- Since 9"}
        arguments |= changed
        Draft202012Validator(dict(self.tool.parameters)).validate(arguments)
        return await self.tool.run(arguments, context(call, seconds))

    async def look(self, call: str = "c1", **changed: object) -> ToolResult | None:
        arguments = {**self.place, "title": "The lift is stuck", "body": "On floor 3.", **changed}
        assert isinstance(self.tool, Traceable)
        return await self.tool.done_before(arguments, context(call))


def context(call: str = "c1", seconds: float = 5.0) -> ToolContext:
    caller = Caller("T1", "C1", "U1", "1.1", Place.CHANNEL)
    deadline = asyncio.get_running_loop().time() + seconds
    return ToolContext(caller, Audience.everyone(), call, deadline)


def unmarked(text: str) -> str:
    return text.partition("<!--")[0].strip()


@asynccontextmanager
async def github() -> AsyncIterator[Tracker]:
    async with GitHub({"acme/web": Repository(), "acme/other": Repository()}) as server:

        def tool(token: str = server.token, place: str = "acme/web") -> Tool:
            return GitHubIssues(token, [place], api=server.url, seconds=0.5)

        yield Tracker(
            server,
            tool(),
            {"repository": "acme/web"},
            f"{server.url}/acme/web/issues/1",
            lambda: [
                (one.title, unmarked(one.body), one.state == "open")
                for one in server.issues("acme/web")
            ],
            tool,
        )


@asynccontextmanager
async def gitlab() -> AsyncIterator[Tracker]:
    async with GitLab("acme/sub/web", "acme/other") as server:

        def tool(token: str = server.token, place: str = "acme/sub/web") -> Tool:
            return GitLabIssues(token, [place], site=server.url, seconds=0.5)

        yield Tracker(
            server,
            tool(),
            {"project": "acme/sub/web"},
            f"{server.url}/acme/sub/web/-/issues/1",
            lambda: [
                (one.title, unmarked(one.description), one.state == "opened")
                for one in server.issues("acme/sub/web")
            ],
            tool,
        )


@asynccontextmanager
async def jira() -> AsyncIterator[Tracker]:
    async with Jira("WEB", "OTHER") as server:

        def tool(token: str = server.token, place: str = "WEB") -> Tool:
            return JiraIssues(server.email, token, [place], site=server.url, seconds=0.5)

        yield Tracker(
            server,
            tool(),
            {"project": "WEB"},
            f"{server.url}/browse/WEB-1",
            lambda: [(one.summary, one.text, one.status != "done") for one in server.issues("WEB")],
            tool,
        )


KINDS = {"github": github, "gitlab": gitlab, "jira": jira}


@pytest.fixture(params=KINDS)
async def tracker(request: pytest.FixtureRequest) -> AsyncIterator[Tracker]:
    async with KINDS[request.param]() as made:
        yield made


async def test_an_issue_is_opened_with_its_link_and_closed_by_its_undo(tracker: Tracker) -> None:
    done = await tracker.open()
    assert tracker.shown() == [("The lift is stuck", "On floor 3.\n\n- Since 9", True)]
    assert done.url == tracker.url
    assert "is open" in done.text
    assert isinstance(tracker.tool, Undoable)
    assert "was closed" in (await tracker.tool.undo(done.undo, context())).text
    assert [one[2] for one in tracker.shown()] == [False]
    assert tracker.tool.effect is Effect.WRITE


@pytest.mark.parametrize(
    "trouble",
    [
        Trouble(after=True, cut=True, method="POST"),
        Trouble(status=502, after=True, method="POST"),
        Trouble(status=0, delay=0.8, method="POST"),
    ],
    ids=["cut", "bad gateway", "too slow"],
)
async def test_a_call_whose_answer_was_lost_opens_no_second_issue(
    tracker: Tracker, trouble: Trouble
) -> None:
    await tracker.open("before")
    if isinstance(tracker.server, Jira):
        # Its search is a POST as well, and comes first.
        tracker.server.trouble(Trouble(status=0, method="POST"))
    tracker.server.trouble(trouble)
    with pytest.raises(ToolUnavailable):
        await tracker.open("this")
    if trouble.delay:
        await asyncio.sleep(0.8)
    first = await tracker.open("this")
    assert await tracker.open("this") == first
    assert len(tracker.shown()) == 2
    assert first.url == tracker.url.removesuffix("1") + "2"


async def test_what_a_call_opened_is_found_again_and_looking_opens_nothing(
    tracker: Tracker,
) -> None:
    assert await tracker.look("this") is None
    await tracker.open("before")
    if isinstance(tracker.server, Jira):
        tracker.server.trouble(Trouble(status=0, method="POST"))
    tracker.server.trouble(Trouble(after=True, cut=True, method="POST"))
    with pytest.raises(ToolUnavailable):
        await tracker.open("this")
    await tracker.open("behind")
    shown, asked = tracker.shown(), len(tracker.server.asked)
    found = await tracker.look("this")
    assert found is not None
    assert found.url == tracker.url.removesuffix("1") + "2"
    assert await tracker.look("another") is None
    assert tracker.shown() == shown
    looks = [(one.method, one.path.rpartition("/")[2]) for one in tracker.server.asked[asked:]]
    jira = isinstance(tracker.server, Jira)
    assert looks == [("POST", "jql") if jira else ("GET", "issues")] * 2
    # What was found is the same as what is returned when it works, so that it can be taken back.
    assert found == await tracker.open("this")


async def test_where_the_service_is_in_trouble_what_was_opened_is_not_said_to_be_missing(
    tracker: Tracker,
) -> None:
    await tracker.open("this")
    for trouble in (
        Trouble(status=503),
        Trouble(status=200, content=b"<html>welcome"),
        Trouble(status=0, delay=0.8),
    ):
        tracker.server.trouble(trouble)
        with pytest.raises(ToolUnavailable):
            await tracker.look("this")
    [(key, _)] = tracker.place.items()
    with pytest.raises(ToolRefused, match="may not be opened"):
        await tracker.look("this", **{key: "acme/other"})


async def test_one_who_quotes_the_mark_of_a_call_is_not_taken_for_it(tracker: Tracker) -> None:
    done = await tracker.open("first")
    server = tracker.server
    if isinstance(server, GitHub):
        text = server.issues("acme/web")[0].body
    elif isinstance(server, GitLab):
        text = server.issues("acme/sub/web")[0].description
    else:
        return
    await tracker.open("somebody else", body=f"They wrote {text}")
    assert await tracker.look("first") == done
    assert (await tracker.open("first")).url == done.url


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
async def test_a_service_in_trouble_is_unavailable(tracker: Tracker, status: int) -> None:
    tracker.server.trouble(Trouble(status=status, content=b"<html>oops</html>"))
    with pytest.raises(ToolUnavailable) as told:
        await tracker.open()
    assert told.value.retryable and "oops" not in str(told.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(tracker: Tracker, status: int) -> None:
    async with Jira("WEB") as elsewhere:
        headers = {"Location": f"{elsewhere.url}/rest/api/3/issue"}
        tracker.server.trouble(*(Trouble(status=status, headers=headers) for _ in range(2)))
        with pytest.raises(ToolRefused, match="another address"):
            await tracker.open()
        assert elsewhere.asked == []
    assert tracker.shown() == []


async def test_a_bad_token_is_told_and_never_repeated(tracker: Tracker) -> None:
    tracker.tool = tracker.other(token="sesame-open-s3cret")
    with pytest.raises(ToolRefused, match="does not accept the token") as refused:
        await tracker.open()
    assert "s3cret" not in str(refused.value)


async def test_a_place_that_is_not_there_is_refused(tracker: Tracker) -> None:
    missing = {"repository": "acme/none", "project": "acme/none"}
    if isinstance(tracker.server, Jira):
        missing = {"project": "NONE"}
    [(key, _)] = tracker.place.items()
    tracker.tool = tracker.other(place=missing[key])
    with pytest.raises(ToolRefused):
        await tracker.open(**{key: missing[key]})


async def test_only_places_of_the_operator_fit_the_schema_or_run(tracker: Tracker) -> None:
    [(key, _)] = tracker.place.items()
    for other in ("acme/other", "OTHER", "../../admin", "https://evil.example"):
        arguments = {key: other, "title": "abc", "body": "x"}
        assert not Draft202012Validator(dict(tracker.tool.parameters)).is_valid(arguments)
        with pytest.raises(ToolRefused, match="may not be opened"):
            await tracker.tool.run(arguments, context())
    assert tracker.server.asked == []


async def test_the_longest_arguments_are_taken_and_longer_ones_do_not_fit(
    tracker: Tracker,
) -> None:
    await tracker.open(title="t" * LONGEST_TITLE, body="ü" * LONGEST_BODY)
    good = {**tracker.place, "title": "abc", "body": "x"}
    schema = Draft202012Validator(dict(tracker.tool.parameters))
    assert schema.is_valid(good)
    wrong: list[dict[str, object]] = [
        {"title": "t" * (LONGEST_TITLE + 1)},
        {"body": "b" * (LONGEST_BODY + 1)},
        {"title": "two\nlines"},
        {"title": "a line\n"},
        {"title": "   "},
        {"body": " \n "},
        {"url": "https://evil.example"},
    ]
    for change in wrong:
        assert not schema.is_valid({**good, **change}), change


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b'"issue"',
        b'{"number": true, "iid": -1, "key": "../x"}',
        b'{"number": "1", "iid": null, "key": "OTHER-1"}',
        b"{" * 100_000,
        b"\xff\xfe",
    ],
)
async def test_an_answer_that_names_no_issue_leads_nowhere(
    tracker: Tracker, content: bytes
) -> None:
    nothing = b'{"issues": []}' if isinstance(tracker.server, Jira) else b"[]"
    first = Trouble(status=200, content=nothing)
    tracker.server.trouble(first, Trouble(status=201, content=content))
    with pytest.raises(ToolRefused, match="did not say which"):
        await tracker.open()


@pytest.mark.parametrize("content", [b"", b"null", b"{}", b'{"issues": 3}', b"<html>welcome"])
async def test_without_a_listing_nothing_is_opened(tracker: Tracker, content: bytes) -> None:
    tracker.server.trouble(Trouble(status=200, content=content))
    with pytest.raises(ToolUnavailable, match="none was opened"):
        await tracker.open()
    assert tracker.shown() == []


async def test_an_answer_without_an_end_is_not_read(tracker: Tracker) -> None:
    tracker.server.trouble(Trouble(status=200, content=b" " * (1024 * 1024 + 1)))
    with pytest.raises(ToolRefused, match="more than is read"):
        await tracker.open()


async def test_with_no_time_left_nothing_is_asked(tracker: Tracker) -> None:
    with pytest.raises(ToolUnavailable, match="no time left"):
        await tracker.open(seconds=-1)
    assert tracker.server.asked == []
    tracker.server.trouble(Trouble(status=0, delay=2.0))
    with pytest.raises(ToolUnavailable, match="not in time"):
        await tracker.open(seconds=0.1)


@pytest.mark.parametrize(
    "undo",
    [
        {},
        {"repository": "acme/other", "project": "acme/other", "number": 1, "key": "OTHER-1"},
        {"repository": "acme/web", "project": "acme/sub/web", "number": True, "key": "WEB-0"},
        {"repository": "acme/web", "project": "acme/sub/web", "number": "1", "key": "WEB-1/../.."},
        {"repository": ["acme/web"], "project": None, "number": -1, "key": 7},
    ],
)
async def test_an_undo_of_anything_else_is_refused(
    tracker: Tracker, undo: dict[str, object]
) -> None:
    assert isinstance(tracker.tool, Undoable)
    with pytest.raises(ToolRefused, match="not known any more"):
        await tracker.tool.undo(undo, context())
    assert tracker.server.asked == []


async def test_a_service_that_is_not_there_is_unavailable(tracker: Tracker) -> None:
    await tracker.server.stop()
    with pytest.raises(ToolUnavailable, match="did not answer"):
        await tracker.open()


# What only one of them has


async def test_github_that_asks_to_wait_is_unavailable_and_a_plain_no_is_not() -> None:
    async with github() as at:
        for headers in ({"Retry-After": "60"}, {"X-RateLimit-Remaining": "0"}):
            at.server.trouble(Trouble(status=403, headers=headers))
            with pytest.raises(ToolUnavailable):
                await at.open()
        no = Trouble(status=403, content=b'{"message": "Resource not accessible"}')
        at.server.trouble(no)
        with pytest.raises(ToolRefused, match=r"403.*Resource not accessible"):
            await at.open()


async def test_github_without_issues_is_refused_with_its_own_words() -> None:
    async with github() as at:
        assert isinstance(at.server, GitHub)
        at.server.repositories["acme/web"].has_issues = False
        with pytest.raises(ToolRefused, match="Issues are disabled for this repo"):
            await at.open()


@pytest.mark.parametrize(
    ("api", "site"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
        ("https://git.acme.example/api/v3", "https://git.acme.example"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
def test_an_issue_opens_on_the_site_of_the_api(api: str, site: str) -> None:
    assert site_of(api) == site


async def test_gitlab_runs_no_quick_action_from_a_text() -> None:
    async with gitlab() as at:
        assert isinstance(at.server, GitLab)
        body = "Please\n/close\n  /assign @root\n/confidential\nsee /tmp/x"
        await at.open(body=body)
        [issue] = at.server.issues("acme/sub/web")
        assert issue.commanded == [] and issue.state == "opened"
        assert unmarked(issue.description) == body.replace("\n/", "\n\\/").replace(" /a", " \\/a")


async def test_jira_without_a_way_to_done_says_so() -> None:
    async with jira() as at:
        assert isinstance(at.server, Jira) and isinstance(at.tool, Undoable)
        done = await at.open()
        at.server.way_to_done = False
        with pytest.raises(ToolRefused, match="no way from here"):
            await at.tool.undo(done.undo, context())


async def test_jira_takes_every_text_as_a_document() -> None:
    async with jira() as at:
        assert isinstance(at.server, Jira)
        texts = [
            "a",
            "a\nb",
            "\n\na\r\n\r\n\r\nb\n",
            "- x\n- y\n\n```\ncode\n\nmore\n```",
            "[l](u)",
        ]
        for number, text in enumerate(texts):
            await at.open(f"c{number}", body=text)
        assert [one.text for one in at.server.issues("WEB")][:2] == ["a", "a\nb"]
        assert at.server.issues("WEB")[2].text == "a\n\nb"
        assert at.server.issues("WEB")[4].text == "[l](u)"


async def test_jira_names_the_field_that_it_refuses() -> None:
    async with jira() as at:
        assert isinstance(at.server, Jira)
        at.server.types = ("Story",)
        with pytest.raises(ToolRefused, match="issuetype: Specify a valid issue type"):
            await at.open()


@pytest.mark.parametrize(
    "make",
    [
        lambda: GitHubIssues("t", []),
        lambda: GitHubIssues("t", ["web"]),
        lambda: GitHubIssues("t", ["a/b/c"]),
        lambda: GitHubIssues("t", ["a/b c"]),
        lambda: GitHubIssues("t", ["a/b"], api="http://github.example"),
        lambda: GitHubIssues("t", ["a/b"], api="https://user:pw@github.example"),
        lambda: GitLabIssues("t", ["web"]),
        lambda: GitLabIssues("t", ["a/b"], site="ftp://gitlab.example"),
        lambda: GitLabIssues("t", ["a/b"], site="https://gitlab.example?x=1"),
        lambda: JiraIssues("e", "t", ["web"], site="https://acme.atlassian.net"),
        lambda: JiraIssues("e", "t", ["WEB"], site=""),
    ],
)
def test_settings_that_cannot_work_are_refused_when_they_are_read(make: Callable[[], Any]) -> None:
    with pytest.raises(ValueError) as told:
        make()
    assert str(told.value).endswith(".") and "pw" not in str(told.value)
    assert not isinstance(told.value, ToolError)


LOST = (
    Trouble(status=500),
    Trouble(status=503, after=True),
    Trouble(status=429),
    Trouble(cut=True),
    Trouble(after=True, cut=True),
    Trouble(status=201, content=b"<html>"),
    Trouble(status=0),
    Trouble(status=0),
)


@pytest.mark.parametrize("seed", range(20))
async def test_whatever_goes_wrong_in_whatever_order_each_call_opens_one_issue(
    tracker: Tracker, seed: int
) -> None:
    chance = random.Random(seed)
    for call in ("c1", "c2", "c3"):
        tracker.server.trouble(*chance.choices(LOST, k=chance.randint(1, 6)))
        for _ in range(20):
            with suppress(ToolError):
                done = await tracker.open(call, title=f"Issue of {call}")
                break
        tracker.server.mend()
        again = await tracker.open(call, title=f"Issue of {call}")
        assert again == done
    assert [one[0] for one in tracker.shown()] == [f"Issue of {c}" for c in ("c1", "c2", "c3")]
