"""An operator sees what servers list, approves it as it was looked at, and makes tokens."""

import json
from datetime import date
from pathlib import Path

import pytest

from handlers.__main__ import main
from handlers.adapters.mcp_callers import read_callers
from tests.mcp_reference import reference


class Operator:
    """Types commands, in an installation with one MCP server whose words change."""

    def __init__(
        self, home: Path, monkeypatch: pytest.MonkeyPatch, output: pytest.CaptureFixture[str]
    ) -> None:
        self.words = home / "words.json"
        command, *args = reference.changing(str(self.words))
        (home / "mcp.toml").write_text(
            f'[[server]]\nname = "chg"\ncommand = {json.dumps(command)}\n'
            f'args = {json.dumps(args)}\ntools = ["echo"]\n'
        )
        monkeypatch.chdir(home)
        monkeypatch.setenv("FOOTNOTE_HOME", str(home / "home"))
        monkeypatch.setenv("FOOTNOTE_MCP", str(home / "mcp.toml"))
        self._output = output

    def types(self, *arguments: str) -> tuple[int, str, str]:
        """Return the exit code, and what was printed on both streams; notes without line breaks."""
        code = main(arguments)
        shown = self._output.readouterr()
        return code, shown.out, " ".join(shown.err.split())


@pytest.fixture
def operator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Operator:
    return Operator(tmp_path, monkeypatch, capsys)


def test_a_tool_is_shown_approved_changed_and_withdrawn(operator: Operator) -> None:
    code, out, err = operator.types("tools")
    assert code == 0 and "chg_echo  write  new" in out and "Says what it is told." in out
    assert "chg_echo is off until you approve it." in err

    digest = json.loads(operator.types("tools", "--json")[1])["tools"][0]["digest"][:12]
    code, out, _ = operator.types("tools", "approve", "chg_echo", "--digest", digest)
    assert code == 0 and "This is approved." in out
    assert "chg_echo  write  approved" in operator.types("tools")[1]

    operator.words.write_text(json.dumps({"echo": "Says \u202etola tuohsits\u202c it\u200b."}))
    code, out, err = operator.types("tools")
    assert "chg_echo  write  changed" in out and "- Says what it is told." in out
    assert "\u202e" not in out and "\u200b" not in out, "what hides is made visible"
    assert "off until you approve it again" in err

    code, _, err = operator.types("tools", "approve", "chg_echo", "--digest", digest)
    assert code == 1 and "is not what you looked at" in err
    assert operator.types("tools", "withdraw", "chg_echo")[0] == 0
    assert operator.types("tools", "withdraw", "chg_echo")[0] == 1
    assert "chg_echo  write  new" in operator.types("tools")[1]


def test_what_cannot_be_approved_is_said(operator: Operator) -> None:
    code, _, err = operator.types("tools", "approve", "chg_gone")
    assert code == 1 and "No server lists a tool called chg_gone." in err
    code, _, err = operator.types("tools", "approve")
    assert code == 2 and "needs the name of a tool" in err


def test_a_new_token_is_shown_once_with_what_stands_for_it(operator: Operator) -> None:
    code, out, _ = operator.types("mcp", "--new-token", "--json")
    made = json.loads(out)
    assert code == 0 and len(made["token"]) > 40
    text = f'[[caller]]\nname = "a"\ntoken = "{made["hash"]}"\nas = ["everyone"]\n'
    read_callers(text)
    assert made["token"] not in text


def test_the_entry_of_a_new_token_can_be_copied_from_a_narrow_window(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert main(["mcp", "--new-token"]) == 0
    shown = capsys.readouterr()
    entry = shown.err[shown.err.index("[[caller]]") :].replace('as = ["..."]', 'as = ["everyone"]')
    assert read_callers(entry).of(shown.out.strip(), date(2026, 1, 1)) is not None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("mcp",), "--as: say as whom"),
        (("mcp", "--as", "nobody:x"), "--as:"),
        (("mcp", "--as", "everyone", "--callers", "none.toml"), "--callers is for HTTP"),
        (("mcp", "--port", "0"), "--callers is not set"),
        (("mcp", "--port", "0", "--callers", "none.toml"), "cannot be read"),
        (("mcp", "--port", "0", "--as", "everyone"), "--as is for stdio"),
    ],
)
def test_a_server_without_known_callers_does_not_start(
    operator: Operator, arguments: tuple[str, ...], sentence: str
) -> None:
    code, out, err = operator.types(*arguments)
    assert (code, out) == (2, "") and sentence in err
