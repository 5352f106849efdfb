"""Who may ask over MCP, and as whom: a file of hashed tokens, and names on a command line.

::

    [[caller]]
    name = "ada's editor"                       # for the log of who came
    token = "sha256:2cf24dba5fb0a30e..."        # made by `footnote mcp --new-token`
    as = ["ada@acme.example", "slack-group:S1"] # whose rights it has, all of them together
    until = 2027-12-31                          # it may be left out

A token has 256 random bits, so that its plain hash gives nothing away.
"""

import hashlib
import hmac
import re
import secrets
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from index.audience import EVERYONE, Audience, Principal

PREFIX: Final = "sha256:"
KIND: Final = "fnmcp_"
"""How a token begins, so that those who look for leaked secrets find it."""

_FIELDS = {"name", "token", "as", "until"}
_HASH = re.compile(rf"{PREFIX}[0-9a-f]{{64}}")


class CallersInvalid(Exception):
    """The callers cannot be used. ``problems`` has a sentence for each fault."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(["The callers of the MCP server need you:", *problems]))


@dataclass(frozen=True, slots=True)
class McpCaller:
    """Somebody who holds a token. ``until`` is the last day on which it counts."""

    name: str
    token_hash: str
    audience: Audience
    until: date | None = None

    @property
    def key(self) -> str:
        """What its calls are counted under; two entries of the file are two callers."""
        return self.token_hash.removeprefix(PREFIX)


class McpCallers:
    """Knows callers by their tokens, and keeps no token."""

    def __init__(self, callers: Iterable[McpCaller]) -> None:
        """Keep the callers."""
        self._callers = tuple(callers)

    def of(self, token: str, today: date) -> McpCaller | None:
        """Return who holds a token, or None for one that nobody was given, or that has ended."""
        hashed = hash_of(token)
        found = None
        for one in self._callers:
            if hmac.compare_digest(one.token_hash, hashed):
                found = one
        return found if found and (found.until is None or today <= found.until) else None


def read_callers(text: str) -> McpCallers:
    """Return those that a file lists. Raises CallersInvalid with everything that is wrong."""
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also of a number with too many digits
        raise CallersInvalid([f"The file is no TOML: {error}."]) from None
    entries = tables.pop("caller", [])
    if tables or not isinstance(entries, list):
        raise CallersInvalid(["The file may hold [[caller]] and nothing else."])
    callers: list[McpCaller] = []
    problems: list[str] = []
    for number, entry in enumerate(entries, start=1):
        try:
            caller = _caller(entry)
            if caller.token_hash in {one.token_hash for one in callers}:
                raise ValueError("another one has that token")
            callers.append(caller)
        except ValueError as error:
            problems.append(f"Caller {number}: {error}.")
    if problems:
        raise CallersInvalid(problems)
    return McpCallers(callers)


def audience_as(names: Sequence[str]) -> Audience:
    """Return one reader who holds all that these names stand for.

    An e-mail address stands for a full member of the workspace with that address; ``everyone``
    and ``kind:name`` stand for themselves. Raises ValueError with half a sentence.
    """
    if not names:
        raise ValueError("say as whom: an e-mail address, everyone, or kind:name")
    held: set[Principal] = set()
    for name in names:
        address = name.strip()
        if "@" in address and ":" not in address:
            held |= {EVERYONE, Principal.written(f"email:{address}")}
            held.add(Principal.written(f"domain:{address.partition('@')[2]}"))
        else:
            try:
                held.add(Principal.written(address))
            except ValueError as error:
                raise ValueError(str(error).rstrip(".")) from None
    return Audience.of(held)


def caller_as(names: Sequence[str]) -> McpCaller:
    """Return whoever an operator starts the server as, without a token.

    The same names are the same caller in every process. Raises ValueError like ``audience_as``.
    """
    audience = audience_as(names)
    known = ",".join(sorted({name.strip().casefold() for name in names}))
    return McpCaller("stdio", hash_of(f"stdio:{known}"), audience)


def new_token() -> str:
    """Return a token that nobody holds yet."""
    return f"{KIND}{secrets.token_urlsafe(32)}"


def hash_of(token: str) -> str:
    """Return what stands in the file for a token. Pure."""
    return PREFIX + hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _caller(entry: object) -> McpCaller:
    if not isinstance(entry, dict) or entry.keys() - _FIELDS:
        raise ValueError("it takes name, token, as and until")
    name, token, names = entry.get("name"), entry.get("token"), entry.get("as")
    if not isinstance(name, str) or not name.strip():
        raise ValueError("its name must be a text")
    if not isinstance(token, str) or not _HASH.fullmatch(token):
        raise ValueError("its token must be a hash, which `footnote mcp --new-token` prints")
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise ValueError("as must be a list of texts")
    until = entry.get("until")
    if until is not None and (not isinstance(until, date) or isinstance(until, datetime)):
        raise ValueError("until must be a date such as 2027-12-31")
    return McpCaller(name, token, audience_as(names), until)
