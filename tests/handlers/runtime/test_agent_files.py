"""The files of the agent are read whole or not at all, and say what is wrong by their setting."""

from pathlib import Path

import pytest

from handlers.runtime.agent_files import hooks, mcp_servers, policy
from handlers.runtime.agent_tools import set_up
from handlers.runtime.settings import Settings, SettingsError
from handlers.tools.policy import NO_POLICY
from handlers.tools.ports import Effect

ROOT = Path(__file__).parents[3]
RULE = '[[allow]]\ntool = "post_message"\narguments = { channel = "C1", text = "Done." }\n'
HOOK = '[[hook]]\nname = "deploys"\naddress = "https://hooks.example.com/1"\nsecret = "deploys"\n'
SERVER = """
[[server]]
name = "tracker"
url = "https://tracker.example.com/mcp"
headers = { Authorization = { secret = "tracker", before = "Bearer " } }
"""


def settings(folder: Path, text: str, name: str, **more: str) -> Settings:
    (folder / "file.toml").write_text(text)
    return Settings.load({f"FOOTNOTE_{name}": str(folder / "file.toml"), **more})


def test_without_files_everything_waits_for_a_human_and_nothing_is_added() -> None:
    bare = Settings.load({})
    assert policy(bare) is NO_POLICY
    assert (dict(hooks(bare)), tuple(mcp_servers(bare)), set_up(bare)) == ({}, (), [])


def test_the_files_that_an_image_brings_along_allow_and_add_nothing() -> None:
    folder = ROOT / "infra" / "agent"
    given = Settings.load(
        {
            "FOOTNOTE_AGENT_POLICY": str(folder / "policy.toml"),
            "FOOTNOTE_MCP": str(folder / "mcp.toml"),
            "FOOTNOTE_WEBHOOKS": str(folder / "webhooks.toml"),
        }
    )
    assert policy(given).rules == ()
    assert (dict(hooks(given)), tuple(mcp_servers(given)), set_up(given)) == ({}, (), [])


@pytest.mark.parametrize("name", ["policy", "mcp", "webhooks"])
def test_their_examples_can_be_used_as_they_stand(name: str, tmp_path: Path) -> None:
    text = (ROOT / "infra" / "agent" / f"{name}.toml").read_text("utf-8")
    begins = text.index("# [[")
    example = "\n".join(line.removeprefix("# ") for line in text[begins:].splitlines())
    setting = {"policy": "AGENT_POLICY", "mcp": "MCP", "webhooks": "WEBHOOKS"}[name]
    given = settings(tmp_path, example, setting, FOOTNOTE_TOOL_SECRETS="deploys=abc tracker=def")
    found = {"policy": lambda: policy(given).rules, "mcp": lambda: mcp_servers(given)}
    assert found.get(name, lambda: hooks(given))()


def test_what_a_rule_names_needs_no_human(tmp_path: Path) -> None:
    allowed = policy(settings(tmp_path, RULE, "AGENT_POLICY"))
    assert allowed.allows("post_message", {"channel": "C1", "text": "Done."})
    assert not allowed.allows("post_message", {"channel": "C2", "text": "Done."})


def test_a_hook_and_a_server_get_their_secret_from_the_settings(tmp_path: Path) -> None:
    secrets = "deploys=abc tracker=def"
    given = settings(tmp_path, HOOK, "WEBHOOKS", FOOTNOTE_TOOL_SECRETS=secrets)
    assert hooks(given)["deploys"].secret == "abc"
    [tool] = set_up(given)
    assert (tool.name, tool.effect) == ("send_webhook", Effect.FETCH)
    [server] = mcp_servers(settings(tmp_path, SERVER, "MCP", FOOTNOTE_TOOL_SECRETS=secrets))
    assert server.headers == {"Authorization": "Bearer def"}


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("AGENT_POLICY", "[[allow]\n", "TOML"),
        ("AGENT_POLICY", '[[allow]]\ntool = "x"\n', "arguments"),
        ("WEBHOOKS", HOOK.replace("https", "ftp"), "https"),
        ("WEBHOOKS", HOOK, "FOOTNOTE_TOOL_SECRETS"),
        ("MCP", SERVER, "tracker"),
        ("MCP", '[[server]]\nname = "x"\n', "command"),
    ],
)
def test_what_cannot_be_used_names_its_setting_and_no_secret(
    name: str, text: str, says: str, tmp_path: Path
) -> None:
    read = {"AGENT_POLICY": policy, "WEBHOOKS": hooks, "MCP": mcp_servers}[name]
    given = settings(tmp_path, text, name, FOOTNOTE_TOOL_SECRETS="other=zq7Secret9")
    with pytest.raises(SettingsError) as raised:
        read(given)  # type: ignore[operator]
    assert says in str(raised.value)
    assert "zq7Secret9" not in str(raised.value)


@pytest.mark.parametrize("name", ["AGENT_POLICY", "WEBHOOKS", "MCP"])
def test_a_file_that_is_not_there_is_told(name: str, tmp_path: Path) -> None:
    read = {"AGENT_POLICY": policy, "WEBHOOKS": hooks, "MCP": mcp_servers}[name]
    with pytest.raises(SettingsError, match=f"FOOTNOTE_{name} is .*cannot be read"):
        read(Settings.load({f"FOOTNOTE_{name}": str(tmp_path / "absent")}))  # type: ignore[operator]


TRACKERS = {
    "FOOTNOTE_GITHUB_REPOSITORIES": "acme/handbook acme/site",
    "FOOTNOTE_GITHUB_TOKEN": "ghp_1",
    "FOOTNOTE_GITLAB_PROJECTS": "acme/handbook",
    "FOOTNOTE_GITLAB_TOKEN": "glpat-1",
    "FOOTNOTE_JIRA_URL": "https://acme.atlassian.net",
    "FOOTNOTE_JIRA_PROJECTS": "OPS",
    "FOOTNOTE_JIRA_EMAIL": "bot@example.com",
    "FOOTNOTE_JIRA_TOKEN": "t",
}


def test_each_tracker_that_is_set_up_is_a_tool() -> None:
    names = [tool.name for tool in set_up(Settings.load(TRACKERS))]
    assert names == ["open_github_issue", "open_gitlab_issue", "open_jira_issue"]


def test_everything_that_is_wrong_with_trackers_is_told_at_once() -> None:
    wrong = {**TRACKERS, "FOOTNOTE_GITHUB_REPOSITORIES": "handbook", "FOOTNOTE_JIRA_PROJECTS": "o"}
    with pytest.raises(SettingsError) as raised:
        set_up(Settings.load(wrong))
    assert [one.split()[0] for one in raised.value.problems] == [
        "FOOTNOTE_GITHUB_URL",
        "FOOTNOTE_JIRA_URL",
    ]


def test_cards_are_kept_in_a_folder_or_a_bucket_of_the_catalog(tmp_path: Path) -> None:
    catalog = tmp_path / "sources.toml"
    catalog.write_text(
        '[[source]]\nname = "cards"\nkind = "folder"\nreaders = ["everyone"]\npath = "cards"\n'
        '[[source]]\nname = "bucket"\nkind = "s3"\nreaders = ["everyone"]\nbucket = "b"\n'
        '[[source]]\nname = "site"\nkind = "web"\nreaders = ["everyone"]\n'
        'start = "https://docs.example/"\n'
    )
    for name in ("cards", "bucket"):
        given = {"FOOTNOTE_SOURCES": str(catalog), "FOOTNOTE_CARDS": name}
        assert [tool.name for tool in set_up(Settings.load(given))] == ["save_card"]
    for name in ("site", "nowhere"):
        given = {"FOOTNOTE_SOURCES": str(catalog), "FOOTNOTE_CARDS": name}
        with pytest.raises(SettingsError, match="FOOTNOTE_CARDS"):
            set_up(Settings.load(given))
