"""Which tools are offered: the built-in ones and those of real installed distributions."""

import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from handlers.tools.arguments import parsed, tool_digest
from handlers.tools.errors import BadArguments
from handlers.tools.offered import GROUP, Offered, ToolsInvalid, offered
from handlers.tools.ports import Effect, Tool, ToolContext, ToolResult


class Plain:
    """The smallest tool."""

    effect = Effect.READ

    def __init__(self, name: str = "plain", **changed: object) -> None:
        self.name = name
        self.description = "Does nothing."
        self.parameters: Mapping[str, object] = {"type": "object"}
        for key, value in changed.items():
            setattr(self, key, value)

    async def run(self, arguments: Mapping[str, object], context: ToolContext) -> ToolResult:
        return ToolResult("nothing")


SOURCE = """
from handlers.tools.ports import Effect, ToolResult

class Deploys:
    name = "list_deploys"
    description = "Lists deploys."
    parameters = {"type": "object", "properties": {}, "additionalProperties": False}
    effect = Effect.READ

    async def run(self, arguments, context):
        return ToolResult("none today")

TOOL = Deploys()
TWIN = Deploys()
TWIN.name = "Plain"
BAD_NAME = Deploys()
BAD_NAME.name = "list deploys!"
CLASS = Deploys

class Sync(Deploys):
    def run(self, arguments, context):
        return ToolResult("x")

SYNC = Sync()
SCHEMALESS = Deploys()
SCHEMALESS.parameters = {"type": "object", "properties": 3}

class Moody(Deploys):
    @property
    def parameters(self):
        raise RuntimeError("no network")

MOODY = Moody()
NOTHING = None
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution that offers these entry points, as pip would leave it."""
    module = f"acme_tools_{tmp_path.name.replace('-', '_')}"

    def installed(distribution: str, **points: str) -> None:
        folder = tmp_path / distribution
        folder.mkdir()
        (folder / f"{module}.py").write_text(SOURCE)
        (folder / f"{module}_broken.py").write_text("import does_not_exist")
        about = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1")
        lines = [f"{name} = {module}{value}" for name, value in points.items()]
        (about / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines]))
        monkeypatch.syspath_prepend(str(folder))

    yield installed
    for name in (module, f"{module}_broken"):
        sys.modules.pop(name, None)


def names(found: Offered) -> list[str]:
    return [tool.name for tool in found.tools]


def test_built_in_tools_come_first_and_installed_ones_after_them(install: Install) -> None:
    install("acme-deploys", deploys=":TOOL")
    found = offered([Plain()], [Plain("other")])
    assert names(found) == ["plain", "other", "list_deploys"]
    assert found.left_out == ()
    assert found.named()["list_deploys"] is found.tools[2]


def test_a_broken_tool_is_left_out_and_named_and_the_others_work(install: Install) -> None:
    install(
        "acme-broken",
        missing="_broken:TOOL",
        absent=":ABSENT",
        klass=":CLASS",
        sync=":SYNC",
        schemaless=":SCHEMALESS",
        moody=":MOODY",
        nothing=":NOTHING",
        endless=":ENDLESS",
        good=":TOOL",
    )
    found = offered([Plain()])
    assert names(found) == ["plain", "list_deploys"]
    said = "\n".join(found.left_out)
    assert len(found.left_out) == 8
    for name in ("missing", "absent", "klass", "sync", "schemaless", "moody", "nothing", "endless"):
        assert f"The tool {name!r} of the distribution acme-broken is left out: " in said
    assert "no network" not in said


def test_a_name_that_is_taken_is_refused_whatever_its_capitals(install: Install) -> None:
    install("acme-twin", twin=":TWIN")
    with pytest.raises(ToolsInvalid) as told:
        offered([Plain()])
    assert "'plain' is offered more than once" in str(told.value)
    assert "acme-twin" in str(told.value)
    with pytest.raises(ToolsInvalid, match="more than once"):
        offered([Plain(), Plain()], installed=())


def test_a_name_that_no_model_can_call_is_refused(install: Install) -> None:
    install("acme-odd", odd=":BAD_NAME")
    with pytest.raises(ToolsInvalid, match="acme-odd, is no name that a model can call"):
        offered()


@pytest.mark.parametrize("name", ["", "a b", "é", "a.b", "x" * 65])
def test_built_in_names_are_held_to_the_same(name: str) -> None:
    with pytest.raises(ToolsInvalid):
        offered([Plain(name)], installed=())


@pytest.mark.parametrize(
    "changed",
    [
        {"description": " "},
        {"description": "x" * 5_000},
        {"effect": "read"},
        {"parameters": {"type": "string"}},
        {"parameters": {"type": "object", "required": "x"}},
    ],
)
def test_a_tool_of_ours_that_is_none_is_no_secret(changed: dict[str, object]) -> None:
    with pytest.raises(ToolsInvalid, match="is no tool"):
        offered([Plain(**changed)], installed=())


def test_an_entry_point_without_a_distribution_is_named_by_its_value() -> None:
    point = EntryPoint("gone", "no_such_module:TOOL", GROUP)
    [said] = offered(installed=[point]).left_out
    assert "no_such_module:TOOL" in said


def test_every_built_in_tool_bounds_all_that_a_model_may_write() -> None:
    for tool in built_in():
        schema = tool.parameters
        assert schema["additionalProperties"] is False, tool.name
        properties = schema["properties"]
        assert isinstance(properties, dict)
        for name, one in properties.items():
            bounded = "enum" in one or "maxLength" in one or "maximum" in one
            assert bounded, f"{tool.name}.{name}"
            assert one["description"], f"{tool.name}.{name}"
        assert len(tool.description) <= 400
    found = offered(built_in(), installed=())
    assert len({tool_digest(one) for one in found.tools}) == len(found.tools)
    reads = {one.name for one in found.tools if one.effect is Effect.READ}
    assert reads == {
        *("search_documents", "open_section", "list_sources", "search_slack", "summarise")
    }
    fetches = {one.name for one in found.tools if one.effect is Effect.FETCH}
    assert fetches == {"send_webhook"}
    assert len(found.tools) == 12


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("search_documents", '{"query": "leave"}', '{"query": "leave", "source": "all"}'),
        ("open_section", '{"document": "%s", "part": 3.0}' % ("a" * 32), '{"document": "a"}'),
        ("list_sources", "", '{"all": true}'),
        ("summarise", '{"channel": "this thread"}', '{"channel": "<#C1>", "hours": 1}'),
        ("summarise", '{"channel": "#General", "hours": 48}', '{"channel": "#general\\n"}'),
        ("post_message", '{"channel": "C123", "text": "x"}', '{"channel": "a b", "text": "x"}'),
        (
            "set_reminder",
            '{"channel": "this thread", "at": "2026-12-01T09:00+01:00", "text": "x"}',
            '{"channel": "this thread", "at": "tomorrow", "text": "x"}',
        ),
        ("open_jira_issue", '{"project": "WEB", "title": "abc", "body": "x"}', "{}"),
        ("send_webhook", '{"hook": "a", "text": "x"}', '{"hook": "https://x.y", "text": "x"}'),
    ],
)
def test_arguments_are_read_by_the_schemas_as_a_run_reads_them(
    name: str, good: str, bad: str
) -> None:
    tool = offered(built_in(), installed=()).named()[name]
    parsed(tool, good)
    with pytest.raises(BadArguments):
        parsed(tool, bad)


def built_in() -> list[Tool]:
    from bot.client import make_client
    from handlers.adapters.card_files import FolderCards
    from handlers.adapters.github_issues import GitHubIssues
    from handlers.adapters.gitlab_issues import GitLabIssues
    from handlers.adapters.jira_issues import JiraIssues
    from handlers.adapters.webhooks import Hook, SendWebhook
    from handlers.tools.builtin.list_sources import ListSources
    from handlers.tools.builtin.open_section import OpenSection
    from handlers.tools.builtin.post_message import PostMessage
    from handlers.tools.builtin.save_card import SaveCard
    from handlers.tools.builtin.search_documents import SearchDocuments
    from handlers.tools.builtin.search_slack import SearchSlack
    from handlers.tools.builtin.set_reminder import SetReminder
    from handlers.tools.builtin.summarise import Summarise
    from index.lance import LanceIndex
    from index.retrieval import Retriever
    from tests.doubles.hashing_embedder import HashingEmbedder

    client = make_client("xoxb-1", "http://127.0.0.1:9/")
    embedder = HashingEmbedder()
    index = LanceIndex("unused", embedder=embedder.name, dimensions=embedder.dimensions)
    return [
        SearchDocuments(Retriever(index, embedder)),
        OpenSection(index, embedder),
        ListSources(index),
        SearchSlack(client),
        Summarise(client),
        PostMessage(client),
        SetReminder(client),
        SaveCard(FolderCards(Path("unused"))),
        GitHubIssues("t", ["a/b"]),
        GitLabIssues("t", ["a/b"]),
        JiraIssues("e", "t", ["WEB"], site="https://acme.atlassian.net"),
        SendWebhook({"a": Hook("a", "https://ci.example/x", "does a")}),
    ]
