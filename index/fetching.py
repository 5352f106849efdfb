"""The only way out to the web: GET an address that somebody else wrote down, and come to no harm.

    address -> scheme, port, host     checked by the parser that the request uses too
            -> resolved, once         every answer must be public (index.addresses)
            -> dialled                exactly those answers, checked once more on the socket
            -> redirect               begins again at the top

TLS and certificates stay with the real name. Proxies, netrc and cookies are ignored, credentials in
an address refused. Bytes are counted as they come, after decompression, and time in total, so that
neither an endless nor a slow answer holds anybody up.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Required, TypedDict

import aiohttp
from multidict import CIMultiDictProxy
from yarl import URL

from index.errors import AnswerTooLarge, FetchFailed, FetchRefused
from index.gate import Gate, Resolve, shown, system_addresses
from index.inflating import PIECE, Garbled, Inflater

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})

Headers = CIMultiDictProxy[str]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds: for all of an answer, a connection, and between two bytes."""

    whole: float = 60.0
    connection: float = 10.0
    silence: float = 15.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What an address gave. ``body`` is empty unless the status is 200 and the body was wanted."""

    url: str
    status: int
    headers: Headers
    body: bytes


class Asking(TypedDict, total=False):
    """What ``Fetcher.get`` takes besides an address, for those who pass it on."""

    largest: Required[int]
    headers: Mapping[str, str] | None
    redirects: int
    admits: Callable[[str], bool] | None
    wanted: Callable[[Headers], bool] | None


class Fetcher:
    """Fetches what is public on the web; enter it before use, and leave it afterwards.

    ``private`` opens single hosts that need not be public: ``wiki.corp.example`` on the ports 80
    and 443, ``wiki.corp.example:8443`` on that port. ``resolve`` and ``trust`` (whose certificates
    are believed) exist for tests and for networks with an authority of their own.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        private: Iterable[str] = (),
        patience: Patience | None = None,
        resolve: Resolve = system_addresses,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        """Describe it. Raises ValueError if an entry of ``private`` names no host."""
        self._patience = patience or Patience()
        self._gate = Gate(private, resolve)
        self._user_agent = user_agent
        self._trust = trust
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Fetcher:
        """Open it on this event loop."""
        connector = aiohttp.TCPConnector(
            resolver=self._gate,
            socket_factory=self._gate.socket_for,
            use_dns_cache=False,
            ssl=self._trust or True,
        )
        waits = aiohttp.ClientTimeout(
            total=self._patience.whole,
            sock_connect=self._patience.connection,
            sock_read=self._patience.silence,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=waits,
            trust_env=False,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "gzip"},
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close every connection."""
        assert self._session is not None
        await self._session.close()

    async def get(
        self,
        url: str,
        *,
        largest: int,
        headers: Mapping[str, str] | None = None,
        redirects: int = 0,
        admits: Callable[[str], bool] | None = None,
        wanted: Callable[[Headers], bool] | None = None,
    ) -> Answer:
        """Return what ``url`` gives, whatever the status; follows up to ``redirects`` redirects.

        ``largest`` bounds the body in bytes. ``admits`` is asked about the address and each one it
        redirects to; ``wanted`` is asked before a body is read. ``headers`` go to ``url`` alone.

        Raises FetchRefused, AnswerTooLarge, FetchFailed.
        """
        target = self._gate.checked(url)
        for _ in range(redirects + 1):
            if admits is not None and not admits(str(target)):
                raise FetchRefused(f"{shown(url)} leads to {shown(target)}, which is not admitted.")
            answer = await self._once(target, largest, headers or {}, wanted)
            place = answer.headers.get("Location")
            if not redirects or answer.status not in REDIRECTS or place is None:
                return answer
            target, headers = self._gate.checked(place, target), None
        raise FetchFailed(
            f"{shown(url)} redirects more than {redirects} times; name where it ends."
        )

    async def _once(
        self,
        target: URL,
        largest: int,
        headers: Mapping[str, str],
        wanted: Callable[[Headers], bool] | None,
    ) -> Answer:
        assert self._session is not None
        try:
            async with self._session.get(
                target, headers=headers, allow_redirects=False
            ) as response:
                given = response.headers
                body = b""
                if response.status == 200 and (wanted is None or wanted(given)):
                    body = await _body(response, largest)
                return Answer(str(target), response.status, given, body)
        except FetchFailed:
            raise
        except TimeoutError as error:
            raise FetchFailed(
                f"{shown(target)} did not answer within {self._patience.whole:g} seconds."
            ) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise FetchFailed(f"{shown(target)} {_reason(error)}.") from error


async def _body(response: aiohttp.ClientResponse, largest: int) -> bytes:
    """Read and inflate a body, and stop where it gets too large."""
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise FetchFailed(f"{shown(response.url)} is packed in a way that was not asked for.")
    too_large = f"{shown(response.url)} holds more than {largest:,} bytes; split it."
    if not encoding and (response.content_length or 0) > largest:
        raise AnswerTooLarge(too_large, 0)
    inflater = Inflater() if encoding.endswith("gzip") else None
    pieces: list[bytes] = []
    size = 0
    try:
        async for data in response.content.iter_chunked(PIECE):
            for piece in inflater.feed(data) if inflater else (data,):
                size += len(piece)
                if size > largest:
                    raise AnswerTooLarge(too_large, size)
                pieces.append(piece)
        if inflater and pieces:
            inflater.close()
    except Garbled as error:
        raise FetchFailed(f"{shown(response.url)} {error}.") from error
    return b"".join(pieces)


def _reason(error: Exception) -> str:
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return "has a certificate that is not trusted"
        case aiohttp.ClientConnectorDNSError():
            return "has a host that cannot be found"
        case aiohttp.ClientConnectorError():
            return "cannot be connected to"
    return f"did not answer properly ({type(error).__name__})"
