"""Ask a website politely: at its pace, as its robots.txt allows, again if it has a bad moment."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from typing import Final, Unpack

from protego import Protego

from index.errors import AnswerTooLarge, FetchFailed, FetchRefused, SourceUnavailable
from index.fetching import Answer, Asking, Fetcher, Headers
from index.sources.website.cache import PageCache, Visited
from index.sources.website.locations import host_of

LONGEST_PAUSE: Final = 120.0
"""Seconds that we wait because a website asks for it; who asks for more is asked another day."""

LARGEST_ROBOTS: Final = 512_000
"""Bytes of a robots.txt; RFC 9309 asks for 500 KiB."""

BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
"""Answers that may be another one a moment later."""


class Pace:
    """When each host may be asked next. One for a source, whatever asks in its name."""

    def __init__(self, per_second: float) -> None:
        """Take requests a second and host."""
        self._interval = 1 / per_second
        self._delays: dict[str, float] = {}
        self._next: dict[str, float] = {}

    def slow_down(self, host: str, seconds: float) -> None:
        """Leave at least so much time between two requests."""
        self._delays[host] = seconds

    def pause(self, host: str, seconds: float) -> None:
        """Ask nothing for a while."""
        self._next[host] = max(self._next.get(host, 0.0), time.monotonic() + seconds)

    async def turn(self, host: str) -> None:
        """Wait until a request may be sent."""
        now = time.monotonic()
        at = max(now, self._next.get(host, 0.0))
        self._next[host] = at + max(self._interval, self._delays.get(host, 0.0))
        await asyncio.sleep(at - now)


@dataclass(frozen=True, slots=True)
class Persistence:
    """How often an address is asked that fails, and the seconds before the second time.

    The pause doubles each time.
    """

    tries: int = 3
    pause: float = 1.0


@dataclass(slots=True)
class Visitor:
    """Asks for addresses of one website; ``agent`` is the name that robots.txt calls us by.

    ``received`` counts the bytes of all bodies, inflated.
    """

    fetcher: Fetcher
    pace: Pace
    persistence: Persistence
    cache: PageCache
    agent: str
    received: int = 0
    requests: int = 0
    _robots: dict[str, "asyncio.Task[Protego]"] = field(default_factory=dict)

    async def get(self, url: str, **asking: Unpack[Asking]) -> Answer:
        """Return the answer of an address, once it is none of ``BUSY``. Raises FetchFailed."""
        host = host_of(url)
        pause = self.persistence.pause
        for attempt in range(1, self.persistence.tries + 1):
            await self.pace.turn(host)
            self.requests += 1
            last = attempt == self.persistence.tries
            try:
                answer = await self.fetcher.get(url, **asking)
            except AnswerTooLarge as error:
                self.received += error.received
                raise
            except FetchFailed as error:
                if last or not error.retryable:
                    raise
            else:
                self.received += len(answer.body)
                if answer.status not in BUSY:
                    return answer
                asked = _retry_after(answer.headers)
                if last or asked > LONGEST_PAUSE:
                    raise FetchFailed(f"{url} answered {answer.status}; see what troubles it.")
                if asked:
                    self.pace.pause(host, asked)
                    continue
            await asyncio.sleep(pause)
            pause *= 2
        raise AssertionError("the last try returns or raises")

    async def file(self, url: str, *, largest: int, admits: Callable[[str], bool]) -> bytes | None:
        """Return a file that the website describes itself with, or None if there is none.

        A body that was kept is not sent again. Raises FetchFailed.
        """
        key = f"file:{url}"
        kept = await asyncio.to_thread(self.cache.one, key)
        body = kept[1] if kept is not None else None
        headers = validators(kept[0]) if kept is not None and body is not None else {}
        answer = await self.get(url, largest=largest, headers=headers, redirects=5, admits=admits)
        if answer.status == 304 and headers:
            return body
        if answer.status != 200:
            if answer.status >= 500:
                raise FetchFailed(f"{url} answered {answer.status}; see what troubles it.")
            return None
        found = validated(Visited(url, time.time()), answer.headers)
        await asyncio.to_thread(self.cache.put, key, found, answer.body)
        return answer.body

    async def may_ask(self, url: str) -> bool:
        """Tell whether robots.txt lets us ask for a location.

        Raises SourceUnavailable if nobody can tell: RFC 9309 wants all of it to be left alone then.
        """
        place = "/".join(url.split("/", 3)[:3])
        task = self._robots.get(place)
        if task is None:
            task = self._robots[place] = asyncio.create_task(self._read_robots(place))
        rules = await asyncio.shield(task)
        return rules.can_fetch(url, self.agent)

    async def close(self) -> None:
        """End what is still being asked."""
        for task in self._robots.values():
            task.cancel()
        await asyncio.gather(*self._robots.values(), return_exceptions=True)

    async def _read_robots(self, place: str) -> Protego:
        try:
            body = await self.file(
                f"{place}/robots.txt", largest=LARGEST_ROBOTS, admits=lambda _: True
            )
        except FetchRefused as error:
            raise SourceUnavailable(str(error)) from error
        except FetchFailed as error:
            raise SourceUnavailable(
                f"{error} Without robots.txt nobody knows what may be read there."
            ) from error
        text = (body or b"").decode("utf-8-sig", "replace")
        rules = await asyncio.to_thread(Protego.parse, text)
        delay = rules.crawl_delay(self.agent)
        if delay:
            self.pace.slow_down(host_of(f"{place}/"), delay)
        return rules


def validators(known: Visited) -> dict[str, str]:
    """Return the headers that ask for a body only if it has changed."""
    pairs = (("If-None-Match", known.etag), ("If-Modified-Since", known.last_modified))
    return {name: value for name, value in pairs if value}


def validated(visited: Visited, headers: Headers) -> Visited:
    """Return a visit with the validators that an answer bears."""
    return replace(
        visited,
        etag=_sendable(headers.get("ETag", "")),
        last_modified=_sendable(headers.get("Last-Modified", "")),
    )


def _sendable(value: str) -> str:
    return value if value.isascii() and value.isprintable() and len(value) <= 1_000 else ""


def _retry_after(headers: Headers) -> float:
    """Return the seconds that an answer asks us to wait, 0.0 if it asks for none."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit() and len(value) < 10:
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return 0.0
