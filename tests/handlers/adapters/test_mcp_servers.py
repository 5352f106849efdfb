"""The file of MCP servers says what it may say, and every fault of it is told in a sentence."""

import pytest

from handlers.adapters.mcp_servers import McpServersInvalid, read_servers
from handlers.tools.ports import Effect

SECRETS = {"tracker": "s3cr3t", "clock": "c10ck"}

WHOLE = """
[[server]]
name = "clock"
command = "mcp-server-time"
args = ["--local-timezone", "Europe/Berlin"]
env = { LANG = "C.UTF-8", TOKEN = { secret = "clock" } }
effects = { get_time = "read" }
tools = ["get_time", "set_time"]

[[server]]
name = "tracker"
url = "https://tracker.acme.example/mcp"
headers = { Authorization = { secret = "tracker", before = "Bearer " } }
effect = "fetch"
trust_first = true
seconds = 5
"""


def test_a_whole_file_is_read() -> None:
    clock, tracker = read_servers(WHOLE, SECRETS)
    assert clock.command == ("mcp-server-time", "--local-timezone", "Europe/Berlin")
    assert clock.environment == {"LANG": "C.UTF-8", "TOKEN": "c10ck"}
    assert clock.effect_of("get_time") is Effect.READ
    assert clock.effect_of("set_time") is Effect.WRITE, "what is not named changes something"
    assert clock.admits("get_time") and not clock.admits("drop_time")
    assert not clock.trust_first
    assert tracker.headers == {"Authorization": "Bearer s3cr3t"}
    assert tracker.effect_of("anything") is Effect.FETCH
    assert tracker.admits("anything") and tracker.trust_first
    assert tracker.seconds == 5


def test_an_empty_file_lists_nobody() -> None:
    assert read_servers("", {}) == ()


def test_no_secret_is_shown_by_accident() -> None:
    assert "s3cr3t" not in repr(read_servers(WHOLE, SECRETS))
    assert "c10ck" not in repr(read_servers(WHOLE, SECRETS))


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ('name = "a b"\ncommand = "x"', "letters, digits and -"),
        ('name = "a_b"\ncommand = "x"', "letters, digits and -"),
        ('command = "x"', "Server 1: its name must be"),
        ('name = "a"', "either a command or a url"),
        ('name = "a"\ncommand = "x"\nurl = "https://a.example"', "either a command or a url"),
        ('name = "a"\nurl = "https://a.example"\nargs = ["x"]', "args has no meaning"),
        ('name = "a"\ncommand = "x"\nheaders = { A = "b" }', "headers has no meaning"),
        ('name = "a"\nurl = "http://a.example/mcp"', "over https"),
        ('name = "a"\nurl = "ftp://a.example/mcp"', "https://"),
        ('name = "a"\ncommand = "x"\neffect = "look"', "read, fetch or write"),
        ('name = "a"\ncommand = "x"\neffects = { t = "look" }', "read, fetch or write"),
        ('name = "a"\ncommand = "x"\neffects = "read"', "effects must be a table"),
        ('name = "a"\ncommand = "x"\ntools = "all"', "tools must be a list"),
        ('name = "a"\ncommand = ""', "command must be a text"),
        ('name = "a"\ncommand = "x"\nargs = [1]', "args must be a list"),
        ('name = "a"\ncommand = "x"\ntrust_first = "yes"', "true or false"),
        ('name = "a"\ncommand = "x"\nseconds = 0', "from 1 to 600"),
        ('name = "a"\ncommand = "x"\nseconds = true', "from 1 to 600"),
        ('name = "a"\ncommand = "x"\ncolour = "red"', "colour has no meaning"),
        ('name = "a"\ncommand = "x"\nenv = { "A=B" = "c" }', "is no name"),
        ('name = "a"\ncommand = "x"\nenv = { A = 1 }', "env.A must be a text"),
        ('name = "a"\ncommand = "x"\nenv = { A = { secret = "b" } }', "holds no 'b'"),
        ('name = "a"\ncommand = "x"\nenv = { A = { secret = "clock", x = 1 } }', "env.A must be"),
        ('name = "a"\nurl = "https://a.example"\nheaders = { "A B" = "c" }', "is no name"),
        ('name = "a"\nurl = "https://a.example"\nheaders = { A = "c\\nd" }', "control character"),
    ],
)
def test_every_fault_has_a_sentence(entry: str, sentence: str) -> None:
    with pytest.raises(McpServersInvalid) as caught:
        read_servers(f"[[server]]\n{entry}\n", SECRETS)
    (problem,) = caught.value.problems
    assert sentence in problem
    assert "c10ck" not in problem and problem.endswith(".")


def test_all_faults_are_told_at_once() -> None:
    text = '[[server]]\nname = "a"\n[[server]]\nname = "b"\n[[server]]\nname="c"\ncommand="x"\n'
    with pytest.raises(McpServersInvalid) as caught:
        read_servers(text, {})
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    "text", ["[[server", "server = 1", '[servers]\nname = "a"', "[server]\nname = 'a'", "a = 1"]
)
def test_what_is_no_list_of_servers_is_refused(text: str) -> None:
    with pytest.raises(McpServersInvalid):
        read_servers(text, {})


def test_two_servers_of_one_name_are_refused() -> None:
    twice = '[[server]]\nname = "a"\ncommand = "x"\n[[server]]\nname = "A"\ncommand = "x"\n'
    with pytest.raises(McpServersInvalid, match="another one has that name"):
        read_servers(twice, {})
