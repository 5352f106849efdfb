"""What a Web API method is: its name, arguments and rate tier, and the function that answers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.playground.errors import SlackRefusal
from bot.playground.limits import Tier
from bot.playground.streams import Streams
from bot.playground.surfaces import Surfaces
from bot.playground.workspace import Workspace
from bot.scopes import BOT_SCOPES, scopes_header

Arguments = dict[str, Any]


@dataclass(slots=True)
class LocalSlack:
    """What the methods work on. ``new_socket`` returns a one-time WebSocket address.

    ``scopes`` are those of the bot token.
    """

    workspace: Workspace
    surfaces: Surfaces
    streams: Streams
    new_socket: Callable[[], str]
    url: str = ""
    scopes: frozenset[str] = BOT_SCOPES

    def need(self, *scopes: str) -> None:
        """Refuse a call unless the bot token has all these scopes: missing_scope."""
        if not self.scopes.issuperset(scopes):
            raise SlackRefusal(
                "missing_scope", needed=",".join(scopes), provided=scopes_header(self.scopes)
            )


@dataclass(frozen=True, slots=True)
class Method:
    """One Web API method. ``text``, ``flags``, ``numbers`` and ``json`` name its arguments."""

    name: str
    answer: Callable[[LocalSlack, Arguments], dict[str, Any]]
    tier: Tier
    required: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    json: tuple[str, ...] = ()
    app_token: bool = False

    def read(self, given: Mapping[str, Any]) -> Arguments:
        """Return the arguments by their types; refuse unknown, missing and misshapen ones.

        Slack ignores most unknown arguments; a stand-in that did would hide a misspelt one.
        """
        problems: list[str] = []
        arguments: Arguments = {}
        for name, value in given.items():
            if value is None:
                continue
            try:
                arguments[name] = self._read_one(name, value)
            except ValueError as problem:
                problems.append(f"[ERROR] {problem} [json-pointer:/{name}]")
            except KeyError:
                problems.append(f"[ERROR] unknown argument: {name}")
        for name in self.required:
            if arguments.get(name) in (None, ""):
                problems.append(f"[ERROR] missing required field: {name}")
        if problems:
            raise SlackRefusal("invalid_arguments", *problems)
        return arguments

    def _read_one(self, name: str, value: Any) -> Any:
        typed = (*self.json, *self.numbers)
        if name in self.text or (name in self.required and name not in typed):
            if not isinstance(value, str):
                raise ValueError("must be a string")
            return value
        if name in self.flags:
            return _flag(value)
        if name in self.numbers:
            if isinstance(value, bool) or not str(value).isdecimal():
                raise ValueError("must be a number")
            return int(value)
        if name in self.json:
            return _json(name, value)
        raise KeyError(name)


def _flag(value: Any) -> bool:
    known = {"true": True, "1": True, "false": False, "0": False}
    found = known.get(str(value).lower())
    if found is None:
        raise ValueError("must be a boolean")
    return found


def _json(name: str, value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            if name == "blocks":
                raise SlackRefusal("invalid_blocks_format") from None
            raise ValueError("must be valid json") from None
    if not isinstance(value, list | dict):
        raise ValueError("must be an array or an object")
    return value
