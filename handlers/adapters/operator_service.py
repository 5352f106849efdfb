"""A web service that the operator named, asked at its one address and nowhere else.

    address ─ fixed when built     redirects ─ refused       answers ─ 1 MiB at most, JSON
    path    ─ from code, quoted    proxies, cookies ─ none   time ─ the tool's, 15 s at most

Nothing of a token is ever repeated. What a service says against a request is cut to one line; it is
written for the model, which may mend its call by it.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

from handlers.answering.cleaning import one_line
from handlers.tools.errors import ToolRefused, ToolUnavailable

LONGEST_SECONDS: Final = 15.0
LONGEST_ANSWER: Final = 1024 * 1024
USER_AGENT: Final = "footnote"

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_LONGEST_REASON = 300


def checked_address(address: str, *, query: bool = False) -> str:
    """Return the address of a service without the slash at its end.

    ``query`` allows one in it, as addresses of webhooks have. Raises ValueError, with a sentence
    for the operator: a token may travel over https alone, but for this very machine.
    """
    parts = urlsplit(address.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("A service needs an address that begins with https://.")
    if parts.username or parts.password or parts.fragment or (parts.query and not query):
        raise ValueError("The address of a service holds no name, password, query or fragment.")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ValueError(f"{parts.hostname} must be asked over https: the token goes with it.")
    return address.strip() if parts.query else address.strip().rstrip("/")


def segment(text: str) -> str:
    """Return ``text`` as one segment of a path, whatever is in it."""
    return quote(text, safe="")


class OperatorService:
    """One service. Builds no connection before it is asked, and keeps none."""

    def __init__(
        self,
        name: str,
        address: str,
        headers: Mapping[str, str],
        *,
        seconds: float = LONGEST_SECONDS,
    ) -> None:
        """Keep the settings; ``name`` is what people call it, ``address`` a checked one."""
        self._name = name
        self._address = address
        self._headers = {"User-Agent": USER_AGENT, **headers}
        self._seconds = seconds

    async def ask(
        self,
        method: str,
        path: str,
        *,
        deadline: float,
        body: Mapping[str, object] | bytes | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return what the service answers with 2xx, as JSON, or None if that is no JSON.

        ``path`` begins with a slash or is empty, and is quoted already. ``deadline`` is an
        event-loop time. Raises ToolUnavailable, where the same call may work later or has worked,
        and ToolRefused.
        """
        left = min(self._seconds, deadline - asyncio.get_running_loop().time())
        if left <= 0:
            raise ToolUnavailable(f"There was no time left to ask {self._name}.")
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = {**self._headers, **(headers or {})}
        if content is not None:
            sent["Content-Type"] = "application/json"
        # The path is quoted already: quoting it once more would change what it names.
        url = URL(f"{self._address}{path}", encoded=True).update_query(query or {})
        try:
            async with (
                asyncio.timeout(left),
                aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
                session.request(
                    method, url, data=content, headers=sent, allow_redirects=False
                ) as response,
            ):
                status, text = response.status, await _bounded(response)
                limited = _is_limited(response)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise ToolUnavailable(f"{self._name} did not answer, or not in time.") from error
        if text is None:
            raise ToolRefused(f"{self._name} answered more than is read.")
        answer = _parsed(text)
        if 200 <= status < 300:
            return answer
        raise self._refusal(status, limited, answer)

    def _refusal(self, status: int, limited: bool, answer: Any) -> Exception:
        if limited or status in (408, 425, 429) or status >= 500:
            return ToolUnavailable(f"{self._name} cannot take it at the moment ({status}).")
        if 300 <= status < 400:
            return ToolRefused(
                f"{self._name} answers from another address; an operator must correct it."
            )
        if status == 401:
            return ToolRefused(
                f"{self._name} does not accept the token; an operator must renew it."
            )
        return ToolRefused(f"{self._name} refused ({status}){_reason(answer)}.")


async def _bounded(response: aiohttp.ClientResponse) -> bytes | None:
    """Return the body, or None if it is larger than is read."""
    pieces: list[bytes] = []
    room = LONGEST_ANSWER
    async for piece in response.content.iter_any():
        room -= len(piece)
        if room < 0:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _is_limited(response: aiohttp.ClientResponse) -> bool:
    """Tell whether a 403 only asks to wait, as GitHub's does when a limit is spent."""
    spent = response.headers.get("X-RateLimit-Remaining") == "0"
    return response.status == 403 and (spent or "Retry-After" in response.headers)


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _reason(answer: Any) -> str:
    """Return what the service says against the request, in the ways of the services we ask."""
    if not isinstance(answer, dict):
        return ""
    said: list[str] = []
    for key in ("message", "error", "errorMessages", "errors"):
        said += _words(answer.get(key))
    line = one_line("; ".join(said))[:_LONGEST_REASON]
    return f": {line.rstrip('.')}" if line else ""


def _words(value: Any) -> list[str]:
    """Return the sentences in what may be a text, a list of them, or problems by field."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [word for one in value[:5] for word in _words(one)]
    if isinstance(value, dict):
        named = list(value.items())[:5]
        return [f"{key}: {word}" for key, one in named for word in _words(one)]
    return []
