"""Which MCP servers the agent may use: a TOML file, reviewed like code.

::

    [[server]]
    name = "clock"                             # letters, digits and -; tools are clock_<tool>
    command = "mcp-server-time"                # a program of this machine ...
    args = ["--local-timezone", "Europe/Berlin"]
    env = { LANG = "C.UTF-8", TOKEN = { secret = "clock" } }    # all that it gets, but for PATH
    effects = { get_current_time = "read" }    # what is not named here changes something: "write"
    tools = ["get_current_time"]               # all others are left out; without it none is

    [[server]]
    name = "tracker"
    url = "https://tracker.acme.example/mcp"   # ... or an address that speaks streamable HTTP
    headers = { Authorization = { secret = "tracker", before = "Bearer " } }
    effect = "fetch"                           # of its tools that effects does not name
    trust_first = true                         # what it lists the very first time is approved

Secrets are named, never written: the values come with the settings. ``seconds`` bounds a call.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from handlers.adapters.operator_service import checked_address
from handlers.tools.ports import Effect

LONGEST_NAME: Final = 24
CALL_SECONDS: Final = 60.0

_NAME = re.compile(rf"[a-zA-Z0-9][a-zA-Z0-9-]{{0,{LONGEST_NAME - 1}}}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_EITHER = {"name", "effect", "effects", "tools", "trust_first", "seconds"}
_OF_PROGRAM = {"command", "args", "env"}
_OF_ADDRESS = {"url", "headers"}


class McpServersInvalid(Exception):
    """The file of MCP servers cannot be used. ``problems`` has a sentence for each fault."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["The file of MCP servers needs you:", *problems]))


@dataclass(frozen=True, slots=True)
class McpServer:
    """One server: a ``command`` over stdio, or a ``url`` over streamable HTTP.

    ``environment`` and ``headers`` hold values, secrets among them. ``tools`` is None where all
    are admitted. ``seconds`` is how long one call may take.
    """

    name: str
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    url: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    effect: Effect = Effect.WRITE
    effects: Mapping[str, Effect] = field(default_factory=dict)
    tools: frozenset[str] | None = None
    trust_first: bool = False
    seconds: float = CALL_SECONDS

    def effect_of(self, tool: str) -> Effect:
        """Return the effect of a tool, by the server's name for it."""
        return self.effects.get(tool, self.effect)

    def admits(self, tool: str) -> bool:
        """Tell whether the operator lets this tool in at all."""
        return self.tools is None or tool in self.tools


def read_servers(text: str, secrets: Mapping[str, str]) -> tuple[McpServer, ...]:
    """Return the servers that a file lists, in its order; ``secrets`` are values by name.

    Raises McpServersInvalid with everything that is wrong. No sentence repeats a secret.
    """
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of a number with too many digits
        raise McpServersInvalid([f"It is no TOML: {error}."]) from None
    entries = tables.pop("server", [])
    if tables or not isinstance(entries, list):
        raise McpServersInvalid(["It may hold [[server]] and nothing else."])
    servers: list[McpServer] = []
    problems: list[str] = []
    for number, entry in enumerate(entries, start=1):
        named = entry.get("name") if isinstance(entry, dict) else None
        label = f"Server {named}" if isinstance(named, str) and named else f"Server {number}"
        try:
            server = _server(entry, secrets)
            if server.name.lower() in {one.name.lower() for one in servers}:
                raise ValueError("another one has that name")
            servers.append(server)
        except ValueError as error:
            problems.append(f"{label}: {error}.")
    if problems:
        raise McpServersInvalid(problems)
    return tuple(servers)


def _server(entry: object, secrets: Mapping[str, str]) -> McpServer:
    if not isinstance(entry, dict):
        raise ValueError("write [[server]] with two brackets, once for each of them")
    if unknown := sorted(entry.keys() - _EITHER - _OF_PROGRAM - _OF_ADDRESS):
        raise ValueError(f"{', '.join(unknown)} has no meaning there")
    name = entry.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"its name must be letters, digits and -, {LONGEST_NAME} at most")
    if ("command" in entry) == ("url" in entry):
        raise ValueError("it needs either a command or a url")
    foreign = sorted(entry.keys() & (_OF_ADDRESS if "command" in entry else _OF_PROGRAM))
    if foreign:
        raise ValueError(f"{', '.join(foreign)} has no meaning beside its command or url")
    tools = entry.get("tools")
    return McpServer(
        name,
        command=(_text(entry, "command"), *_texts(entry, "args")) if "command" in entry else (),
        environment=_values(entry, "env", _VARIABLE, secrets),
        url=_address(entry) if "url" in entry else "",
        headers=_values(entry, "headers", _HEADER, secrets),
        effect=_effect(entry.get("effect", Effect.WRITE.value)),
        effects={tool: _effect(one) for tool, one in _table(entry, "effects").items()},
        tools=None if tools is None else frozenset(_texts(entry, "tools")),
        trust_first=_flag(entry, "trust_first"),
        seconds=_seconds(entry),
    )


def _address(entry: Mapping[str, Any]) -> str:
    try:
        return checked_address(_text(entry, "url"), query=True)
    except ValueError as error:
        raise ValueError(str(error).rstrip(".")) from None


def _effect(value: object) -> Effect:
    if not isinstance(value, str) or value not in set(Effect):
        raise ValueError("an effect is read, fetch or write")
    return Effect(value)


def _text(entry: Mapping[str, Any], key: str) -> str:
    value = entry.get(key)
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError(f"{key} must be a text")
    return value


def _texts(entry: Mapping[str, Any], key: str) -> list[str]:
    value = entry.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{key} must be a list of texts")
    return value


def _table(entry: Mapping[str, Any], key: str) -> Mapping[str, object]:
    value = entry.get(key, {})
    if not isinstance(value, dict):
        raise ValueError(f"{key} must be a table: {key} = {{ name = ... }}")
    return value


def _flag(entry: Mapping[str, Any], key: str) -> bool:
    value = entry.get(key, False)
    if not isinstance(value, bool):
        raise ValueError(f"{key} must be true or false")
    return value


def _seconds(entry: Mapping[str, Any]) -> float:
    value = entry.get("seconds", CALL_SECONDS)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 600:
        raise ValueError("seconds must be a number from 1 to 600")
    return float(value)


def _values(
    entry: Mapping[str, Any], key: str, names: re.Pattern[str], secrets: Mapping[str, str]
) -> dict[str, str]:
    found = {}
    for name, given in _table(entry, key).items():
        if not names.fullmatch(name):
            raise ValueError(f"{name!r} is no name for one of its {key}")
        found[name] = _value(f"{key}.{name}", given, secrets)
    return found


def _value(where: str, given: object, secrets: Mapping[str, str]) -> str:
    if isinstance(given, str):
        value = given
    elif isinstance(given, dict) and given.keys() in ({"secret"}, {"secret", "before"}):
        name, before = given["secret"], given.get("before", "")
        if not isinstance(before, str) or not isinstance(name, str):
            raise ValueError(f"{where} must name its secret by a text")
        if name not in secrets:
            raise ValueError(f"{where}: FOOTNOTE_TOOL_SECRETS holds no {name!r}")
        value = before + secrets[name]
    else:
        raise ValueError(f'{where} must be a text or {{ secret = "its name" }}')
    if not value.isprintable():
        raise ValueError(f"{where} holds a control character")
    return value
